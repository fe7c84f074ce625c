"""The memory of the ACD: seats, tickets, and the indexes that make choosing fast.

One job: hold. It is mutable for speed and belongs to the core: queues.turn is the only writer, everybody else reads.
Nothing here does I/O or looks at a clock, and all orders are total, so equal histories give equal states.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from queues.model import Policy, SignIn, Stray, TicketPhase, Why
from queues.ordered import Ordered
from queues.states import AgentState
from telephony.model import CALL_ID, AgentId, CallId, GroupId, NodeId, SeatId

TicketRank = tuple[int, int, int, int, CallId]
SeatRank = tuple[int, int, SeatId]
Deadline = tuple[int, str, str]
"""(unix ms, ``seat`` or ``ticket``, id)."""


def ticket_rank(call: CallId, priority: int, since_ms: int) -> TicketRank:
    """Who comes first: higher priority, then older, then the switch's own sequence (in the id: a restart keeps it)."""
    epoch = serial = 0
    if CALL_ID.fullmatch(call):
        epoch, serial = map(int, call.rpartition("-")[2].split("."))
    return (-priority, since_ms, epoch, serial, call)


@dataclass(slots=True, eq=False)
class Seat:
    """One phone and who is signed in at it."""

    id: SeatId
    node: NodeId
    agent: AgentId | None = None
    groups: tuple[GroupId, ...] = ()
    state: AgentState = AgentState.SIGNED_OUT
    since_ms: int = 0
    """When the state began."""
    why: Why | None = None
    """Why the state began."""
    idle_since_ms: int = 0
    """Place in the line of ready seats; an offer that the caller gave up does not cost it."""
    pause: str | None = None
    leaving: bool = False
    """Signs out when its call is over."""
    reachable: bool = True
    in_use: bool = False
    call: CallId | None = None
    until_ms: int | None = None
    """When the state ends by itself."""

    def rank(self, group: GroupId) -> SeatRank:
        """Who comes first among the ready seats of a group: (level, idle since, id); level is 0 for all so far."""
        return (0, self.idle_since_ms, self.id)

    def sign_in(self) -> SignIn | None:
        """What the durable roster is to say about this seat."""
        if self.agent is None or self.leaving:
            return None
        return SignIn(self.agent, self.id, self.groups, self.pause)


@dataclass(slots=True, eq=False)
class Ticket:
    """A call that waits for a group, is offered, or talks. ``since_ms`` never changes."""

    call: CallId
    node: NodeId
    channel: str
    group: GroupId
    priority: int
    since_ms: int
    joined_ms: int
    """When it began to wait for this group; widening counts from here, so that neither a long prompt nor an earlier
    talk sends it past its own group at once. Being offered in vain does not change it."""
    overflow: tuple[tuple[int, GroupId], ...]
    rank: TicketRank
    phase: TicketPhase = TicketPhase.WAITING
    asks: tuple[GroupId, ...] = ()
    """Groups that may answer now: its own first, then the widened ones. Also the groups it is indexed under."""
    indexed: bool = False
    """Can be offered: waiting and not held back."""
    seat: SeatId | None = None
    reservation: str = ""
    served_by: GroupId | None = None
    """The group through which it met its seat."""
    offers: int = 0
    errors: int = 0
    held_until_ms: int | None = None
    talk_since_ms: int = 0
    until_ms: int | None = None
    """Next widening or end of being held back."""


@dataclass(slots=True, eq=False)
class Acd:
    """The whole state of the ACD of one node."""

    node: NodeId
    policy: Policy = field(default_factory=Policy)
    seats: dict[SeatId, Seat] = field(default_factory=dict)
    tickets: dict[CallId, Ticket] = field(default_factory=dict)
    seat_of: dict[AgentId, SeatId] = field(default_factory=dict)
    waiting: dict[GroupId, Ordered[TicketRank]] = field(default_factory=dict)
    """Per group, the calls that it may answer now."""
    ready: dict[GroupId, Ordered[SeatRank]] = field(default_factory=dict)
    """Per group, its ready seats."""
    deadlines: Ordered[Deadline] = field(default_factory=Ordered)
    strays: Counter[Stray] = field(default_factory=Counter)

    def next_deadline(self) -> int | None:
        """Unix ms at which a Tick is due, or None."""
        first = self.deadlines.first()
        return None if first is None else first[0]

    def position(self, call: CallId) -> int | None:
        """1 = next to be served among those who wait for its group now; None = not waiting."""
        ticket = self.tickets.get(call)
        if ticket is None or ticket.phase is not TicketPhase.WAITING:
            return None
        line = self.waiting.get(ticket.group)
        return 1 if line is None else 1 + line.before(ticket.rank)

    def best_seat(self, ticket: Ticket) -> Seat | None:
        """The longest idle ready seat over all groups that this ticket asks for now."""
        firsts = (line.first() for group in ticket.asks if (line := self.ready.get(group)) is not None)
        best = min((rank for rank in firsts if rank is not None), default=None)
        return None if best is None else self.seats[best[-1]]
