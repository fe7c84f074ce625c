"""A small floor for the ACD's tests: events in short words, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from queues.acd import Acd, Seat, Ticket
from queues.effects import Effect, Offer, SeatStateChanged
from queues.events import AgentSignedIn, Answered, Event, Ringing, TalkEnded, TicketJoined
from queues.policy import GroupPolicy, Policy
from queues.rules import apply
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, NodeId, SeatId

START = 1_760_000_000_000
POLICY = Policy(
    groups={GroupId("general"): GroupPolicy(20, 10), GroupId("market"): GroupPolicy(15, 0)},
    default=GroupPolicy(20, 5),
)


def call_id(serial: int) -> CallId:
    return CallId(f"a-1760000000.{serial}")


def seat_id(number: int) -> SeatId:
    return SeatId(str(8000 + number))


def agent_id(number: int) -> AgentId:
    return AgentId(str(1000 + number))


@dataclass
class Floor:
    """An ACD with a clock that the test turns."""

    acd: Acd = field(default_factory=lambda: Acd(NodeId("a"), POLICY))
    now: int = START

    def tell(self, event: Event, after: float = 0) -> tuple[Effect, ...]:
        self.now += int(after * 1000)
        return apply(self.acd, event, self.now)

    def sign_in(self, number: int, *groups: str, after: float = 0, pause: str | None = None) -> tuple[Effect, ...]:
        names = tuple(GroupId(g) for g in groups or ("general",))
        return self.tell(AgentSignedIn(agent_id(number), seat_id(number), names, pause), after)

    def join(
        self,
        serial: int,
        group: str = "general",
        *,
        age: float = 0,
        priority: int = 0,
        overflow: tuple[tuple[int, str], ...] = (),
        after: float = 0,
    ) -> tuple[Effect, ...]:
        self.now += int(after * 1000)
        steps = tuple((seconds, GroupId(g)) for seconds, g in overflow)
        since = self.now - int(age * 1000)
        return self.tell(TicketJoined(call_id(serial), GroupId(group), since, priority, steps, f"PJSIP/pstn-{serial}"))

    def talk(self, serial: int, number: int) -> None:
        """Let the offered call ring and be answered."""
        self.tell(Ringing(call_id(serial), seat_id(number)))
        self.tell(Answered(call_id(serial), seat_id(number)))

    def end(self, serial: int, number: int, after: float = 0) -> tuple[Effect, ...]:
        return self.tell(TalkEnded(call_id(serial), seat_id(number)), after)

    def seat(self, number: int) -> Seat:
        return self.acd.seats[seat_id(number)]

    def state(self, number: int) -> AgentState:
        return self.seat(number).state

    def ticket(self, serial: int) -> Ticket:
        return self.acd.tickets[call_id(serial)]


def offers(effects: tuple[Effect, ...]) -> list[tuple[str, str]]:
    """(serial of the call, seat) of every offer."""
    return [(e.call.rpartition(".")[2], e.seat) for e in effects if isinstance(e, Offer)]


def moves(effects: tuple[Effect, ...]) -> list[tuple[str, AgentState, AgentState]]:
    return [(e.seat, e.old, e.new) for e in effects if isinstance(e, SeatStateChanged)]
