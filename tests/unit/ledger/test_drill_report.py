"""Drills folded from their facts, the month's report, who is overdue; and that a drill is no call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import permutations
from typing import Any

import pytest
from openpyxl import load_workbook

from ledger.drill_report import Drill, DrillAttempt, as_json, drills, month_before, month_of, overdue, report
from ledger.drill_workbook import HEADS, rows, workbook
from ledger.measures import outcome
from ledger.model import Fact, Kind, drill_line
from ledger.records import fold
from routing.calendar import CITY

pytestmark = pytest.mark.unit

NOV = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TRUNKS = {"110": ["drill-110", "drill-110-b"], "119": ["drill-119"], "120": []}


def facts(drill: str, target: str, at: datetime, *told: dict[str, Any]) -> list[Fact]:
    line = drill_line("hl1")
    return [
        Fact(f"{drill}-{n}", Kind.DRILL, line, at + timedelta(milliseconds=n), {"drill": drill, "target": target} | one)
        for n, one in enumerate(told)
    ]


BACKUP = facts(
    "hl1-1795351322.1", "110", NOV,
    {"state": "asked", "seat": "8001", "agent": "1001"},
    {"state": "dialling", "trunk": "drill-110", "ms": 8},
    {"state": "invited", "trunk": "drill-110", "ms": 12},
    {"state": "missed", "trunk": "drill-110", "status": "BUSY", "cause": "17", "ms": 40},
    {"state": "invited", "trunk": "drill-110-b", "ms": 45},
    {"state": "answered", "trunk": "drill-110-b", "ms": 1045},
    {"state": "ended", "ms": 9000},
    {"state": "left", "trunk": "drill-110-b", "received": 400},
)  # fmt: skip


def good(target: str, at: datetime) -> Drill:
    return Drill(f"hl1-{at:%s}.1", target, at, tries=(DrillAttempt(f"drill-{target}", 10, 500),), ended=True)


def test_a_drill_tells_who_what_which_trunk_and_how_long_in_any_order_of_its_facts() -> None:
    (drill,) = drills(BACKUP)
    assert (drill.seat, drill.agent, drill.at, drill.ended) == ("8001", "1001", NOV, True)
    assert drill.tries == (DrillAttempt("drill-110", 12, None, "BUSY"), DrillAttempt("drill-110-b", 45, 1045, "", 400))
    assert (drill.success, drill.backup_used, drill.heard) == (True, True, True)
    assert drill.key_to_invite_ms == 12
    assert drill.reached is not None
    assert drill.reached.answer_ms == 1000
    assert all(drills(order) == [drill] for order in permutations(BACKUP, len(BACKUP)) if order[0] is BACKUP[-1])


def test_a_trunk_that_answered_and_dropped_the_call_was_not_reached() -> None:
    told = [*BACKUP[:7]]
    told += facts(
        "hl1-1795351322.1", "110", NOV + timedelta(seconds=2),
        {"state": "missed", "trunk": "drill-110-b", "status": "CONGESTION"}, {"state": "failed"},
    )  # fmt: skip
    (drill,) = drills([*told[:7], *told[7:]])
    assert (drill.success, drill.heard, drill.backup_used) == (False, None, False)


def test_a_drill_is_no_call_and_counts_in_no_measure() -> None:
    assert fold(BACKUP) is None
    assert outcome(BACKUP) is None


def test_the_months_report_names_each_trunk_and_who_was_not_drilled() -> None:
    held = [*drills(BACKUP), good("119", datetime(2026, 10, 31, 15, 59, tzinfo=UTC))]
    told = report("2026-11", held, TRUNKS, CITY)
    assert told.missing == ("119", "120")
    first, second, fire = told.lines
    assert (first.tries, first.reached, first.last_missed, first.key_to_invite_ms) == (1, 0, "BUSY", 12)
    assert (second.tries, second.reached, second.key_to_invite_ms, second.invite_to_answer_ms) == (1, 1, None, 1000)
    assert (fire.tries, fire.last_at) == (0, None)
    assert [row[:2] for row in rows(told, CITY)][-1] == ("120", "没有演练线路")
    assert as_json(told)["drills"][0]["failures"] == [{"trunk": "drill-110", "why": "BUSY"}]
    # One minute later it is November in the city.
    assert report("2026-11", [good("119", datetime(2026, 10, 31, 16, 0, tzinfo=UTC))], TRUNKS, CITY).missing == (
        "110", "120",
    )  # fmt: skip


def test_the_workbook_has_the_month_and_every_drill_on_pages_that_print() -> None:
    book = load_workbook(BytesIO(workbook(report("2026-11", drills(BACKUP), TRUNKS, CITY), CITY)))
    month, each = book
    assert tuple(cell.value for cell in month[2]) == HEADS
    assert month.page_setup.orientation == "landscape"
    assert "drill-110 占线" in [cell.value for cell in each[3]]


def test_a_name_that_looks_like_a_formula_is_text_in_the_workbook() -> None:
    (drill,) = drills(BACKUP)
    told = report("2026-11", [replace(drill, by='=HYPERLINK("x")')], TRUNKS, CITY)
    book = load_workbook(BytesIO(workbook(told, CITY)))
    (cell,) = [cell for cell in book["演练明细"][3] if "HYPERLINK" in str(cell.value)]
    assert cell.data_type == "s"


def test_a_month_without_a_drill_is_told_and_one_before_the_hotline_was_there_is_not() -> None:
    began = datetime(2026, 8, 3, tzinfo=UTC)
    now = datetime(2026, 11, 5, tzinfo=UTC)
    held = [good("110", datetime(2026, 10, 2, tzinfo=UTC)), good("119", datetime(2026, 9, 30, 15, 0, tzinfo=UTC))]
    held += [good("122", datetime(2026, 11, 1, tzinfo=UTC))]
    failed = Drill(
        "hl1-1795351322.9", "120", datetime(2026, 10, 9, tzinfo=UTC), tries=(DrillAttempt("t", 10, missed="BUSY"),)
    )
    assert overdue([*held, failed], ("110", "119", "120", "122"), began, now, CITY) == ["119", "120"]
    assert overdue([], ("110",), datetime(2026, 10, 2, tzinfo=UTC), now, CITY) == []
    assert overdue([], ("110",), None, now, CITY) == []
    assert overdue([], ("110",), began, datetime(2027, 1, 2, tzinfo=UTC), CITY) == ["110"]
    assert (month_before("2027-01"), month_before("2026-11")) == ("2026-12", "2026-10")
    assert month_of(datetime(2026, 12, 31, 16, 0, tzinfo=UTC), CITY) == "2027-01"
