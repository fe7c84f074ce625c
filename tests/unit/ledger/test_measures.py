"""Each measure by its definition, on a handful of calls that can be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ledger.measures import (
    AgentTime,
    Aims,
    By,
    Outcome,
    agent_time,
    half_hour,
    measures,
    outcome,
    told_apart,
)
from ledger.measures import told as told_time
from ledger.model import NO_CALL, Fact, Kind
from telephony.model import AgentId, GroupId
from tests.unit.ledger.calls import AT, told

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")
AIMS = Aims(15, 95, 5)


def one(*given: Any, **more: Any) -> Outcome:
    found = outcome(told(*given, **more))
    assert found is not None
    return found


FIVE = [
    one(1, wait=3),  # 8 s from ring, 3 s from the prompt
    one(2, 60, wait=12),  # 17 s from ring, 12 s from the prompt
    one(3, 120, wait=40, talk=120, group="market", agent="1002", number="12315"),
    one(4, 2000, wait=None, hold=30),
    one(5, 2100, wait=None, hold=4),
]


def test_each_measure_of_five_calls() -> None:
    found = measures(FIVE, AIMS)
    assert (found.calls, found.answered, found.abandoned, found.short_abandoned) == (5, 3, 1, 1)
    assert found.connection_rate == 3 / 5
    assert found.connection_rate_without_short == 3 / 4
    assert found.in_time_from_ring == 1 / 5
    assert found.in_time_from_prompt == 2 / 5
    assert found.speed_of_answer == pytest.approx((8 + 17 + 45) / 3)
    assert found.speed_of_answer_after_prompt == pytest.approx((3 + 12 + 40) / 3)
    assert found.talk_seconds == 80
    assert (found.occupancy, found.wrap_up_seconds) == (None, None)


def test_calls_of_our_agents_are_counted_by_what_they_came_to() -> None:
    calls = [replace(one(n, n * 60), wrap_up_code=code) for n, code in enumerate(("order", "", "order", "silent"))]
    site = one(9, 900, by="subcentre")
    running = replace(one(10, 1000), ended_at=None)
    assert measures([*calls, site, running, one(11, wait=None)], AIMS).wrap_up_codes == {"order": 2, "": 1, "silent": 1}


@pytest.mark.parametrize(("wait", "in_time"), [(10.0, 1.0), (10.001, 0.0)])
def test_fifteen_seconds_are_in_time_and_a_millisecond_more_is_not(wait: float, in_time: float) -> None:
    assert measures([one(1, wait=wait)], AIMS).in_time_from_ring == in_time


@pytest.mark.parametrize(("hold", "short"), [(5.0, 1), (5.001, 0), (0.5, 1)])
def test_who_hangs_up_in_the_short_seconds_is_counted_apart(hold: float, short: int) -> None:
    found = measures([one(1, wait=None, hold=hold)], AIMS)
    assert (found.short_abandoned, found.abandoned) == (short, 1 - short)
    assert found.connection_rate == 0.0


def test_a_call_that_still_rings_counts_nowhere_and_one_that_still_talks_counts() -> None:
    rings = outcome(told(1)[:2])
    talks = outcome(told(2)[:3])
    assert rings is not None
    assert talks is not None
    found = measures([rings, talks], AIMS)
    assert (found.calls, found.connection_rate, found.talk_seconds) == (1, 1.0, None)


def test_an_emergency_number_dialled_directly_is_not_ours_to_answer() -> None:
    direct = [fact for fact in told(1, rule="emergency", by="emergency") if fact.kind is not Kind.WAITING]
    assert outcome(direct) is None
    # No centre answered, and the caller came to us: ours.
    assert outcome(told(2, rule="emergency")) is not None


def test_nobody_called() -> None:
    found = measures([], AIMS)
    assert (found.calls, found.connection_rate, found.in_time_from_ring, found.speed_of_answer) == (0, None, None, None)


def spent(agent: str, minute: int, groups: tuple[str, ...] = ("general",), **state_ms: int) -> AgentTime:
    names = {state.replace("_", "-"): ms for state, ms in state_ms.items()}
    return AgentTime(
        AgentId(agent), AT + timedelta(minutes=minute), tuple(GroupId(g) for g in groups), names, 2, 30_000
    )


def test_occupancy_is_work_over_work_and_readiness_and_pause_is_neither() -> None:
    found = measures([], AIMS, [spent("1001", 0, ready=600, talking=200, ringing=50, wrap_up=150, paused=9000)])
    assert found.occupancy == 0.4
    assert found.wrap_up_seconds == 15


def test_by_group_number_agent_and_half_hour() -> None:
    times = [spent("1001", 0, ready=100, talking=100), spent("1002", 30, ("market", "general"), ready=300, talking=100)]
    groups = told_apart(FIVE, times, By.GROUP, AIMS, CITY)
    assert {key: (one.calls, one.occupancy) for key, one in groups.items()} == {
        "general": (4, 200 / 600), "market": (1, 0.25),
    }  # fmt: skip
    numbers = told_apart(FIVE, times, By.NUMBER, AIMS, CITY)
    assert {key: (one.calls, one.occupancy) for key, one in numbers.items()} == {"12315": (1, None), "12345": (4, None)}
    agents = told_apart(FIVE, times, By.AGENT, AIMS, CITY)
    assert {key: (one.answered, one.occupancy) for key, one in agents.items()} == {"1001": (2, 0.5), "1002": (1, 0.25)}
    halves = told_apart(FIVE, times, By.HALF_HOUR, AIMS, CITY)
    assert {key: (one.calls, one.occupancy) for key, one in halves.items()} == {"09:00": (3, 0.5), "09:30": (2, 0.25)}


def test_an_agents_half_hour_survives_the_ledger() -> None:
    time = spent("1001", 30, ready=5, talking=7)
    fact = Fact("x", Kind.AGENT_TIME, NO_CALL, AT, told_time(time))
    assert agent_time(fact) == time


@pytest.mark.parametrize(
    "data",
    [{}, {"start": "soon", "state_ms": {}}, {"start": "2026-10-10T09:00", "state_ms": {}}, {"start": AT.isoformat()}],
)
def test_a_half_hour_that_cannot_be_read_is_none(data: dict[str, Any]) -> None:
    assert agent_time(Fact("x", Kind.AGENT_TIME, NO_CALL, AT, data)) is None


def test_a_half_hour_begins_at_its_beginning() -> None:
    assert half_hour(AT + timedelta(minutes=29, seconds=59)) == AT
    assert half_hour(AT + timedelta(minutes=30)) == AT + timedelta(minutes=30)
