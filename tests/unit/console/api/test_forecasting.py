"""Figures for charts: what so many seats would do, and refusals that say what would be right."""

from __future__ import annotations

import pytest

from queues.forecasting.staffing import Target, seats_for
from tests.support.web_harness import Hall

pytestmark = pytest.mark.unit

ASKED = "/api/staffing?calls=120&talk=180&wrap_up=20"


async def test_a_floor_is_staffed_as_the_command_says(hall: Hall) -> None:
    token = await hall.session("supervisor")
    told = (await hall.ask("GET", ASKED, token=token)).body
    enough = seats_for(120 * 200 / 3600, 200, Target())
    assert told["enough"] == told["seats"] == enough
    levels = {row["seats"]: row["service_level"] for row in told["rows"]}
    assert levels[enough] >= told["aim"]["share"] > levels[enough - 1]
    assert told["rows"][0]["answer_seconds"] is None, "a line that only grows"


async def test_a_question_about_fewer_seats_and_patience_shows_both_and_is_bounded(hall: Hall) -> None:
    token = await hall.session("auditor")
    told = (await hall.ask("GET", f"{ASKED}&seats=500&patience=60", token=token)).body
    shown = [row["seats"] for row in told["rows"]]
    assert told["seats"] == 500
    assert shown[0] < told["enough"] < 500 < shown[-1]
    assert len(shown) <= 50
    assert told["rows"][0]["abandon_share"] > 0


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("calls=x&talk=180&wrap_up=0", "每小时来电数"),
        ("calls=nan&talk=180&wrap_up=0", "每小时来电数"),
        ("calls=9999999&talk=180&wrap_up=0", "5000"),
        ("calls=10&talk=0&wrap_up=0", "平均通话秒数"),
        ("calls=10&talk=180&wrap_up=0&seats=0", "座席数"),
        ("calls=10&talk=180&wrap_up=0&patience=-1", "市民耐心"),
    ],
)
async def test_nonsense_is_refused_in_words(hall: Hall, query: str, words: str) -> None:
    answer = await hall.ask("GET", f"/api/staffing?{query}", token=await hall.session("supervisor"))
    assert (answer.status, words in answer.body["error"]) == (400, True)


async def test_the_half_hours_are_the_ledger_s(hall: Hall) -> None:
    answer = await hall.ask("GET", "/api/measures/half-hours", token=await hall.session("supervisor"))
    assert answer.body == {"aims": {}, "rows": []}
