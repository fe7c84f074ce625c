"""A day on which a group does not answer: planned ahead in the table, decided by the city's calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from routing.closed_groups import on_this_day
from routing.faults import Severity
from routing.lint import lint
from routing.model import CallFacts, Table
from routing.rules import decide
from routing.sample_table import sample_table
from routing.snapshot import freeze

pytestmark = pytest.mark.unit

DAY = date(2026, 12, 15)
NOON = datetime(2026, 12, 15, 4, tzinfo=UTC)
"""12:00 of that day in the city."""


def closing(group: str, *days: date) -> Table:
    table = sample_table()
    return replace(
        table, groups=tuple(replace(row, closed_days=days) if row.id == group else row for row in table.groups)
    )


@pytest.mark.parametrize(
    ("at", "group"),
    [
        (NOON, "general"),
        (datetime(2026, 12, 14, 15, 59, tzinfo=UTC), "social-security"),
        (datetime(2026, 12, 14, 16, 0, tzinfo=UTC), "general"),
        (datetime(2026, 12, 15, 16, 0, tzinfo=UTC), "social-security"),
    ],
)
def test_on_that_day_of_the_citys_the_hotlines_group_answers(at: datetime, group: str) -> None:
    table = freeze(closing("social-security", DAY), 1, NOON)
    assert decide(CallFacts("12333"), table, at).group == group


def test_it_says_so_by_names_and_nobody_widens_into_it() -> None:
    decision = decide(CallFacts("12333"), freeze(closing("social-security", DAY), 1, NOON), NOON)
    assert decision.reason.endswith("“社会保障”组 2026-12-15 不接听，转“综合受理”组")
    assert "social-security" not in {group for _, group in decision.overflow}


def test_another_group_is_as_it_was() -> None:
    table = freeze(closing("market", DAY), 1, NOON)
    decision = decide(CallFacts("12333"), table, NOON)
    assert on_this_day(decision, table, DAY) is decision


def test_the_group_that_answers_for_all_has_no_closed_day() -> None:
    faults = [fault for fault in lint(closing("general", DAY)) if fault.path == "groups.general.closed_days"]
    assert [fault.severity for fault in faults] == [Severity.ERROR]
