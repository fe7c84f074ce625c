"""The last day by half-hours: each is measured from its own calls, and one that is over only once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from console.screens.half_hours import HALF, HalfHours
from ledger.measures import Aims, Outcome, outcome
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit


async def test_each_half_hour_has_its_own_calls_and_is_read_again_only_while_it_may_change() -> None:
    found = outcome(told(1))
    assert found is not None
    now = [found.entered_at + timedelta(hours=3)]
    asked: list[datetime] = []

    async def past(since: datetime, until: datetime) -> list[Outcome]:
        asked.append(since)
        assert until - since == HALF
        return [found] if since <= found.entered_at < until else []

    day = HalfHours(past, Aims(), lambda: now[0])
    rows = (await day.last_day())["rows"]
    assert len(rows) == len(asked) == 49
    (row,) = [row for row in rows if row["calls"]]
    assert row["start_ms"] <= found.entered_at.timestamp() * 1000 < row["start_ms"] + HALF.total_seconds() * 1000
    asked.clear()
    assert (await day.last_day())["rows"] == rows
    assert len(asked) <= 6
    assert min(asked) >= now[0] - timedelta(hours=3)
    now[0] += timedelta(days=1)
    assert [row for row in (await day.last_day())["rows"] if row["calls"]] == []
