"""The simulation against a real floor: the same calls, served at the same moments. bench.simulation_accuracy at a small
size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.seat_floor import floor
from bench.simulation_accuracy import measure
from bench.simulation_accuracy_report import NEAR_SHARE, Plan
from tests.support.product import product

pytestmark = [pytest.mark.asterisk, pytest.mark.exclusive, pytest.mark.timeout(300)]

SMALL = Plan(calls=40, seats=3, talk=0.8, load=0.9, in_time=0.5)


async def test_a_real_floor_agrees_with_the_simulation_of_the_same_arrivals(home: Path) -> None:
    """Forty callers are far too few for the figures; but each of them waits as long as the simulation says."""
    async with product(home, edit=floor(SMALL.seats)) as running:
        found = await measure(SMALL, running)
        live = (await running.ask("/api/live"))["day"]
        status, told = await running.hotline("measures", "--json")
    assert found.lost == 0
    assert (live["calls"], live["answered"]) == (SMALL.calls, SMALL.calls)
    assert status == 0
    measured = json.loads(told)["all"]
    assert {name: round(value, 4) for name, value in measured.items() if name.startswith("in_time")} == {
        name: value for name, value in live.items() if name.startswith("in_time")
    }
    assert found.real["wait_share"] > 0.2, "a floor where nobody waits shows nothing"
    assert found.near >= NEAR_SHARE, found
    assert abs(found.real["wait_share"] - found.same_calls["wait_share"]) <= 0.05
