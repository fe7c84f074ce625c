"""What the ACD is told.

One job: the words that go into the core. They come from people (who may be refused with ``NotAllowed``) or from the
switch (never refused; late or doubled ones are counted). Times are unix milliseconds given by the caller of the core;
ages therefore survive a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from queues.model import OfferFailure, SignIn, TicketPhase
from queues.policy import Policy
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, SeatId

# What people want. Refused with NotAllowed when it cannot be.


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
    site: str = ""
    """The seat is a place at another site, behind this trunk."""


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


# What the switch says. Never refused.


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
class CalledOut:
    """Somebody whom the agent at this seat has called (外呼) has answered: they talk. Nobody had waited in a line."""

    call: CallId
    seat: SeatId
    group: GroupId
    """Whose talk it is: its wrap-up holds."""
    since_ms: int
    """When the telephone there began to ring."""
    channel: str
    """The called party's."""


@dataclass(frozen=True, slots=True)
class NotAnswered:
    call: CallId
    seat: SeatId
    why: OfferFailure


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
    | CalledOut
    | NotAnswered
    | TalkEnded
    | CallHeld
    | CallResumed
    | Healed
    | Tick
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
    site: str = ""


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
