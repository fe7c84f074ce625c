"""The lines of the ACD: in which lanes calls wait and seats stand ready, and who meets first.

One job: keep the indexes (``waiting``, ``ready``, and the counts of who serves what) true to the tickets and seats, and
find the next call and seat that can meet. What becomes of the two is queues.transaction's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from queues.acd import Acd, Seat, Ticket, TicketRank
from queues.skill_lanes import EVERYONE, Lane
from queues.sorted_keys import SortedKeys
from queues.states import WORKING, AgentState
from telephony.model import GroupId


class Matcher:
    """Of one memory, during one turn."""

    __slots__ = ("_acd", "_touched")

    def __init__(self, acd: Acd) -> None:
        self._acd = acd
        self._touched: dict[Lane, None] = {}
        """Lanes where a call or a seat became free."""

    # Calls

    def join(self, ticket: Ticket) -> None:
        """A call stands in its lanes."""
        for name in ticket.lanes:
            line = self._acd.waiting.get(name)
            if line is None:
                line = self._acd.waiting[name] = SortedKeys()
            line.add(ticket.rank)
            self._touched[name] = None
        ticket.indexed = True

    def leave(self, ticket: Ticket) -> None:
        """Take a call out of every line that it stands in."""
        if ticket.indexed:
            for name in ticket.lanes:
                self._acd.waiting[name].discard(ticket.rank)
            ticket.indexed = False

    # Seats

    def enqueue_seat(self, seat: Seat) -> None:
        """A ready seat stands in its lanes."""
        lines = self._acd.ready
        for name, level in seat.lanes:
            line = lines.get(name)
            if line is None:
                line = lines[name] = SortedKeys()
            line.add((level, seat.idle_since_ms, seat.id))
            self._touched[name] = None

    def dequeue_seat(self, seat: Seat) -> None:
        """A seat that was ready is no more."""
        for name, level in seat.lanes:
            self._acd.ready[name].discard((level, seat.idle_since_ms, seat.id))

    def qualify(
        self, seat: Seat, groups: tuple[GroupId, ...], levels: Mapping[GroupId, int], languages: frozenset[str]
    ) -> None:
        """What the agent of a seat, who stands in no lane, can do from now on."""
        seat.groups = tuple(sorted(set(groups)))
        seat.levels = {group: levels[group] for group in seat.groups if group in levels}
        seat.languages = languages
        seat.lanes = self._acd.lanes_of(seat)
        self.count(seat, 1)

    def count(self, seat: Seat, one: int) -> None:
        """Add a signed-in seat to those who serve its groups (1), or take it out (-1)."""
        if seat.agent is None:
            return
        acd = self._acd
        acd.staff.update(dict.fromkeys(seat.groups, one))
        acd.speakers.update(dict.fromkeys(seat.languages, one))
        if seat.state in WORKING:
            acd.working.update(dict.fromkeys(seat.groups, one))

    def open(self, language: str) -> None:
        """Somebody asks for a language: give it lanes, when it is the first time."""
        if not language or language in self._acd.asked:
            return
        self._acd.asked.add(language)
        for seat in self._acd.seats.values():
            if language in seat.languages and seat.agent is not None:
                self.reassign_lanes(seat)

    def reassign_lanes(self, seat: Seat) -> None:
        """Other lanes for a signed-in seat, whose agent can do what it could."""
        if seat.state is AgentState.READY:
            self.dequeue_seat(seat)
        seat.lanes = self._acd.lanes_of(seat)
        if seat.state is AgentState.READY:
            self.enqueue_seat(seat)

    # Both

    def pairs(self) -> Iterator[tuple[Ticket, Seat]]:
        """Who meets, until nobody can: the first call that some ready seat can serve, with the best seat for it.

        Both must have left their lines when the next pair is asked for. Before the turn nobody could meet, so only
        lanes where a call or a seat became free in this turn matter. Every call in a lane with a ready seat can be
        served, so the first call of all is the first of its lane: a heap of the firsts finds it. Lines only grow
        shorter here, so a stale first is only ever too early.
        """
        acd = self._acd
        heap: list[tuple[TicketRank, Lane]] = []
        ready = acd.ready.setdefault(Lane(EVERYONE), SortedKeys())
        for name in self._touched if ready else ():
            self._candidate(heap, name)
        while heap and ready:  # nobody is ready any more: the firsts of the other lanes wait on
            rank, name = heappop(heap)
            if acd.ready[name].first() is not None and acd.waiting[name].first() == rank:
                ticket = acd.tickets[rank[-1]]
                seat = acd.best_seat(ticket)
                assert seat is not None, "its lane has a ready seat"
                yield ticket, seat
            self._candidate(heap, name)
        self._touched.clear()

    def _candidate(self, heap: list[tuple[TicketRank, Lane]], name: Lane) -> None:
        """Put the first call of a lane that has a ready seat into the heap."""
        waiting = self._acd.waiting.get(name)
        first = None if waiting is None else waiting.first()
        if first is None:
            return
        ready = self._acd.ready.get(name)
        if ready is not None and ready.first() is not None:
            heappush(heap, (first, name))
