"""Reveals and searches: a brake per user, reasons that are reasons, and a trace of what was searched."""

from __future__ import annotations

import pytest

from console.access.personal_data_limit import Brake, Limits
from tests.support.engine_harness import call_id
from tests.support.web_harness import NUMBER, Hall, program
from users.model import Right

pytestmark = pytest.mark.unit

REVEAL = f"/api/calls/{call_id(1)}/reveal"
LOOK = f"/api/recordings/{call_id(1)}/look"


@pytest.mark.parametrize("reason", [".", "..", "x", "aaaa", "1111", "哈哈哈", "。。。。", "1", "- -", "abc", ""])
async def test_a_reason_is_words(hall: Hall, reason: str) -> None:
    boss = await hall.session("supervisor")
    for path in (REVEAL, LOOK):
        assert (await hall.ask("POST", path, {"reason": reason}, token=boss)).status == 400
    assert hall.brake.bitten() == []


async def test_two_hundred_numbers_in_three_seconds_are_ten_and_an_entry(hall: Hall) -> None:
    hall.brake.looks = Limits(10, 300)
    boss = await hall.session("supervisor")
    answers = [await hall.ask("POST", REVEAL, {"reason": "市民来电核对"}, token=boss) for _ in range(40)]
    told = [one.status for one in answers]
    assert told.count(200) in (10, 20), "one minute, or two"
    assert answers[-1].status == 429
    assert "一分钟最多 10 次" in answers[-1].body["error"]
    assert int(answers[-1].headers["Retry-After"]) <= 60
    auditor = await hall.session("auditor")
    entries = (await hall.ask("GET", "/api/audit?action=look.brake", token=auditor)).body["entries"]
    assert len(entries) in (1, 2), "not one for each"
    assert hall.brake.bitten() == ["张三（supervisor） 看号码、听录音"]
    assert (await hall.ask("POST", LOOK, {"reason": "质量抽查"}, token=auditor)).status == 200, "others go on"


async def test_a_masked_number_is_not_guessed_by_searching(hall: Hall) -> None:
    hall.brake.searches = Limits(20, 50)
    reader = await program(hall, Right.CALLS_READ)
    told = [
        (await hall.ask("POST", "/api/calls/search", {"caller": f"138{number:04d}8000"}, program=reader)).status
        for number in range(60)
    ]
    assert told.count(200) <= 40
    assert told[-1] == 429
    auditor = await hall.session("auditor")
    entries = (await hall.ask("GET", "/api/audit?action=look.caller", token=auditor)).body["entries"]
    hashes = [one["detail"]["searched"] for one in entries]
    assert len(set(hashes)) == len(hashes)
    assert hashes[0] == hall.people.accounts.seal.keyed("13800008000"), "whoever has the key finds who searched it"
    assert NUMBER not in str(entries)


def test_a_day_is_counted_apart_from_a_minute() -> None:
    now = 0.0
    brake = Brake(Limits(2, 3), Limits(1, 1), clock=lambda: now)
    assert [brake.stop("look", "a") is None for _ in range(3)] == [True, True, False]
    assert brake.stop("look", "b") is None
    assert brake.stop("search", "a") is None
    now = 61.0
    bite = brake.stop("look", "a")
    assert bite is not None
    assert "一天最多 3 次" in bite.text
    now = 24 * 3600.0
    assert brake.stop("look", "a") is None
    now = 3 * 24 * 3600.0
    assert brake.bitten() == []
