"""Scenarios in short words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from queues.events import AgentSignedIn, TicketJoined
from queues.forecasting.scenario import Arrival, Scenario, Shift, Stream
from queues.policy import GroupPolicy, Policy
from telephony.model import AgentId, CallId, GroupId, SeatId

START = 1_760_000_000_000
HOUR = 3_600_000
BARE = Policy(default=GroupPolicy(ring_seconds=20, wrap_up_seconds=0))


def wish(group: str = "general", overflow: tuple[tuple[int, str], ...] = ()) -> TicketJoined:
    return TicketJoined(CallId(""), GroupId(group), 0, overflow=tuple((s, GroupId(g)) for s, g in overflow))


def agent(number: int, *groups: str, start: float | None = None, end: float | None = None) -> Shift:
    """From and to so many seconds after the start."""
    names = tuple(GroupId(group) for group in groups or ("general",))
    sign_in = AgentSignedIn(AgentId(str(1000 + number)), SeatId(str(8000 + number)), names)
    begin, over = (None if s is None else START + round(s * 1000) for s in (start, end))
    return Shift(sign_in, begin, over)


def agents(count: int) -> list[Shift]:
    return [agent(number) for number in range(count)]


def at(seconds: float, talk: float | None = None, **asked: Any) -> Arrival:
    return Arrival(START + round(seconds * 1000), wish(**asked), talk_seconds=talk)


def poisson(per_hour: float) -> list[Stream]:
    return [Stream(per_hour, wish())]


def scenario(
    shifts: Sequence[Shift], callers: Sequence[Arrival | Stream], *, hours: float = 1, **more: Any
) -> Scenario:
    given = {"policy": BARE} | more
    return Scenario("试", START, START + round(hours * HOUR), shifts, callers, **given)
