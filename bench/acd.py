"""How long the ACD takes for one event, at the size of a province: ``python -m bench.acd``.

One job: measure ``queues.rules.apply`` alone, without a switch, from 30 seats to 3,000 seats with 200 groups and 2,000
calls waiting. Agents have levels and languages; callers priorities, languages and agents they know; groups
overflow.
The history is seeded, so two runs differ only by the machine. Times are CPU time: a busy machine does not lengthen it.
"""

from __future__ import annotations

import gc
import random
import time
from collections import defaultdict

from queues.acd import Acd
from queues.events import (
    AgentSignedIn,
    Answered,
    Event,
    NotAnswered,
    Paused,
    Ready,
    Ringing,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
)
from queues.model import OfferFailure, TicketPhase
from queues.policy import GroupPolicy, Overflow, Policy
from queues.rules import apply
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, OverflowTo, OverflowWhen, Priority, SeatId

SIZES = ((30, 2, 20), (300, 20, 200), (3000, 200, 2000))
"""Seats, groups, calls waiting."""
EVENTS = 60_000
LEVELS, LANGUAGES = 3, ("cantonese", "teochew", "hakka")
START_MS = 1_760_000_000_000


class Load:
    """A seeded history: about ``waiting`` calls wait while every seat is at work."""

    def __init__(self, seats: int, groups: int, waiting: int, seed: int = 12345) -> None:
        self.dice = random.Random(seed)
        self.seats, self.waiting = seats, waiting
        overflow = (
            Overflow(OverflowWhen.WAITED, 60, OverflowTo.EVERYONE),
            Overflow(OverflowWhen.NOBODY, 0, OverflowTo.CALLBACK),
        )
        policy = GroupPolicy(level_seconds=10, overflow=overflow)
        self.acd = Acd(NodeId("a"), Policy(default=policy, levels=LEVELS))
        self.now = START_MS
        self.calls = 0
        self.spent: dict[str, list[int]] = defaultdict(list)
        self.groups = [GroupId(f"g{n}") for n in range(groups)]

    def tell(self, event: Event) -> None:
        began = time.thread_time_ns()
        apply(self.acd, event, self.now)
        self.spent[type(event).__name__].append(time.thread_time_ns() - began)

    def join(self) -> None:
        self.calls += 1
        first, second = self.dice.sample(self.groups, 2)
        call, rare = CallId(f"a-1760000000.{self.calls}"), self.dice.random()
        priority = Priority.REPEAT if rare < 0.05 else Priority.NORMAL
        preferred = self.agent(self.dice.randrange(self.seats)) if rare < 0.05 else None
        language = self.dice.choice(LANGUAGES) if rare > 0.95 else ""
        self.tell(TicketJoined(call, first, self.now, priority, ((20, second),), "", preferred, language))

    @staticmethod
    def agent(number: int) -> AgentId:
        return AgentId(str(10_000 + number))

    def sign_in(self, number: int) -> None:
        """One agent in twenty serves every group: the dearest to put into the lines."""
        groups = self.groups if number % 20 == 0 else self.dice.sample(self.groups, min(5, len(self.groups)))
        levels = {group: self.dice.randint(1, LEVELS) for group in groups}
        speaks = frozenset(self.dice.sample(LANGUAGES, 1)) if number % 4 == 0 else frozenset()
        seat = SeatId(str(20_000 + number))
        self.tell(AgentSignedIn(self.agent(number), seat, tuple(groups), None, levels, speaks))

    def step(self) -> None:
        """Some milliseconds later something happens."""
        self.now += self.dice.randrange(1, 20)
        due = self.acd.next_deadline()
        if due is not None and due <= self.now:
            self.tell(Tick())
            return
        waiting = len(self.acd.tickets) - sum(s.call is not None for s in self.acd.seats.values())
        if waiting < self.waiting or self.dice.random() < 0.2:
            self.join()
            return
        seat = self.acd.seats[SeatId(str(20_000 + self.dice.randrange(self.seats)))]
        call = seat.call
        if call is None:
            self.tell(Paused(seat.id, "小休") if self.dice.random() < 0.1 else Ready(seat.id))
        elif seat.state is AgentState.RESERVED:
            self.tell(Ringing(call, seat.id))
        elif seat.state is AgentState.RINGING:
            failed = self.dice.random() < 0.05
            self.tell(NotAnswered(call, seat.id, OfferFailure.NO_ANSWER) if failed else Answered(call, seat.id))
        else:
            self.tell(TalkEnded(call, seat.id))
        if waiting > self.waiting * 1.05:
            some = next(t for t in self.acd.tickets.values() if t.phase is TicketPhase.WAITING)
            self.tell(TicketLeft(some.call))


def measure(seats: int, groups: int, waiting: int) -> dict[str, dict[str, float]]:
    """Microseconds per event: median, p99 and worst, by event and over all."""
    load = Load(seats, groups, waiting)
    for number in range(seats):
        load.sign_in(number)
    for _ in range(seats + waiting):
        load.now += 12  # they came one by one, over a minute
        load.join()
    gc.collect()
    gc.freeze()  # what was built before the first event is no litter of an event
    load.spent.clear()
    for _ in range(EVENTS):
        load.step()
    load.spent["all"] = [ns for each in load.spent.values() for ns in each]
    return {name: _figures(sorted(each)) for name, each in sorted(load.spent.items())}


def _figures(spent: list[int]) -> dict[str, float]:
    def at(share: float) -> float:
        return round(spent[min(len(spent) - 1, int(len(spent) * share))] / 1000, 1)

    return {"events": len(spent), "median_us": at(0.5), "p99_us": at(0.99), "worst_us": at(1.0)}


if __name__ == "__main__":
    for size in SIZES:
        figures = measure(*size)
        print("{} seats, {} groups, {} waiting:".format(*size))
        for name, row in figures.items():
            print(f"  {name:16} " + "  ".join(f"{what} {value}" for what, value in row.items()))
