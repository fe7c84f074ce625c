"""The ACD in virtual time: the very core that serves the hotline, with drawn callers and agents around it.

One job: a discrete-event loop. Every decision is ``queues.rules.apply``'s; the loop plays the switch and the people:
it rings the seats of the core's offers, answers, talks, wraps up, gives up. Equal seeds give equal histories.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import ceil
from random import Random
from typing import Final

from queues.acd import Acd
from queues.effects import Connected, Effect, Offer, SeatStateChanged
from queues.events import (
    Answered,
    Event,
    NotAnswered,
    Ringing,
    SignedOut,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
    WrapUpEnded,
    WrapUpExtended,
)
from queues.forecasting.scenario import Arrival, Scenario, Shift
from queues.model import NotAllowed, OfferFailure, TicketPhase
from queues.rules import apply
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, SeatId

NODE: Final = NodeId("sim")

LAST_WAIT_MS: Final = 4 * 3_600_000
"""How long after the end those who wait are still followed when nothing but time passes."""


@dataclass(slots=True)
class Fate:
    """What became of one caller."""

    call: CallId
    at_ms: int
    number: str
    group: GroupId
    """Asked for."""
    offered_ms: int | None = None
    """When a seat was first found."""
    answered_ms: int | None = None
    agent: AgentId | None = None
    gone_ms: int | None = None
    """When the caller gave up."""

    @property
    def wait_ms(self) -> int | None:
        """Until the answer or until giving up; None for one who still waited at the end, with nobody left to answer."""
        until = self.answered_ms if self.answered_ms is not None else self.gone_ms
        return None if until is None else until - self.at_ms


@dataclass(frozen=True, slots=True)
class Run:
    """One history."""

    fates: list[Fate]
    """Of the callers who count, in the order in which they came."""
    seat_ms: dict[AgentState, int]
    """How long seats were in each state, from the end of the warm-up to the end of the scenario, summed."""


def simulate(scenario: Scenario, seed: int) -> Run:
    """One history of the scenario."""
    return _World(scenario, seed).run()


@dataclass(slots=True, eq=False)
class _World:
    scenario: Scenario
    seed: int
    now: int = 0
    _due: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _fates: dict[CallId, Fate] = field(default_factory=dict)
    _talks: dict[CallId, float] = field(default_factory=dict)
    """Seconds that this call will talk: drawn when it comes, so that floors are compared with the same callers."""
    _offers: dict[CallId, str] = field(default_factory=dict)
    _since: dict[SeatId, int] = field(default_factory=dict)
    _seat_ms: dict[AgentState, int] = field(default_factory=dict)
    acd: Acd = field(init=False)
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.acd = Acd(NODE, self.scenario.policy)
        # Callers and agents draw from different dice: another floor meets the same callers.
        self.dice = Random(f"agents {self.seed}")

    def run(self) -> Run:
        self.now = self.scenario.start_ms
        for shift in self.scenario.shifts:
            self._roster(shift)
        self._call_in()
        while (deadline := self._deadline()) is not None or self._due:
            if deadline is not None and (not self._due or deadline < self._due[0][0]):
                self.now = max(self.now, deadline)
                self._tell(Tick())
            else:
                self.now, _, happens = heappop(self._due)
                happens()
        self.now = max(self.now, self.scenario.end_ms)
        for seat in self.acd.seats.values():
            self._spent(seat.id, seat.state)
        begin = self.scenario.start_ms + self.scenario.warm_up_ms
        return Run([fate for fate in self._fates.values() if fate.at_ms >= begin], self._seat_ms)

    def _deadline(self) -> int | None:
        """The core's next deadline that can still matter: nobody calls any more, and who waits has waited for long."""
        deadline = self.acd.next_deadline()
        last = self.scenario.end_ms + (LAST_WAIT_MS if self.acd.tickets else 0)
        return deadline if deadline is not None and deadline < last else None

    # What is known beforehand

    def _roster(self, shift: Shift) -> None:
        def come() -> None:
            self._tell(shift.sign_in)

        def go() -> None:
            self._tell(SignedOut(shift.sign_in.seat))

        self._at(max(self.now, shift.start_ms or self.now), come)
        if shift.end_ms is not None:
            self._at(max(self.now, shift.end_ms), go)

    def _call_in(self) -> None:
        dice = Random(f"callers {self.seed}")
        span = self.scenario.start_ms, self.scenario.end_ms
        came: list[Arrival] = []
        for source in self.scenario.callers:
            came += [source] if isinstance(source, Arrival) else source.arrivals(*span, dice)
        habits = self.scenario.habits
        for serial, arrival in enumerate(sorted(came, key=lambda one: one.at_ms)):
            call = CallId(f"{NODE}-{arrival.at_ms // 1000:010d}.{serial}")
            drawn = habits.talk.draw(dice)
            self._talks[call] = drawn if arrival.talk_seconds is None else arrival.talk_seconds
            patience = None if habits.patience is None else habits.patience.draw(dice)
            self._fates[call] = Fate(call, arrival.at_ms, arrival.number, arrival.wish.group)
            self._at(arrival.at_ms, partial(self._join, call, arrival.wish, patience))

    # What people do

    def _join(self, call: CallId, wish: TicketJoined, patience: float | None) -> None:
        if patience is not None:
            self._at(self.now + _ms(patience), lambda: self._give_up(call))
        self._tell(replace(wish, call=call, since_ms=self.now))

    def _give_up(self, call: CallId) -> None:
        ticket = self.acd.tickets.get(call)
        if ticket is not None and ticket.phase is not TicketPhase.TALKING:
            self._fates[call].gone_ms = self.now
            self._tell(TicketLeft(call))

    def _ring(self, offer: Offer) -> None:
        """The phone rings at once, and is answered or not, unless the offer is over before."""
        self._offers[offer.call] = offer.reservation
        fate = self._fates[offer.call]
        fate.offered_ms = self.now if fate.offered_ms is None else fate.offered_ms
        habits = self.scenario.habits
        seconds = habits.ring.draw(self.dice)
        missed = habits.missed_share > 0 and self.dice.random() < habits.missed_share
        if missed or seconds >= offer.ring_seconds:
            outcome: Event = NotAnswered(offer.call, offer.seat, OfferFailure.NO_ANSWER)
            seconds = offer.ring_seconds
        else:
            outcome = Answered(offer.call, offer.seat)

        def ends() -> None:
            if self._holds(offer):
                self._tell(outcome)

        def rings() -> None:
            if self._holds(offer):
                self._tell(Ringing(offer.call, offer.seat))
                self._at(self.now + _ms(seconds), ends)

        self._at(self.now, rings)

    def _holds(self, offer: Offer) -> bool:
        ticket = self.acd.tickets.get(offer.call)
        return (
            ticket is not None
            and ticket.phase is TicketPhase.OFFERED
            and self._offers.get(offer.call) == offer.reservation
        )

    def _talk(self, effect: Connected) -> None:
        fate = self._fates[effect.call]
        fate.answered_ms, fate.agent = self.now, effect.agent

        def ends() -> None:
            self._tell(TalkEnded(effect.call, effect.seat))

        self._at(self.now + _ms(self._talks[effect.call]), ends)

    def _wrap_up(self, effect: SeatStateChanged) -> None:
        """The paperwork takes as long as it takes, whatever the policy gives at first."""
        wrap_up = self.scenario.habits.wrap_up
        if wrap_up is None or effect.until_ms is None:
            return
        until = self.now + _ms(wrap_up.draw(self.dice))
        began, seat = self.now, effect.seat

        def more() -> None:
            self._tell(WrapUpExtended(seat, ceil((until - (effect.until_ms or until)) / 1000)))

        def done() -> None:
            held = self.acd.seats[seat]
            if held.state is AgentState.WRAP_UP and held.since_ms == began:
                self._tell(WrapUpEnded(seat))

        if until > effect.until_ms:
            self._at(self.now, more)
        self._at(until, done)

    # The core

    def _tell(self, event: Event) -> None:
        try:
            effects = apply(self.acd, event, self.now)
        except NotAllowed:  # a person asked for what cannot be, as in life
            return
        for effect in effects:
            self._hear(effect)

    def _hear(self, effect: Effect) -> None:
        match effect:
            case Offer():
                self._ring(effect)
            case Connected():
                self._talk(effect)
            case SeatStateChanged():
                self._spent(effect.seat, effect.old)
                if effect.new is AgentState.WRAP_UP and effect.old is not AgentState.WRAP_UP:
                    self._wrap_up(effect)
            case _:
                pass

    def _spent(self, seat: SeatId, state: AgentState) -> None:
        """A seat leaves a state: its time in it, as far as it lies in the stretch that counts."""
        begin = self.scenario.start_ms + self.scenario.warm_up_ms
        since = max(begin, self._since.get(seat, self.scenario.start_ms))
        until = min(self.now, self.scenario.end_ms)
        self._since[seat] = self.now
        if until > since:
            self._seat_ms[state] = self._seat_ms.get(state, 0) + until - since

    def _at(self, when: int, happens: Callable[[], None]) -> None:
        heappush(self._due, (when, next(self._order), happens))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
