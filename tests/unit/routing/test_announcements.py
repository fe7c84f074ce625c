"""Announcements: who hears which, to the exact moment, and never before an emergency centre."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ivr.prompts.catalogue import catalogue
from routing.calendar import CITY
from routing.model import Announcement, CallFacts, Snapshot, Table
from routing.rules import decide
from routing.sample_table import sample_table
from routing.simulate import matrix
from routing.snapshot import freeze, from_json, to_json
from telephony.model import EMERGENCY_NUMBERS, GroupId

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
FROM, TO = datetime(2026, 11, 23, 8, tzinfo=CITY), datetime(2026, 11, 23, 18, tzinfo=CITY)
INSTANT = timedelta(microseconds=1)
ROW = Announcement("typhoon", "受台风影响。", FROM, TO)


def frozen(*rows: Announcement) -> Snapshot:
    table: Table = replace(SAMPLE, announcements=rows)
    return freeze(table, 1, datetime(2026, 1, 1, tzinfo=UTC))


def heard(number: str, at: datetime, *rows: Announcement) -> tuple[str, ...]:
    return decide(CallFacts(number), frozen(*rows), at).prompts


@pytest.mark.parametrize(
    ("at", "said"),
    [(FROM - INSTANT, False), (FROM, True), (TO - INSTANT, True), (TO, False), (FROM.astimezone(UTC), True)],
)
def test_it_is_played_after_the_greeting_from_its_first_moment_up_to_its_last(at: datetime, said: bool) -> None:
    assert heard("12345", at, ROW) == ("greeting-12345", *(["announcement-typhoon"] if said else []))
    decision = decide(CallFacts("12345"), frozen(ROW), at)
    assert ("公告：受台风影响。" in decision.trace) is said


@pytest.mark.parametrize(
    ("changes", "hearing"),
    [
        ({}, {"12345", "12333", "99999"}),
        ({"groups": (GroupId("social-security"),)}, {"12333"}),
        ({"numbers": ("12345",)}, {"12345"}),
        ({"numbers": ("12345",), "groups": (GroupId("social-security"),)}, set()),
        ({"since": None}, {"12345", "12333", "99999"}),
        ({"since": None, "until": None}, set()),
    ],
)
def test_it_is_for_its_groups_and_numbers_and_one_without_times_is_only_kept_ready(
    changes: dict[str, object], hearing: set[str]
) -> None:
    row = replace(ROW, **changes)  # type: ignore[arg-type]
    told = {number for number in ("12345", "12333", "99999") if "announcement-typhoon" in heard(number, FROM, row)}
    assert told == hearing


@pytest.mark.parametrize("number", EMERGENCY_NUMBERS)
def test_nobody_hears_one_before_an_emergency_centre(number: str) -> None:
    assert heard(number, FROM, ROW) == ()


def test_every_row_is_spoken_ahead_and_comes_back_from_disk() -> None:
    table = frozen(ROW, Announcement("spare", "备用。"))
    prompts = catalogue(table, "揭阳")
    assert prompts["announcement-spare"].text == "备用。"
    assert from_json(to_json(table)) == table


def test_the_matrix_of_a_week_shows_when_it_is_played() -> None:
    week = matrix(frozen(ROW), FROM.replace(hour=0), ("12345",))
    said = [slot for slot in range(7 * 48) if "announcement-typhoon" in week.at(0, 0, slot).prompts]
    assert said == list(range(16, 36))
