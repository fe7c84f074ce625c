"""Reports against independent counts: the measures of ``ledger.measures`` over the same facts, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from database.connection import Database
from ledger.measures import AgentTime, Aims, Measures, Outcome, measures, outcome, told_apart
from ledger.measures import By as Apart
from ledger.measures import told as told_time
from ledger.model import NO_CALL, TRIAL, Fact, Kind
from ledger.reports.columns import columns
from ledger.reports.model import By, Figures, Line, Report, Tally, as_json
from ledger.reports.periods import before, days, month
from ledger.reports.service import Reports
from ledger.reports.workbook import workbook
from ledger.store import CallRow, add_facts
from telephony.model import AgentId, GroupId
from tests.unit.ledger.calls import AT, told

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")
AIMS = Aims(15, 95, 5)
NUMBERS = ("12345", "12315", "12333")
GROUPS = ("general", "market", "social-security")
AGENTS = ("1001", "1002", "1003")
MONTH = month("2026-10", CITY)


def a_month(count: int, seed: int = 12345) -> list[list[Fact]]:
    """So many calls of all kinds, most in October, some in the days before and after."""
    dice = random.Random(seed)
    calls = []
    for serial in range(count):
        facts = told(
            serial,
            dice.uniform(-12, 25) * 86400,
            prompt=dice.choice((0, 5, 5.0004)),
            wait=dice.choice((None, 0, 9.9996, 10, 10.0004, 15, 3.3, 40)),
            hold=dice.choice((1, 5, 5.0001, 7, 60)),
            talk=dice.uniform(1, 600),
            number=dice.choice(NUMBERS),
            group=dice.choice(GROUPS),
            agent=dice.choice(AGENTS),
            by=dice.choice(("agent", "agent", "agent", "subcentre", "duty-phone", "fallback")),
        )
        if dice.random() < 0.3:
            level = dice.randrange(6)
            facts.append(Fact(f"{serial:04d}-r", Kind.RATED, facts[0].call, facts[-1].at, {"key": "1", "level": level}))
        for target in dice.sample(("110", "water"), dice.choice((0, 0, 0, 1, 2))):
            data = {"id": target, "target": target, "state": "joined"}
            facts.append(Fact(f"{serial:04d}-{target}", Kind.TRANSFER, facts[0].call, facts[-1].at, data))
        calls.append(facts)
    return calls


def outcomes(calls: Iterable[list[Fact]], since: datetime, until: datetime) -> list[Outcome]:
    found = filter(None, map(outcome, calls))
    return [call for call in found if since <= call.entered_at < until]


def names(by: By, key: str) -> str:
    return {"general": "综合组", "1001": "甲"}.get(key, "")


def agree(line: Line, expected: Measures) -> None:
    figures = line.figures
    assert (line.tally.calls, line.tally.answered) == (expected.calls, expected.answered)
    assert (line.tally.abandoned, line.tally.short_abandoned) == (expected.abandoned, expected.short_abandoned)
    for name in ("connection_rate", "connection_rate_without_short", "in_time_from_ring", "in_time_from_prompt"):
        assert getattr(figures, name) == pytest.approx(getattr(expected, name)), name
    for name in ("speed_of_answer", "speed_of_answer_after_prompt", "talk_seconds"):
        assert getattr(figures, name) == pytest.approx(getattr(expected, name), abs=0.002), name


async def stored(database: Database, facts: Iterable[Fact]) -> None:
    async with database.transaction() as session:
        await add_facts(session, list(facts))


def reports(database: Database, folder: Path) -> Reports:
    return Reports(database, folder, "hl1", AIMS, CITY)


async def test_every_figure_of_a_month_is_what_the_measures_say(database: Database, tmp_path: Path) -> None:
    calls = a_month(700)
    await stored(database, (fact for call in calls for fact in call))
    inside = outcomes(calls, MONTH.since, MONTH.until)
    assert 300 < len(inside) < 700
    for by, apart in ((By.NUMBER, Apart.NUMBER), (By.GROUP, Apart.GROUP), (By.AGENT, Apart.AGENT)):
        report = await reports(database, tmp_path).report(MONTH, by, names)
        expected = told_apart(inside, [], apart, AIMS, CITY)
        assert {line.key for line in report.lines} == set(expected)
        for line in report.lines:
            agree(line, expected[line.key])
        agree(report.whole, measures(inside, AIMS))
        earlier = before(MONTH)
        agree(report.whole_before, measures(outcomes(calls, earlier.since, earlier.until), AIMS))
        assert [line.tally.calls for line in report.lines] == sorted(
            (line.tally.calls for line in report.lines), reverse=True
        )


async def test_times_of_day_and_days_add_up_to_the_whole(database: Database, tmp_path: Path) -> None:
    calls = a_month(400)
    await stored(database, (fact for call in calls for fact in call))
    inside = outcomes(calls, MONTH.since, MONTH.until)
    by_half_hour = await reports(database, tmp_path).report(MONTH, By.HALF_HOUR, names)
    expected = told_apart(inside, [], Apart.HALF_HOUR, AIMS, CITY)
    assert len(by_half_hour.lines) == 48
    for line in by_half_hour.lines:
        if line.key in expected:
            agree(line, expected[line.key])
        else:
            assert line.tally == Tally()
    by_day = await reports(database, tmp_path).report(MONTH, By.DAY, names)
    assert [line.key for line in by_day.lines] == [f"2026-10-{day:02}" for day in range(1, 32)]
    for report in (by_half_hour, by_day):
        assert Tally.total(line.tally for line in report.lines) == report.whole.tally


async def test_the_worst_24_hours_are_found_by_trying_them_all(database: Database, tmp_path: Path) -> None:
    calls = a_month(300)
    await stored(database, (fact for call in calls for fact in call))
    period = days("2026-10-09", "2026-10-14", CITY)
    report = await reports(database, tmp_path).report(period, By.DAY, names)
    tries = []
    start = period.since
    while start + timedelta(days=1) <= period.until:
        window = outcomes(calls, start, start + timedelta(days=1))
        rate = measures(window, AIMS).connection_rate
        if rate is not None:
            tries.append((rate, start))
        start += timedelta(minutes=30)
    assert report.worst_day is not None
    assert (report.worst_day.rate, report.worst_day.since) == min(tries)
    within = await reports(database, tmp_path).report(days("2026-10-12", "2026-10-12", CITY), By.DAY, names)
    assert within.worst_day is None or within.worst_day.since == within.period.since


async def test_rows_of_before_reports_are_measured_when_one_needs_them(database: Database, tmp_path: Path) -> None:
    calls = a_month(450)
    await stored(database, (fact for call in calls for fact in call))
    made = reports(database, tmp_path)
    expected = await made.report(MONTH, By.NUMBER, names)
    async with database.transaction() as session:
        await session.execute(update(CallRow).values(counts=None, answer_ms=None, held_on_ms=None, prompt_ms=None))
    seen: list[int] = []
    inside = await made.settle(MONTH, seen.append)
    assert inside == seen[-1] == len(outcomes(calls, MONTH.since, MONTH.until))
    assert await made.settle(MONTH) == 0
    assert await made.report(MONTH, By.NUMBER, names) == expected


async def test_calls_that_are_not_ours_to_answer_count_nowhere(database: Database, tmp_path: Path) -> None:
    emergency = told(1, number="110", rule="emergency.110", by="emergency")
    trial = told(2)
    trial[0] = Fact(trial[0].id, trial[0].kind, trial[0].call, trial[0].at, {**trial[0].data, "mode": TRIAL})
    await stored(database, (*emergency, *trial, *told(3)))
    report = await reports(database, tmp_path).report(MONTH, By.NUMBER, names)
    assert [(line.key, line.tally.calls) for line in report.lines] == [("12345", 1)]


async def test_agents_work_and_offers_that_nobody_took(database: Database, tmp_path: Path) -> None:
    start = AT.replace(minute=0)
    time = AgentTime(
        AgentId("1001"), start, (GroupId("general"),), {"talking": 600_000, "ready": 900_000, "wrap-up": 300_000}
    )
    facts = [
        *told(1),
        Fact("t1", Kind.AGENT_TIME, NO_CALL, start + timedelta(minutes=30), told_time(time)),
        Fact("n1", Kind.NOT_ANSWERED, told(1)[0].call, AT, {"seat": "8009", "agent": "1009", "why": "busy"}),
    ]
    await stored(database, facts)
    report = await reports(database, tmp_path).report(MONTH, By.AGENT, names)
    lines = {line.key: line for line in report.lines}
    assert lines["1001"].name == "甲"
    work = lines["1001"].work
    assert work is not None
    assert (work.talk_seconds, work.ready_seconds, work.wrap_up_seconds) == (600, 900, 300)
    assert work.occupancy == pytest.approx(0.5)
    assert (lines["1009"].not_answered, lines["1009"].tally.calls, lines["1009"].work) == (1, 0, None)


async def test_transfers_and_wrap_up_codes_are_counted_once_a_call(database: Database, tmp_path: Path) -> None:
    call = told(1)[0].call
    facts = [
        *told(1),
        *told(2),
        Fact("a", Kind.TRANSFER, call, AT, {"id": "a", "target": "110", "state": "failed"}),
        Fact("b", Kind.TRANSFER, call, AT, {"id": "b", "target": "110", "state": "joined"}),
        Fact("c", Kind.TRANSFER, call, AT, {"id": "c", "target": "water", "state": "joined"}),
        Fact("w", Kind.WRAP_UP, call, AT, {"code": "advice", "agent": "1001"}),
    ]
    await stored(database, facts)
    report = await reports(database, tmp_path).report(MONTH, By.NUMBER, names)
    assert report.transfers == {"110": 1, "water": 1}
    assert report.whole.tally.transferred == 1
    assert report.wrap_up_codes == {"": 1, "advice": 1}


async def test_the_workbook_says_what_the_report_says(database: Database, tmp_path: Path) -> None:
    calls = a_month(60)
    hostile = told(999, number="=cmd|'/c calc'!A1")
    await stored(database, (fact for call in (*calls, hostile) for fact in call))
    report = await reports(database, tmp_path).report(MONTH, By.NUMBER, names)
    book = load_workbook(BytesIO(workbook(report, AIMS, {"110": "公安"})))
    assert book.sheetnames == ["按号码", "与上期比较", "转接去向", "处理结果", "口径"]
    rows = list(book["按号码"].iter_rows(values_only=True))
    assert rows[0][0] == "2026年10月 话务报表（按号码）"
    shown = columns(By.NUMBER, AIMS)
    for line, row in zip((*report.lines, report.whole), rows[2:], strict=True):
        values = ["—" if value is None else value for value in (column.value(line) for column in shown)]
        assert list(row[2:]) == pytest.approx(values)
        assert row[0] == (line.key or None)
    formulas = [cell for page in book for cells in page.iter_rows() for cell in cells if cell.data_type == "f"]
    assert formulas == []


async def test_an_empty_period_has_no_shares_and_no_fault(database: Database, tmp_path: Path) -> None:
    report = await reports(database, tmp_path).report(MONTH, By.NUMBER, names)
    assert report.lines == ()
    assert report.whole.figures == Figures(*(None,) * len(Figures.__dataclass_fields__))
    assert report.worst_day is None
    assert as_json(report)["whole"]["calls"] == 0
    assert workbook(report, AIMS, {})


def test_a_report_is_plain_data() -> None:
    line = Line("", "合计", Tally())
    report = Report(MONTH, before(MONTH), By.DAY, (line,), line, line, None)
    assert as_json(report)["since"] == "2026-10-01T00:00:00+08:00"
    assert MONTH.until == datetime(2026, 10, 31, 16, tzinfo=UTC)
