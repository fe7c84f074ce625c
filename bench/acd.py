"""How long the ACD takes for one event, at the size of a province: ``python -m bench.acd``.

One job: measure ``queues.rules.apply`` alone, without a switch. 3,000 seats, 200 groups, 2,000 calls waiting; the
history is seeded, so two runs differ only by the machine.
"""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict

from queues.acd import Acd
from queues.model import (
    AgentSignedIn,
    Answered,
    Event,
    Failure,
    NotAnswered,
    Paused,
    Ready,
    Ringing,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
    TicketPhase,
)
from queues.rules import apply
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, SeatId

SEATS, GROUPS, WAITING, EVENTS = 3000, 200, 2000, 60_000
START_MS = 1_760_000_000_000


class Load:
    """A seeded history: about WAITING calls wait while every seat is at work."""

    def __init__(self, seed: int = 12345) -> None:
        self.dice = random.Random(seed)
        self.acd = Acd(NodeId("a"))
        self.now = START_MS
        self.calls = 0
        self.spent: dict[str, list[int]] = defaultdict(list)
        self.groups = [GroupId(f"g{n}") for n in range(GROUPS)]

    def tell(self, event: Event) -> None:
        began = time.perf_counter_ns()
        apply(self.acd, event, self.now)
        self.spent[type(event).__name__].append(time.perf_counter_ns() - began)

    def join(self) -> None:
        self.calls += 1
        first, second, third = self.dice.sample(self.groups, 3)
        call, priority = CallId(f"a-1760000000.{self.calls}"), int(self.dice.random() < 0.05)
        self.tell(TicketJoined(call, first, self.now, priority, ((20, second), (40, third))))

    def sign_in(self, number: int) -> None:
        """One agent in twenty serves every group: the dearest to put into the lines."""
        groups = self.groups if number % 20 == 0 else self.dice.sample(self.groups, 5)
        self.tell(AgentSignedIn(AgentId(str(10_000 + number)), SeatId(str(20_000 + number)), tuple(groups)))

    def step(self) -> None:
        """Some milliseconds later something happens."""
        self.now += self.dice.randrange(1, 20)
        due = self.acd.next_deadline()
        if due is not None and due <= self.now:
            self.tell(Tick())
            return
        waiting = len(self.acd.tickets) - sum(s.call is not None for s in self.acd.seats.values())
        if waiting < WAITING or self.dice.random() < 0.2:
            self.join()
            return
        seat = self.acd.seats[SeatId(str(20_000 + self.dice.randrange(SEATS)))]
        call = seat.call
        if call is None:
            self.tell(Paused(seat.id, "小休") if self.dice.random() < 0.1 else Ready(seat.id))
        elif seat.state is AgentState.RESERVED:
            self.tell(Ringing(call, seat.id))
        elif seat.state is AgentState.RINGING:
            failed = self.dice.random() < 0.05
            self.tell(NotAnswered(call, seat.id, Failure.NO_ANSWER) if failed else Answered(call, seat.id))
        else:
            self.tell(TalkEnded(call, seat.id))
        if waiting > WAITING + 100:
            some = next(t for t in self.acd.tickets.values() if t.phase is TicketPhase.WAITING)
            self.tell(TicketLeft(some.call))


def measure() -> dict[str, dict[str, float]]:
    """Microseconds per event: median, p99 and worst, by event and over all."""
    load = Load()
    for number in range(SEATS):
        load.sign_in(number)
    for _ in range(SEATS + WAITING):
        load.join()
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
    print(json.dumps(measure(), indent=2))
