"""A month of 200,000 calls: every report equals an independent count, and is made in time, on either database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from time import process_time

import psutil
import pytest
import pytest_asyncio
from openpyxl import load_workbook
from sqlalchemy import text

from database.connection import Database
from ledger.measures import Aims
from ledger.reports.model import By, Report
from ledger.reports.periods import before, month
from ledger.reports.service import Reports
from ledger.reports.workbook import workbook
from tests.load.support.month import (
    AGENTS,
    CALLS,
    CITY,
    CODES,
    FACTS,
    TARGETS,
    TRANSFERS,
    Month,
    a_month,
    call_rows,
    fact_rows,
    insert,
    transfer_rows,
)

pytestmark = [pytest.mark.load, pytest.mark.exclusive, pytest.mark.timeout(240)]

CALL_COUNT = 200_000
REPORT_SECONDS, WORKBOOK_SECONDS = 3.0, 10.0
NOVEMBER = month("2026-11", CITY)


@dataclass(frozen=True)
class Filled:
    """A database with the month and a tenth of it before, and the truth about both."""

    database: Database
    reports: Reports
    calls: Month
    calls_before: Month
    work: dict[str, dict[str, int]]


@pytest_asyncio.fixture
async def filled(database: Database, tmp_path: Path) -> AsyncIterator[Filled]:
    url = database.engine.url.render_as_string(hide_password=False)
    calls, earlier = a_month(NOVEMBER, CALL_COUNT, 12345), a_month(before(NOVEMBER), CALL_COUNT // 10, 54321)
    rows, work = fact_rows(NOVEMBER, "t-11", 1)
    for prefix, one in (("hl1-11", calls), ("hl1-10", earlier)):
        await insert(url, "calls", CALLS, list(call_rows(one, prefix)))
        await insert(url, "call_transfers", TRANSFERS, list(transfer_rows(one, prefix)))
    await insert(url, "facts", FACTS, rows)
    yield Filled(database, Reports(database, tmp_path / "journal", "hl1", Aims(15, 95, 5), CITY), calls, earlier, work)


async def test_every_report_of_a_month_equals_an_independent_count_and_is_made_in_time(filled: Filled) -> None:
    seconds: dict[str, float] = {}
    whole, whole_before = filled.calls.whole(), filled.calls_before.whole()
    for by in By:
        began = await cpu_seconds(filled.database)
        report = await filled.reports.report(NOVEMBER, by, lambda _by, _key: "")
        seconds[by] = await cpu_seconds(filled.database) - began
        assert {line.key: line.tally for line in report.lines if line.tally.calls} == filled.calls.lines(by)
        assert (report.whole.tally, report.whole_before.tally) == (whole, whole_before)
        agree_on_the_rest(report, filled)
        began = process_time()
        data = await asyncio.to_thread(workbook, report, filled.reports.aims, {})
        seconds[f"xlsx {by}"] = seconds[by] + process_time() - began
        assert load_workbook(BytesIO(data)).worksheets[0].max_row == len(report.lines) + 3
    print({name: round(value, 2) for name, value in seconds.items()})
    assert max(seconds[by] for by in By) <= REPORT_SECONDS, seconds
    assert max(seconds.values()) <= WORKBOOK_SECONDS, seconds


async def cpu_seconds(database: Database) -> float:
    """Processor time of this process and of the database's: what a report takes on an idle machine."""
    spent = process_time()
    if database.dialect == "postgresql":
        async with database.reading() as session:
            asked = text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            times = [psutil.Process(pid).cpu_times() for pid in await session.scalars(asked)]
        spent += sum(time.user + time.system for time in times)
    return spent


def agree_on_the_rest(report: Report, filled: Filled) -> None:
    calls, counted = filled.calls, filled.calls.counted
    assert report.worst_day is not None
    assert report.worst_day.rate == calls.worst_rate()
    to = {name: int((counted & (calls.target == n)).sum()) for n, name in enumerate(TARGETS)}
    assert report.transfers == to
    over = counted & (calls.by == 1) & (calls.talk >= 0)
    assert report.wrap_up_codes == {code: int((over & (calls.code == n)).sum()) for n, code in enumerate(CODES)}
    if report.by is By.AGENT:
        assert {line.key for line in report.lines} == set(AGENTS)
        for line in report.lines:
            truth = filled.work[line.key]
            assert line.work is not None
            assert line.work.talk_seconds == pytest.approx(truth["talking"] / 1000)
            assert line.work.ready_seconds == pytest.approx(truth["ready"] / 1000)
            assert line.work.pause_seconds == pytest.approx(truth["pause:rest"] / 1000)
            busy = sum(truth[state] for state in ("talking", "hold", "wrap-up", "ringing"))
            assert line.work.busy_seconds == pytest.approx(busy / 1000)
            assert line.not_answered == truth["missed"]
