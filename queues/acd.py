"""The memory of the ACD: seats, tickets, and the indexes that make choosing fast.

One job: hold. It is mutable for speed and belongs to the core: queues.transaction and its queues.matching alone write,
everybody else reads. Nothing here does I/O or looks at a clock, and all orders are total, so equal histories give equal
states.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from queues.model import SeatReason, SignIn, TicketPhase, UnexpectedEvent
from queues.policy import Policy
from queues.skill_lanes import LEVEL_OF_EVERYONE, Lane, lane, lanes_of_seat
from queues.sorted_keys import SortedKeys
from queues.states import AgentState
from telephony.model import CALL_ID, AgentId, CallId, GroupId, NodeId, SeatId

TicketRank = tuple[int, int, int, CallId]
SeatRank = tuple[int, int, SeatId]
"""Who comes first among ready seats: (level, idle since in unix ms, id)."""
Deadline = tuple[int, str, str]
"""(unix ms, ``seat`` or ``ticket``, id)."""


UNENDING_MS: Final = 2**53
"""A wait that cannot end while nobody is at work."""

_NEW_SHARE: Final = 16
"""A talk changes what is known of a group's handling time by this part of the difference."""


def ticket_rank(call: CallId, since_ms: int, head_start_ms: int) -> TicketRank:
    """Who comes first: the older one, then the switch's own sequence (in the id: a restart keeps it).

    A priority is a head start in time: a caller of a higher class counts as ``head_start_ms`` older than it is. So
    everybody ages at the same rate, the order of two callers never changes while they wait, and a sorted list is
    enough: O(log n), no re-sorting. Nobody starves: only who rings less than one head start later can ever pass. These
    are the static urgency numbers of J. R. Jackson, "Some problems in queueing with dynamic priorities", Naval Research
    Logistics Quarterly 7 (1960), 235-249.
    """
    epoch = serial = 0
    if CALL_ID.fullmatch(call):
        epoch, serial = map(int, call.rpartition("-")[2].split("."))
    return (since_ms - head_start_ms, epoch, serial, call)


@dataclass(frozen=True, slots=True)
class Choice:
    """Why a seat got a call, as it was when it was chosen."""

    seat: SeatId
    group: GroupId
    """Through which they met."""
    level: int
    """LEVEL_OF_PREFERRED and LEVEL_OF_EVERYONE included."""
    idle_ms: int
    ready: int
    """Ready seats that could have taken the call, itself counted; a seat of several groups counts in each."""
    runner_up: SeatId | None


@dataclass(slots=True, eq=False)
class Seat:
    """One phone and who is signed in at it."""

    id: SeatId
    node: NodeId
    site: str = ""
    """A place at another site (分中心), the trunk that leads there; empty for a phone of ours."""
    agent: AgentId | None = None
    groups: tuple[GroupId, ...] = ()
    levels: Mapping[GroupId, int] = field(default_factory=dict)
    """1 is the best, and that of a group that is not here."""
    languages: frozenset[str] = frozenset()
    lanes: tuple[tuple[Lane, int], ...] = ()
    """Where it stands when it is ready, each with its level there."""
    state: AgentState = AgentState.SIGNED_OUT
    since_ms: int = 0
    """When the state began."""
    why: SeatReason | None = None
    """Why the state began."""
    idle_since_ms: int = 0
    """Place in the line of ready seats; an offer that the caller gave up does not cost it."""
    pause: str | None = None
    leaving: bool = False
    """Signs out when its call is over."""
    reachable: bool = True
    in_use: bool = False
    call: CallId | None = None
    talk_since_ms: int = 0
    """When its last talk began."""
    until_ms: int | None = None
    """When the state ends by itself."""

    def sign_in(self) -> SignIn | None:
        """What the durable roster is to say about this seat; nothing about a place of a site, which the table knows."""
        if self.agent is None or self.leaving or self.site:
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
    preferred: AgentId | None = None
    preferred_until_ms: int = 0
    """Until then only the preferred agent may answer; 0 when that agent was not at work."""
    language: str = ""
    language_until_ms: int = 0
    """Until then only who speaks the language may answer; 0 when nobody did who was signed in."""
    asks: tuple[GroupId, ...] = ()
    """Groups that may answer now: its own first, then the widened ones."""
    lanes: tuple[Lane, ...] = ()
    """What it is indexed under."""
    rows: frozenset[int] = frozenset()
    """Overflow rows of its group that have been applied."""
    resort_after_ms: int = 0
    """No further last resort before this."""
    newcomer: bool = True
    """Has not stood in a line yet."""
    counted: bool = False
    """Among those who wait for its group."""
    moved_from: GroupId | None = None
    """Its channel may still say this group."""
    choice: Choice | None = None
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
    waiting: dict[Lane, SortedKeys[TicketRank]] = field(default_factory=dict)
    """Per lane, the calls that ask for it now."""
    ready: dict[Lane, SortedKeys[SeatRank]] = field(default_factory=dict)
    """Per lane, its ready seats."""
    staff: Counter[GroupId] = field(default_factory=Counter)
    """Signed-in seats by group."""
    working: Counter[GroupId] = field(default_factory=Counter)
    """Of these, who takes calls or has one."""
    speakers: Counter[str] = field(default_factory=Counter)
    """Signed-in seats by language."""
    asked: set[str] = field(default_factory=set)
    """Languages that were asked for: only these have lanes."""
    queued: Counter[GroupId] = field(default_factory=Counter)
    """Waiting calls by the group they wait for."""
    handling_ms: dict[GroupId, int] = field(default_factory=dict)
    """What a call keeps an agent busy, talk and wrap-up, as a mean that forgets; by the group that served it."""
    deadlines: SortedKeys[Deadline] = field(default_factory=SortedKeys)
    strays: Counter[UnexpectedEvent] = field(default_factory=Counter)

    def next_deadline(self) -> int | None:
        """Unix ms at which a Tick is due, or None."""
        first = self.deadlines.first()
        return None if first is None else first[0]

    def position(self, call: CallId) -> int | None:
        """1 = next to be served among those who wait for its group now; None = not waiting."""
        ticket = self.tickets.get(call)
        if ticket is None or ticket.phase is not TicketPhase.WAITING:
            return None
        return self.place(ticket)

    def place(self, ticket: Ticket) -> int:
        """1 = nobody who waits for its group now comes before it."""
        line = self.waiting.get(lane(ticket.group))
        return 1 if line is None else 1 + line.before(ticket.rank)

    def best_seat(self, ticket: Ticket) -> Seat | None:
        """Of the ready seats in all lanes that this ticket asks for now: the best level, then the longest idle."""
        firsts = (line.first() for name in ticket.lanes if (line := self.ready.get(name)) is not None)
        best = min((rank for rank in firsts if rank is not None), default=None)
        return None if best is None else self.seats[best[-1]]

    def choice(self, ticket: Ticket, seat: Seat, group: GroupId, now: int) -> Choice:
        """Why this seat, while it still stands in its lines: said afterwards by queues.explain."""
        ranks = [rank for name in ticket.lanes if (line := self.ready.get(name)) is not None for rank in line.head(2)]
        level = min((rank[0] for rank in ranks if rank[-1] == seat.id), default=LEVEL_OF_EVERYONE)
        others = sorted(rank for rank in ranks if rank[-1] != seat.id)
        ready = sum(len(line) for name in ticket.lanes if (line := self.ready.get(name)) is not None)
        return Choice(seat.id, group, level, now - seat.idle_since_ms, ready, others[0][-1] if others else None)

    def lanes_of(self, seat: Seat) -> tuple[tuple[Lane, int], ...]:
        """The lanes of a signed-in seat."""
        assert seat.agent is not None, "an empty seat stands nowhere"
        levels = {group: min(level, self.policy.levels) for group, level in seat.levels.items()}
        return lanes_of_seat(seat.agent, seat.groups, levels, seat.languages & self.asked)

    def expected_wait_ms(self, ticket: Ticket) -> int | None:
        """How long a call will wait from now, as its group works at present; None = not known yet.

        Its place times the mean time between two agents who become free: handling time over agents at work, as in every
        queue with exponential service while all are busy (Erlang C).
        """
        handling = self.handling_ms.get(ticket.group)
        if not self.working[ticket.group]:
            return UNENDING_MS
        return None if handling is None else self.place(ticket) * handling // self.working[ticket.group]

    def handled(self, group: GroupId, ms: int) -> None:
        """An agent was busy for so long with a call of this group."""
        known = self.handling_ms.get(group, ms)
        self.handling_ms[group] = known + (ms - known) // _NEW_SHARE
