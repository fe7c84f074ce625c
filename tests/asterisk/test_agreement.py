"""The simulation against a real floor: the same calls, served at the same moments. bench.agreement at a small size."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.agreement import measure
from bench.agreement_report import NEAR_SHARE, Plan
from bench.floor import floor
from bench.instance import product

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(120)]

SMALL = Plan(calls=40, seats=3, talk=0.8, load=0.9, in_time=0.5)


async def test_a_real_floor_agrees_with_the_simulation_of_the_same_arrivals(home: Path) -> None:
    """Forty callers are far too few for the figures; but each of them waits as long as the simulation says."""
    async with product(home, edit=floor(SMALL.seats)) as running:
        found = await measure(SMALL, running)
    assert found.lost == 0
    assert found.real["wait_share"] > 0.2, "a floor where nobody waits shows nothing"
    assert found.near >= NEAR_SHARE, found
    assert abs(found.real["wait_share"] - found.same_calls["wait_share"]) <= 0.05
