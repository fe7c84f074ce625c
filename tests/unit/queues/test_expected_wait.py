from __future__ import annotations

import random
import statistics

import pytest

from queues.expected_wait import LEAST_SERVICES, ExpectedWait, Pace, expected_wait
from queues.service_rate import REMEMBERED, ServiceRateTracker
from telephony.model import GroupId
from tests.unit.queues.floor import Floor, call_id

pytestmark = pytest.mark.unit

GENERAL = GroupId("general")


def test_nothing_is_said_on_too_little() -> None:
    assert expected_wait(1, Pace(LEAST_SERVICES - 1, 100, 3)) is None
    assert expected_wait(1, Pace(50, 100, 0)) is None
    assert expected_wait(0, Pace(50, 100, 1)) is None


def test_the_fourth_of_four_agents_waits_one_service_give_or_take_half() -> None:
    assert expected_wait(4, Pace(50, 120, 4)) == ExpectedWait(60, 180)


def test_simulated_waits_lie_in_the_range_as_often_as_one_deviation_promises() -> None:
    """All agents busy with exponential services: an Erlang distribution, two thirds of it within one deviation."""
    dice = random.Random(12345)
    for position, agents in ((1, 1), (3, 5), (9, 4)):
        told = expected_wait(position, Pace(50, 100, agents))
        assert told is not None
        waits = [sum(dice.expovariate(agents / 100) for _ in range(position)) for _ in range(4000)]
        assert statistics.mean(waits) == pytest.approx((told.low + told.high) / 2, rel=0.06)
        assert 0.6 < sum(told.low <= wait <= told.high for wait in waits) / len(waits) < 0.9


def test_the_pace_comes_from_talks_that_ended_and_seats_that_serve() -> None:
    floor = Floor()
    keeper = ServiceRateTracker(lambda: floor.acd)
    floor.sign_in(1, "general")
    floor.sign_in(2, "market")
    floor.sign_in(3, "general", pause="小休")
    for serial in range(REMEMBERED + 5):
        floor.join(serial)
        floor.talk(serial, 1)
        for effect in floor.end(serial, 1, after=30):
            keeper.on_effect(effect)
        floor.now += 20_000
        floor.join(1000 + serial, "nobody")
    pace = keeper.pace(GENERAL)
    assert (pace.services, pace.mean_service_seconds, pace.agents) == (REMEMBERED, 40.0, 1)
    floor.join(9000)
    floor.talk(9000, 1)
    floor.join(9001)
    assert keeper.expected(call_id(9001)) == ExpectedWait(0, 80)
    assert keeper.expected(call_id(9000)) is None
