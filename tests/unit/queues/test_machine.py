"""Any history at all, also nonsense: what must hold after every event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from queues.acd import Acd, Seat
from queues.call_rules import wish_of
from queues.effects import Effect, Offer, RosterChanged, SeatStateChanged, TalkOver, TicketWaiting, Withdraw
from queues.events import (
    AgentSignedIn,
    Answered,
    CallHeld,
    CallResumed,
    Event,
    Forced,
    MoveCall,
    NotAnswered,
    Paused,
    PolicyChanged,
    Ready,
    Ringing,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatSeen,
    SeatUnreachable,
    SignedOut,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
    TicketSeen,
    WrapUpEnded,
    WrapUpExtended,
)
from queues.model import NotAllowed, OfferFailure, SignIn, TicketPhase
from queues.policy import GroupPolicy, Overflow, Policy
from queues.restore import restore
from queues.rules import apply
from queues.states import MOVES, WORKING, AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, OverflowTo, OverflowWhen, Priority, SeatId
from tests.unit.queues import reference
from tests.unit.queues.floor import POLICY, START, agent_id, call_id, seat_id

pytestmark = pytest.mark.unit

GROUPS = [GroupId("general"), GroupId("market"), GroupId("transport")]
MACHINE_POLICY = replace(
    POLICY,
    groups={
        GROUPS[0]: GroupPolicy(20, 10, short_talk_seconds=2),
        GROUPS[1]: GroupPolicy(
            15,
            0,
            level_seconds=5,
            language_seconds=7,
            preferred_seconds=9,
            overflow=(
                Overflow(OverflowWhen.NOBODY, 3, OverflowTo.GROUP, "transport"),
                Overflow(OverflowWhen.LENGTH, 2, OverflowTo.EVERYONE),
                Overflow(OverflowWhen.WAITED, 12, OverflowTo.CALLBACK),
            ),
        ),
        GROUPS[2]: GroupPolicy(
            20,
            5,
            overflow=(
                Overflow(OverflowWhen.EXPECTED, 4, OverflowTo.GROUP, "general"),
                Overflow(OverflowWhen.WAITED, 8, OverflowTo.EVERYONE),
                Overflow(OverflowWhen.NOBODY, 0, OverflowTo.DUTY_PHONE, "06638000000"),
            ),
        ),
    },
    levels=3,
)
OTHER_POLICY = replace(MACHINE_POLICY, levels=2, head_start_seconds={Priority.REPEAT: 30})
TALK = {AgentState.TALKING, AgentState.HOLD}
OFFERED = {AgentState.RESERVED, AgentState.RINGING}
SITE_OF = {seat_id(4): "subcentre-12366", seat_id(5): "subcentre-12366"}
"""Two of the seats are places of one sub-centre."""
PHASE_OF = {
    AgentState.RESERVED: TicketPhase.OFFERED,
    AgentState.RINGING: TicketPhase.OFFERED,
    AgentState.TALKING: TicketPhase.TALKING,
    AgentState.HOLD: TicketPhase.TALKING,
}

seats = st.integers(1, 5).map(seat_id)
agents = st.integers(1, 5).map(agent_id)
skills = st.fixed_dictionaries({}, optional={group: st.integers(1, 4) for group in GROUPS})
tongues = st.frozensets(st.sampled_from(["teochew", "hakka"]))
calls = st.integers(1, 9).map(call_id)
groups = st.sampled_from(GROUPS)
serving = st.lists(groups, max_size=3).map(tuple)
overflow = st.lists(st.tuples(st.sampled_from([0, 5, 20]), groups), max_size=2).map(tuple)
after = st.sampled_from([0, 0, 0, 1, 500, 1000, 5000, 10_000, 25_000])
person_events = st.one_of(
    st.builds(SignedOut, seats),
    st.builds(Paused, seats, st.sampled_from(["小休", "用餐"])),
    st.builds(Ready, seats),
    st.builds(WrapUpEnded, seats),
    st.builds(WrapUpExtended, seats, st.sampled_from([0, 30, 900])),
    st.builds(Forced, seats, st.sampled_from(AgentState), st.just("班长")),
    st.builds(MoveCall, calls, groups, overflow),
)
phone_events = st.one_of(
    st.builds(SeatUnreachable, seats),
    st.builds(SeatReachable, seats),
    st.builds(SeatBusyElsewhere, seats),
    st.builds(SeatFree, seats),
)
wire_events = st.one_of(
    st.builds(Ringing, calls, seats),
    st.builds(Answered, calls, seats),
    st.builds(NotAnswered, calls, seats, st.sampled_from(OfferFailure)),
    st.builds(TalkEnded, calls, seats, st.booleans()),
    st.builds(CallHeld, calls, seats),
    st.builds(CallResumed, calls, seats),
)

Step = Callable[[Acd], tuple[Acd, tuple[Effect, ...]]]


def fingerprint(acd: Acd) -> tuple[object, ...]:
    return (
        repr(acd.seats),
        repr(acd.tickets),
        repr(acd.seat_of),
        [(g, list(line)) for g, line in acd.waiting.items()],
        [(g, list(line)) for g, line in acd.ready.items()],
        list(acd.deadlines),
        repr(acd.strays),
        *(repr(+counts) for counts in (acd.staff, acd.working, acd.speakers, acd.queued)),
        sorted(acd.asked),
    )


class AcdMachine(RuleBasedStateMachine):
    """Events in any order; ``alive``, ``born``, ``idle`` and ``rosters`` are a book kept beside the core."""

    def __init__(self) -> None:
        super().__init__()
        self.acd = Acd(NodeId("a"), MACHINE_POLICY)
        self.now = START
        self.born: dict[CallId, int] = {}
        self.idle: dict[SeatId, int] = {}
        self.rosters: dict[SeatId, SignIn] = {}
        self.history: list[tuple[Step, tuple[Effect, ...]]] = []

    def tell(self, event: Event, after: int = 0) -> tuple[Effect, ...]:
        self.now += after
        now = self.now
        before = fingerprint(self.acd)
        try:
            effects = apply(self.acd, event, now)
        except NotAllowed:
            assert fingerprint(self.acd) == before
            if not isinstance(event, Tick):
                self.tell(Tick())  # as the timer would: a refused event moves no deadline
            return ()
        self.history.append((lambda acd: (acd, apply(acd, event, now)), effects))
        self._keep_book(event, effects)
        self._check_choice(effects)
        return effects

    def _keep_book(self, event: Event, effects: tuple[Effect, ...]) -> None:
        if isinstance(event, TicketJoined):
            self.born.setdefault(event.call, event.since_ms)
        if isinstance(event, TicketLeft):
            self.born.pop(event.call, None)
        offered_now = {e.call for e in effects if isinstance(e, Offer)}
        for effect in effects:
            if isinstance(effect, TalkOver) and not (
                (isinstance(event, TicketJoined | Answered) and event.call == effect.call)
                or any(isinstance(e, TicketWaiting) and e.call == effect.call for e in effects)
            ):
                self.born.pop(effect.call, None)
            if isinstance(effect, SeatStateChanged) and effect.old is not effect.new:
                assert effect.new in MOVES[effect.old]
                if effect.new is AgentState.READY and effect.old not in OFFERED:
                    self.idle[effect.seat] = self.now
            if isinstance(effect, RosterChanged):
                assert self.rosters.pop(effect.seat, None) == effect.old
                if effect.new is not None:
                    self.rosters[effect.seat] = effect.new
            if isinstance(effect, Withdraw):
                ticket = self.acd.tickets.get(effect.call)
                waits = ticket is not None and ticket.phase is TicketPhase.WAITING
                assert effect.back_to_wait == (waits and effect.call not in offered_now)

    def _check_choice(self, effects: tuple[Effect, ...]) -> None:
        made = [(e.call, e.seat) for e in effects if isinstance(e, Offer)]
        could = [
            t
            for t in self.acd.tickets.values()
            if (t.phase is TicketPhase.WAITING and not reference.held(t, self.now)) or t.call in dict(made)
        ]
        free = [s for s in self.acd.seats.values() if s.state is AgentState.READY or s.id in dict(made).values()]
        assert made == reference.choose(self.acd, could, free, self.idle, self.now)

    # Histories

    @rule(
        agent=agents,
        seat=seats,
        groups=serving,
        pause=st.none() | st.just("培训"),
        levels=skills,
        languages=tongues,
        after=after,
    )
    def sign_in(
        self,
        agent: AgentId,
        seat: SeatId,
        groups: tuple[GroupId, ...],
        pause: str | None,
        levels: dict[GroupId, int],
        languages: frozenset[str],
        after: int,
    ) -> None:
        self.tell(AgentSignedIn(agent, seat, groups, pause, levels, languages, SITE_OF.get(seat, "")), after)

    @rule(policy=st.sampled_from([MACHINE_POLICY, OTHER_POLICY]), after=after)
    def the_table_is_published(self, policy: Policy, after: int) -> None:
        self.tell(PolicyChanged(policy), after)

    @rule(seat=seats, agent=agents)
    def sign_in_for_all(self, seat: SeatId, agent: AgentId) -> None:
        self.tell(AgentSignedIn(agent, seat, tuple(GROUPS), site=SITE_OF.get(seat, "")))

    @rule(
        call=calls,
        group=groups,
        age=st.sampled_from([0, 0, 1000, 60_000]),
        priority=st.sampled_from([0, 0, 0, 3, 4, 9]),
        overflow=overflow,
        preferred=st.none() | st.none() | agents,
        language=st.sampled_from(["", "", "teochew", "hakka"]),
        after=after,
    )
    def join(
        self,
        call: CallId,
        group: GroupId,
        age: int,
        priority: int,
        overflow: tuple[tuple[int, GroupId], ...],
        preferred: AgentId | None,
        language: str,
        after: int,
    ) -> None:
        since = self.now + after - age
        self.tell(TicketJoined(call, group, since, priority, overflow, "PJSIP/pstn-1", preferred, language), after)

    @rule(call=calls)
    def leave(self, call: CallId) -> None:
        self.tell(TicketLeft(call))

    @rule(event=person_events, after=after)
    def a_person_acts(self, event: Event, after: int) -> None:
        self.tell(event, after)

    @rule(event=phone_events, after=after)
    def a_phone_changes(self, event: Event, after: int) -> None:
        self.tell(event, after)

    @rule(event=wire_events, after=after)
    def the_switch_says_anything(self, event: Event, after: int) -> None:
        self.tell(event, after)

    @rule(pick=st.integers(0, 4), failure=st.none() | st.sampled_from(OfferFailure), after=after)
    @precondition(lambda self: any(s.state in OFFERED for s in self.acd.seats.values()))
    def an_offer_goes_on(self, pick: int, failure: OfferFailure | None, after: int) -> None:
        offered = [s for s in self.acd.seats.values() if s.state in OFFERED]
        seat = offered[pick % len(offered)]
        assert seat.call is not None
        if failure is not None:
            self.tell(NotAnswered(seat.call, seat.id, failure), after)
        elif seat.state is AgentState.RESERVED:
            self.tell(Ringing(seat.call, seat.id), after)
        else:
            self.tell(Answered(seat.call, seat.id), after)

    @rule(
        pick=st.integers(0, 4),
        what=st.sampled_from([TalkEnded, lambda call, seat: TalkEnded(call, seat, True), CallHeld, CallResumed]),
        after=after,
    )
    @precondition(lambda self: any(s.state in TALK for s in self.acd.seats.values()))
    def a_talk_goes_on(self, pick: int, what: Callable[[CallId, SeatId], Event], after: int) -> None:
        talking = [s for s in self.acd.seats.values() if s.state in TALK]
        seat = talking[pick % len(talking)]
        assert seat.call is not None
        self.tell(what(seat.call, seat.id), after)

    @rule()
    @precondition(lambda self: self.acd.next_deadline() is not None)
    def the_timer_fires(self) -> None:
        deadline = self.acd.next_deadline()
        assert deadline is not None
        self.tell(Tick(), deadline - self.now)

    @rule(shuffle=st.randoms(use_true_random=False))
    def the_engine_restarts(self, shuffle: Random) -> None:
        old, now, self_policy = self.acd, self.now, self.acd.policy
        seen_seats = [_seen(s) for s in old.seats.values()]
        seen_tickets = [
            TicketSeen(
                wish_of(t),
                t.phase,
                t.seat,
                t.joined_ms,
                t.talk_since_ms if t.phase is TicketPhase.TALKING else None,
            )
            for t in old.tickets.values()
        ]
        order = {t.call: t.rank for t in old.tickets.values()}
        talking = {s.id: s.call for s in old.seats.values() if s.state in PHASE_OF}

        def step(_: Acd) -> tuple[Acd, tuple[Effect, ...]]:
            return restore(NodeId("a"), self_policy, seen_seats, seen_tickets, now)

        self.acd, effects = step(old)
        shuffle.shuffle(seen_seats)
        shuffle.shuffle(seen_tickets)
        again, effects_again = step(old)
        assert (effects, fingerprint(self.acd)[2:]) == (effects_again, fingerprint(again)[2:])
        self.history.append((step, effects))
        assert not self.acd.strays
        assert {t.call: t.rank for t in self.acd.tickets.values()} == order
        offered = {e.seat for e in effects if isinstance(e, Offer)}
        assert {s.id: s.call for s in self.acd.seats.values() if s.state in PHASE_OF and s.id not in offered} == talking
        self.idle = {s.id: s.idle_since_ms for s in self.acd.seats.values()}
        self._check_choice(effects)
        self.rosters = {s.id: entry for s in self.acd.seats.values() if (entry := s.sign_in()) is not None}

    # What holds after every event

    @invariant()
    def a_seat_has_one_call_and_a_call_one_seat(self) -> None:
        pairs = {s.call: s.id for s in self.acd.seats.values() if s.call is not None}
        assert pairs == {t.call: t.seat for t in self.acd.tickets.values() if t.seat is not None}
        assert len(pairs) == sum(s.call is not None for s in self.acd.seats.values())
        for seat in self.acd.seats.values():
            assert (seat.call is not None) == (seat.state in PHASE_OF)
            if seat.call is not None:
                assert self.acd.tickets[seat.call].phase is PHASE_OF[seat.state]
        for ticket in self.acd.tickets.values():
            assert (ticket.seat is None) == (ticket.phase is TicketPhase.WAITING)

    @invariant()
    def no_call_is_lost_or_made_up_and_none_gets_younger(self) -> None:
        assert {t.call: t.since_ms for t in self.acd.tickets.values()} == self.born

    @invariant()
    def nobody_waits_for_a_seat_that_is_ready(self) -> None:
        assert reference.possible(self.acd, self.now) == []

    @invariant()
    def an_agent_sits_at_one_seat(self) -> None:
        assert self.acd.seat_of == {s.agent: s.id for s in self.acd.seats.values() if s.agent is not None}
        assert len(self.acd.seat_of) == sum(s.agent is not None for s in self.acd.seats.values())
        signed_in = {s.id for s in self.acd.seats.values() if s.agent is not None}
        for seat in self.acd.seats.values():
            if seat.state not in {AgentState.SIGNED_OUT} | TALK:
                assert seat.id in signed_in
            if seat.state is AgentState.READY:
                assert seat.reachable
                assert not seat.in_use
                assert seat.pause is None

    @invariant()
    def the_durable_roster_follows(self) -> None:
        assert self.rosters == {s.id: entry for s in self.acd.seats.values() if (entry := s.sign_in()) is not None}

    @invariant()
    def the_lines_say_what_the_seats_and_tickets_say(self) -> None:
        waiting = {
            (group, ticket.call)
            for ticket in self.acd.tickets.values()
            if ticket.phase is TicketPhase.WAITING and not reference.held(ticket, self.now)
            for group in ticket.lanes
        }
        assert {(g, rank[-1]) for g, line in self.acd.waiting.items() for rank in line} == waiting
        ready = {
            (name, seat.id)
            for seat in self.acd.seats.values()
            if seat.state is AgentState.READY
            for name, _ in seat.lanes
        }
        assert {(g, rank[-1]) for g, line in self.acd.ready.items() for rank in line} == ready
        for name, line in self.acd.waiting.items():
            tickets = [self.acd.tickets[rank[-1]] for rank in line]
            assert tickets == reference.line(self.acd, tickets), name

    @invariant()
    def the_counts_are_right(self) -> None:
        signed_in = [s for s in self.acd.seats.values() if s.agent is not None]
        assert +self.acd.staff == Counter(g for s in signed_in for g in s.groups)
        assert +self.acd.working == Counter(g for s in signed_in for g in s.groups if s.state in WORKING)
        assert +self.acd.speakers == Counter(one for s in signed_in for one in s.languages)
        waiting = [t for t in self.acd.tickets.values() if t.phase is TicketPhase.WAITING]
        assert +self.acd.queued == Counter(t.group for t in waiting)

    @invariant()
    def nothing_is_overdue_and_nobody_is_stuck(self) -> None:
        deadlines: set[tuple[int, str, str]]
        deadlines = {(s.until_ms, "seat", s.id) for s in self.acd.seats.values() if s.until_ms is not None}
        deadlines |= {(t.until_ms, "ticket", t.call) for t in self.acd.tickets.values() if t.until_ms is not None}
        assert set(self.acd.deadlines) == deadlines
        first = self.acd.next_deadline()
        assert first is None or first > self.now
        for seat in self.acd.seats.values():
            if seat.state in OFFERED | {AgentState.WRAP_UP, AgentState.NOT_RESPONDING, AgentState.HOLD}:
                assert seat.until_ms is not None

    def teardown(self) -> None:
        self._replays_the_same()
        self._every_state_can_be_left()
        self._everybody_is_served_in_order()

    def _replays_the_same(self) -> None:
        acd = Acd(NodeId("a"), MACHINE_POLICY)
        for step, effects in self.history:
            acd, again = step(acd)
            assert again == effects
        assert fingerprint(acd) == fingerprint(self.acd)

    def _every_state_can_be_left(self) -> None:
        """The switch shows no call and every phone at rest, and healing says so: all are ready, wherever they were."""
        acd = deepcopy(self.acd)
        for call in list(acd.tickets):
            apply(acd, TicketLeft(call), self.now)
        for seat in list(acd.seats.values()):
            apply(acd, SeatReachable(seat.id), self.now)
            apply(acd, SeatFree(seat.id), self.now)
            if seat.agent is not None:
                apply(acd, Ready(seat.id), self.now)
        empty = {seat.id for seat in acd.seats.values() if seat.agent is None}
        states = {seat.id: seat.state for seat in acd.seats.values()}
        assert states == {seat: AgentState.SIGNED_OUT if seat in empty else AgentState.READY for seat in states}

    def _everybody_is_served_in_order(self) -> None:
        """One agent for all groups, nobody else: each waiting call is served, the first in line first."""
        for seat in list(self.acd.seats.values()):
            if seat.agent is not None:
                self.tell(Forced(seat.id, AgentState.SIGNED_OUT))
        self.tell(Tick(), 61_000)  # nobody is held back or insists on anybody any more
        waiting = [t for t in self.acd.tickets.values() if t.phase is TicketPhase.WAITING]
        expected = [t.call for t in reference.line(self.acd, waiting)]
        lonely = seat_id(99)
        self.tell(AgentSignedIn(agent_id(99), lonely, tuple(GROUPS), None, {}, frozenset(["teochew", "hakka"])))
        served = []
        for _ in expected:
            call = self.acd.seats[lonely].call
            assert call is not None
            served.append(call)
            self.tell(Answered(call, lonely))
            self.tell(TalkEnded(call, lonely), 3000)
            self.tell(Ready(lonely))
        assert served == expected
        assert self.acd.seats[lonely].state is AgentState.READY


def _seen(seat: Seat) -> SeatSeen:
    sign_in = None if seat.agent is None else SignIn(seat.agent, seat.id, seat.groups, seat.pause)
    seen = SeatSeen(seat.id, sign_in, seat.reachable, seat.in_use, seat.idle_since_ms, seat.levels, seat.languages)
    return replace(seen, site=seat.site)


AcdMachine.TestCase.settings = settings(max_examples=250, stateful_step_count=60, deadline=None)
TestAcd = AcdMachine.TestCase
