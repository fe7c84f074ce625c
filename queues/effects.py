"""What the ACD answers: what the shell is to do or to write down, in the order in which it became true.

One job: the words that come out of the core. Times are unix milliseconds, durations milliseconds where their names
say so.
"""

from __future__ import annotations

from dataclasses import dataclass

from queues.model import OfferFailure, SeatReason, SignIn
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, OverflowTo, OverflowWhen, SeatId


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
    why: SeatReason
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
    why: OfferFailure


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
    why: SeatReason
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
