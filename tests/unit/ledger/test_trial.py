"""A test call counts nowhere and is told turning point by turning point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger.live import Live
from ledger.measures import Aims, outcome
from ledger.model import TRIAL, Fact, Kind
from ledger.records import fold
from ledger.story import tell
from ledger.trial import Came, points
from tests.unit.ledger.calls import AT, told

pytestmark = pytest.mark.unit

TEXTS = {"greeting-12345": "您好，这里是12345"}
STAFF = "没有人签入"


def trial(*given: Any, **more: Any) -> list[Fact]:
    facts = told(*given, **more)
    return [replace(one, data={**one.data, "mode": TRIAL}) if one.kind is Kind.ENTERED else one for one in facts]


def also(facts: Sequence[Fact], kind: Kind, seconds: float, **data: Any) -> list[Fact]:
    return [*facts, Fact(f"x-{kind}", kind, facts[0].call, AT + timedelta(seconds=seconds), data)]


def came(facts: Sequence[Fact]) -> dict[str, Came]:
    return {one.name: one.came for one in points(facts, STAFF, TEXTS)}


def test_a_test_call_is_in_the_ledger_and_in_no_measure() -> None:
    record = fold(trial(1))
    assert record is not None
    assert (record.mode, record.agent) == (TRIAL, "1001")
    assert outcome(trial(1)) is None
    assert outcome(told(1)) is not None


@pytest.mark.parametrize("wait", [3, None])
def test_the_live_counters_do_not_count_a_test_call_answered_or_not(wait: float | None) -> None:
    live = Live(Aims(15, 95, 5), 0)
    for fact in trial(1, wait=wait):
        live.hear(fact.kind, fact.call, fact.data, round(fact.at.timestamp() * 1000))
    assert (live.since_start.calls, sum(live.waits)) == (0, 0)


def test_its_story_says_that_it_is_a_test() -> None:
    assert "管理员试打，不计入指标" in str(tell(trial(1))[0])


def test_each_turning_point_of_an_answered_test_call_is_told() -> None:
    facts = also(trial(1), Kind.PROMPTED, 0.1, prompts=["greeting-12345"])
    found = points(also(facts, Kind.RECORDING, 7, file="x"), STAFF, TEXTS)
    assert [one.came for one in found] == [Came.DONE] * 5
    text = "\n".join(one.text for one in found)
    for words in ("第 1 版", "“您好，这里是12345”", "工号 1001 接听，从来电起 8.0 秒", "已录音", "通话结束"):
        assert words in text


def test_when_nobody_answers_it_says_why() -> None:
    facts = also(trial(1, wait=None), Kind.PROMPTED, 0.1, prompts=["greeting-12345"])
    (answered,) = (one for one in points(facts, STAFF, TEXTS) if one.name == "answered")
    assert (answered.came, answered.text) == (Came.FAULT, "没有人接听：没有人签入")


def test_while_it_goes_on_what_has_not_come_is_open() -> None:
    facts = [one for one in trial(1, wait=None) if one.kind is not Kind.ENDED]
    assert came(facts) == {"arrived": Came.DONE, "greeted": Came.OPEN, "answered": Came.OPEN, "ended": Came.OPEN}


def test_a_phone_that_rang_in_vain_is_told() -> None:
    facts = also(trial(1), Kind.NOT_ANSWERED, 4, seat="8003", agent="1003", why="no-answer")
    (missed,) = (one for one in points(facts, STAFF, TEXTS) if one.name == "missed")
    assert "话机 8003" in missed.text


def test_without_the_engine_at_its_entry_it_says_so() -> None:
    facts = [one for one in trial(1) if one.kind is not Kind.ENTERED]
    assert came(facts)["arrived"] is Came.FAULT


def test_nothing_is_told_of_no_call() -> None:
    assert points([], STAFF, TEXTS) == []
