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
from telephony.model import AgentId, CallId, GroupId, NodeId, SeatId


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
    JOINED_WHILE_OFFERED = "joined-while-offered"
    JOINED_WHILE_TALKING = "joined-while-talking"
    """Believed: the talk is over and the call waits again."""
    TALK_REPLACED = "talk-replaced"
    """A seat talks with a new call and nobody had said that the old one was over."""
    RESTORE_CONFLICT = "restore-conflict"
    """Two calls, or two seats, claimed each other when the state was rebuilt."""


@dataclass(frozen=True, slots=True)
class GroupPolicy:
    """How a group rings and rests."""

    ring_seconds: int = 20
    wrap_up_seconds: int = 10
    """话后整理; 0 = none."""


def _back_after() -> Mapping[Failure, int | None]:
    return {
        Failure.NO_ANSWER: 60,
        Failure.REJECTED: 60,
        Failure.BUSY: 5,
        Failure.UNREACHABLE: 15,
        Failure.ERROR: 5,
        Failure.TIMEOUT: 15,
    }


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings of the ACD. The numbers are ours, not a standard's, and can be edited."""

    groups: Mapping[GroupId, GroupPolicy] = field(default_factory=dict)
    default: GroupPolicy = field(default_factory=GroupPolicy)
    """For a group without a row of its own."""
    offer_margin_seconds: int = 5
    """How much longer than ringing the core waits for news of an offer before it takes it back."""
    back_after: Mapping[Failure, int | None] = field(default_factory=_back_after)
    """Seconds after which a not-responding seat is ready again by itself; None = only by its agent's own Ready."""
    hold_seconds: int = 1
    """A call whose offer ended in error or timeout is not offered for this long, doubled each time: a call that cannot
    be redirected must not take every seat of its group down with it."""
    hold_seconds_max: int = 10
    wrap_up_seconds_max: int = 600
    """Wrap-up with all its extensions."""

    def of(self, group: GroupId) -> GroupPolicy:
        return self.groups.get(group, self.default)


# Events: what people want. Refused with NotAllowed when they cannot be.


@dataclass(frozen=True, slots=True)
class AgentSignedIn:
    """签入. Again at the same seat = new groups only. The agent's former seat and the seat's former agent sign out."""

    agent: AgentId
    seat: SeatId
    groups: tuple[GroupId, ...]
    pause: str | None = None
    """Signs in paused for this reason."""


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
class PolicyChanged:
    """For later offers and wrap-ups; what runs keeps its deadline."""

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
    """Name of the caller's channel, for the shell."""


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
    """Caller and agent parted. The core forgets the call; if it is to wait again it joins again."""

    call: CallId
    seat: SeatId


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


Effect = Offer | Withdraw | OfferFailed | TicketWaiting | Connected | TalkOver | SeatStateChanged | RosterChanged


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
