"""What the ACD is told, what it answers, and by which settings it decides.

One job: the words between the core and the shell around it. Events come from people (they may be refused with
:class:`NotAllowed`) or from the switch (never refused; late or doubled ones are counted). Times are unix milliseconds
given by the caller of the core; ages therefore survive a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, OverflowTo, OverflowWhen, Priority, SeatId


class NotAllowed(Exception):
    """What a person asked for cannot be; nothing was changed. The text is Chinese, for that person."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


class Failure(StrEnum):
    """Why an offered seat did not take the call."""

    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    """The offer could not be carried out: perhaps the seat's fault, perhaps the call's."""
    CUT_SHORT = "cut-short"
    """Answered, and the seat's side ended the talk at once."""
    TIMEOUT = "timeout"
    """Neither ringing came to an end nor did anybody say so before the reservation's deadline."""


class Why(StrEnum):
    """Why a seat changed its state, or an offer was withdrawn."""

    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    MOVED = "moved"
    """The agent signed in at another seat."""
    REPLACED = "replaced"
    """Another agent signed in at this seat."""
    READY = "ready"
    PAUSED = "paused"
    FORCED = "forced"
    """A supervisor said so."""
    CONTACT_LOST = "contact-lost"
    CONTACT_BACK = "contact-back"
    PHONE_IN_USE = "phone-in-use"
    PHONE_FREE = "phone-free"
    OFFERED = "offered"
    RINGING = "ringing"
    ANSWERED = "answered"
    ANSWERED_ELSEWHERE = "answered-elsewhere"
    """The switch says that this call, or this seat, talks with somebody else."""
    HELD = "held"
    RESUMED = "resumed"
    MOVED_CALL = "moved-call"
    """Its call was moved to another group."""
    CUT_SHORT = "cut-short"
    CALLER_LEFT = "caller-left"
    TALK_ENDED = "talk-ended"
    WRAP_UP_OVER = "wrap-up-over"
    WRAP_UP_EXTENDED = "wrap-up-extended"
    """Not a new state: only its end moved."""
    BACK_BY_POLICY = "back-by-policy"
    """Not responding, and the policy's seconds are over."""
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    TIMEOUT = "timeout"
    RESTORED = "restored"


class Stray(StrEnum):
    """A message of the switch that came late, twice or out of order: tolerated and counted."""

    RINGING = "ringing"
    ANSWERED_UNKNOWN_CALL = "answered-unknown-call"
    ANSWERED_TWICE = "answered-twice"
    ANSWERED_WITHOUT_OFFER = "answered-without-offer"
    """Believed: the call talks at that seat now."""
    NOT_ANSWERED = "not-answered"
    TALK_ENDED = "talk-ended"
    HELD = "held"
    JOINED_WHILE_OFFERED = "joined-while-offered"
    JOINED_WHILE_TALKING = "joined-while-talking"
    """Believed: the talk is over and the call waits again."""
    TALK_REPLACED = "talk-replaced"
    """A seat talks with a new call and nobody had said that the old one was over."""
    HEALED = "healed"
    """None came at all: what we believed was mended by what the switch shows."""
    RESTORE_CONFLICT = "restore-conflict"
    """Two calls, or two seats, claimed each other when the state was rebuilt."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """One row of what happens to a group's callers who cannot be served soon."""

    when: OverflowWhen
    value: int
    """Seconds, or callers (length)."""
    to: OverflowTo
    target: str = ""
    """Group id, trunk id or telephone number; empty when ``to`` says enough."""


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """How a group rings, rests, widens and overflows."""

    ring_seconds: int = 20
    wrap_up_seconds: int = 10
    """话后整理; 0 = none."""
    level_seconds: int = 0
    """Level 1 alone may answer at first, each next level after so many more seconds; 0 = all levels at once, the best
    ready one first."""
    language_seconds: int = 60
    """How long a caller waits for somebody who speaks the language asked for, when such a one is signed in."""
    preferred_seconds: int = 20
    """How long a caller waits for the agent of the last talk, when that agent is at work; 0 = not at all."""
    short_talk_seconds: int = 0
    """A talk that the agent's side ends sooner was none: the caller waits on, at its place; 0 = every talk counts."""
    overflow: tuple[Overflow, ...] = ()


def _back_after() -> Mapping[Failure, int | None]:
    return {
        Failure.NO_ANSWER: 60,
        Failure.REJECTED: 60,
        Failure.BUSY: 5,
        Failure.UNREACHABLE: 15,
        Failure.ERROR: 5,
        Failure.CUT_SHORT: 15,
        Failure.TIMEOUT: 15,
    }


def _head_starts() -> Mapping[int, int]:
    return {
        Priority.NUISANCE: -600,
        Priority.NORMAL: 0,
        Priority.REPEAT: 60,
        Priority.LISTED: 120,
        Priority.DROPPED: 180,
        Priority.CENTRE: 300,
        Priority.FIRST: 3600,
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the ACD. The numbers are ours, not a standard's, and can be edited."""

    groups: Mapping[GroupId, GroupPolicy] = field(default_factory=dict)
    default: GroupPolicy = field(default_factory=GroupPolicy)
    """For a group without a row of its own."""
    offer_margin_seconds: int = 5
    """How much longer than ringing the core waits for news of an offer before it takes it back."""
    dial_seconds: int = 45
    """How much longer still for a call that has no channel yet: a callback, whose citizen is dialled first."""
    back_after: Mapping[Failure, int | None] = field(default_factory=_back_after)
    """Seconds after which a not-responding seat is ready again by itself; None = only by its agent's own Ready."""
    hold_seconds: int = 1
    """A call whose offer ended in error or timeout is not offered for this long, doubled each time: a call that cannot
    be redirected must not take every seat of its group down with it."""
    hold_seconds_max: int = 10
    wrap_up_seconds_max: int = 600
    """Wrap-up with all its extensions."""
    head_start_seconds: Mapping[int, int] = field(default_factory=_head_starts)
    """By class of priority, how much older than it is a call counts in the line, younger where negative; 0 for a
    class below all these."""
    levels: int = 1
    """The worst level that anybody has in any group; 1 is the best."""
    hold_alarm_seconds: int = 120
    """A caller who is kept on hold for this long is told of, again and again."""
    recheck_seconds: int = 10
    """How often a waiting call is held against what its group overflows by, when that may change by itself."""
    resort_pause_seconds: int = 30
    """How long after one last resort the next may come."""

    def of(self, group: GroupId) -> GroupPolicy:
        return self.groups.get(group, self.default)

    def head_start_ms(self, priority: int) -> int:
        """How much older than it is a call of this priority counts."""
        classes = [one for one in self.head_start_seconds if one <= priority]
        return self.head_start_seconds[max(classes)] * 1000 if classes else 0


# Events: what people want. Refused with NotAllowed when they cannot be.


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    """签入. Again at the same seat = new groups only. The agent's former seat and the seat's former agent sign out."""

    agent: AgentId
    seat: SeatId
    groups: tuple[GroupId, ...]
    pause: str | None = None
    """Signs in paused for this reason."""
    levels: Mapping[GroupId, int] = field(default_factory=dict)
    """1 is the best; a group that is not here is served at level 1."""
    languages: frozenset[str] = frozenset()
    """What the agent speaks besides what everybody does."""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """签出; during a call it takes effect after the call."""

    seat: SeatId


@dataclass(frozen=True, slots=True)
class Paused:
    """示忙/小休; during a call it takes effect after the call."""

    seat: SeatId
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """示闲. Ends pause, wrap-up and not-responding; takes back a pause or sign-out that waits for its call's end."""

    seat: SeatId


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    seat: SeatId
    seconds: int


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    seat: SeatId


@dataclass(frozen=True, slots=True)
class Forced:
    """A supervisor's word: takes effect at once, also out of a call that the core wrongly believes in."""

    seat: SeatId
    to: AgentState
    """ready, paused or signed-out."""
    reason: str = ""
    """Of a pause."""


@dataclass(frozen=True, slots=True)
class MoveCall:
    """A supervisor moves a call that waits, or that rings in vain, to another group. It keeps its age."""

    call: CallId
    group: GroupId
    overflow: tuple[tuple[int, GroupId], ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyChanged:
    """For the order and for later offers and wrap-ups; what runs keeps its deadline."""

    policy: Policy


# Events: what the switch says. Never refused.


@dataclass(frozen=True, slots=True)
class SeatUnreachable:
    seat: SeatId


@dataclass(frozen=True, slots=True)
class SeatReachable:
    seat: SeatId


@dataclass(frozen=True, slots=True)
class SeatBusyElsewhere:
    """The device is in use. May be sent for our own calls too: it counts only while the seat rests."""

    seat: SeatId


@dataclass(frozen=True, slots=True)
class SeatFree:
    seat: SeatId


@dataclass(frozen=True, slots=True)
class TicketJoined:
    """A call waits. Harmless when repeated; the age of a known call never changes."""

    call: CallId
    group: GroupId
    since_ms: int
    """When the call rang: its age for life."""
    priority: int = 0
    overflow: tuple[tuple[int, GroupId], ...] = ()
    """(seconds since joining, group)."""
    channel: str = ""
    """Name of the caller's channel, for the shell; empty when there is none yet (callback)."""
    preferred: AgentId | None = None
    """The agent to wait for at first, e.g. of the last talk. Counts when the call joins, not when it is repeated."""
    language: str = ""
    """The language asked for; empty = any."""


@dataclass(frozen=True, slots=True)
class TicketLeft:
    """The caller is gone, or somebody else takes care of the call. Unknown calls are no fault."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Ringing:
    call: CallId
    seat: SeatId


@dataclass(frozen=True, slots=True)
class Answered:
    call: CallId
    seat: SeatId


@dataclass(frozen=True, slots=True)
class NotAnswered:
    call: CallId
    seat: SeatId
    why: Failure


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """Caller and agent parted. The core forgets the call; if it is to wait again it joins again.

    Unless the agent's side ended it within ``short_talk_seconds``: then the call waits on, at its age.
    """

    call: CallId
    seat: SeatId
    by_agent: bool = False
    """The caller is still there."""


@dataclass(frozen=True, slots=True)
class CallHeld:
    """The agent has put the caller on hold (保持)."""

    call: CallId
    seat: SeatId


@dataclass(frozen=True, slots=True)
class CallResumed:
    """The agent is back with the caller."""

    call: CallId
    seat: SeatId


@dataclass(frozen=True, slots=True)
class Healed:
    """The next event is none of the switch's own: it was found missing, by what the switch shows."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened but time: for deadlines."""


Event = (
    AgentSignedIn
    | SignedOut
    | Paused
    | Ready
    | WrapUpExtended
    | WrapUpEnded
    | Forced
    | MoveCall
    | PolicyChanged
    | SeatUnreachable
    | SeatReachable
    | SeatBusyElsewhere
    | SeatFree
    | TicketJoined
    | TicketLeft
    | Ringing
    | Answered
    | NotAnswered
    | TalkEnded
    | CallHeld
    | CallResumed
    | Healed
    | Tick
)


# Effects: what the shell is to do or to write down. In the order in which they became true.


@dataclass(frozen=True, slots=True)
class Offer:
    """Bring this call to this seat. Do it, or answer with NotAnswered(error)."""

    reservation: str
    call: CallId
    channel: str
    node: NodeId
    """Where the caller's channel is."""
    seat: SeatId
    agent: AgentId
    group: GroupId
    """The group through which they met; its ring and wrap-up seconds hold."""
    ring_seconds: int
    waited_ms: int
    """Since the call rang."""
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An offer holds no longer."""

    reservation: str
    call: CallId
    channel: str
    node: NodeId
    seat: SeatId
    why: Why
    back_to_wait: bool
    """The caller must be brought back to waiting: still there, and no new Offer for this call among these effects."""


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """A seat did not take the call, as the switch said or as its silence told."""

    reservation: str
    call: CallId
    seat: SeatId
    agent: AgentId
    group: GroupId
    why: Failure


@dataclass(frozen=True, slots=True)
class TicketWaiting:
    """The call waits, newly or again. With an Offer for it among the same effects, only for a moment."""

    call: CallId
    group: GroupId
    priority: int
    again: bool


@dataclass(frozen=True, slots=True)
class Connected:
    """A human answered."""

    call: CallId
    seat: SeatId
    agent: AgentId | None
    """None when nobody was signed in there."""
    group: GroupId
    waited_ms: int


@dataclass(frozen=True, slots=True)
class TalkOver:
    call: CallId
    seat: SeatId
    agent: AgentId | None
    group: GroupId
    talk_ms: int


@dataclass(frozen=True, slots=True)
class SeatStateChanged:
    seat: SeatId
    agent: AgentId | None
    """Who it is about: on signing out, who left."""
    old: AgentState
    new: AgentState
    why: Why
    pause: str | None
    """Reason of the pause, also of one that waits for the call's end."""
    until_ms: int | None
    """When the state ends by itself."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A call waits for another group: its channel is to remember that."""

    call: CallId
    channel: str
    node: NodeId
    old: GroupId
    group: GroupId
    overflow: tuple[tuple[int, GroupId], ...]


@dataclass(frozen=True, slots=True)
class LastResort:
    """A row of the group's overflow that leads out of the line is due for this call. Told once per row.

    The call stays in the line, and may be offered to an agent at any moment; the shell tells TicketLeft when the caller
    has taken the way out.
    """

    call: CallId
    channel: str
    node: NodeId
    kind: OverflowTo
    """subcentre, duty-phone, callback or message."""
    target: str
    group: GroupId
    """Whose row it is."""
    when: OverflowWhen
    """Why."""
    waited_ms: int
    """Since the call rang."""


@dataclass(frozen=True, slots=True)
class HeldTooLong:
    """A caller is on hold and nobody comes back; told again after every further ``hold_alarm_seconds``."""

    call: CallId
    seat: SeatId
    agent: AgentId | None
    held_ms: int


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who is signed in where: the part of the state that outlives every process, in app_queue's membership."""

    agent: AgentId
    seat: SeatId
    groups: tuple[GroupId, ...]
    """Sorted."""
    pause: str | None = None


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """The durable sign-ins are to follow. A sign-out or pause that waits for its call's end is already in it."""

    seat: SeatId
    old: SignIn | None
    new: SignIn | None


Effect = (
    Offer
    | Withdraw
    | OfferFailed
    | TicketWaiting
    | Connected
    | TalkOver
    | SeatStateChanged
    | RosterChanged
    | Moved
    | LastResort
    | HeldTooLong
)


# What the switch shows after a restart.


@dataclass(frozen=True, slots=True)
class SeatSeen:
    """A seat as the switch shows it."""

    seat: SeatId
    sign_in: SignIn | None = None
    reachable: bool = True
    in_use: bool = False
    idle_since_ms: int | None = None
    """None = now."""
    levels: Mapping[GroupId, int] = field(default_factory=dict)
    languages: frozenset[str] = frozenset()


class TicketPhase(StrEnum):
    """Where a call is, as far as the ACD cares."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A seat is reserved for it, perhaps ringing already."""
    TALKING = "talking"


@dataclass(frozen=True, slots=True)
class TicketSeen:
    """A call as its channel's variables show it."""

    ticket: TicketJoined
    phase: TicketPhase = TicketPhase.WAITING
    seat: SeatId | None = None
    """Offered or talking: where."""
    joined_ms: int | None = None
    """None = the time it rang: widening may come early, never late."""
    talk_since_ms: int | None = None
    """None = now."""
