"""Complete calls at a rate: nobody is lost, and the ledger tells each call once. Times are `make bench`'s business."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import run
from bench.seat_floor import floor
from bench.systems_under_test import Name, Side, staffed
from tests.support.product import product

pytestmark = [pytest.mark.load, pytest.mark.timeout(300)]

SEATS, RATE, SECONDS = 60, 10, 15


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hll-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_complete_calls_at_a_rate_lose_nobody(home: Path) -> None:
    async with product(home, edit=floor(SEATS)) as running:
        side = Side(Name.PRODUCT, running)
        async with staffed(side) as seats:
            found = await run(side, seats, RATE, SECONDS)
        assert (found.calls, found.lost, found.told) == (RATE * SECONDS, 0, RATE * SECONDS)
        calls = await running.calls()
        assert len({record.call for record in calls}) == len(calls) == RATE * SECONDS
        assert {record.answered_by for record in calls} == {"agent"}
        assert {record.source for record in calls} == {"engine"}
