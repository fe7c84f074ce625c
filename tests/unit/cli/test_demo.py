"""The demo's choices and its verdicts: who may be used, and what counts as heard."""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.commands.demo import data, report
from cli.demo.call import DemoRefused, Outcome, choose_agent, choose_seat
from cli.demo.checks import Check, Heard, checks
from config.settings import Settings
from ledger.model import Fact, Kind
from ledger.records import fold
from routing.model import CallFacts, Decision, Target, TargetKind
from routing.rules import decide
from tests.support.engine_harness import TABLE, call_id

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
DECISION = decide(CallFacts("12333"), TABLE, AT)
RATE = 8000


def tone(hz: float, seconds: float = 1.0) -> array[int]:
    return array("h", (round(9000 * math.sin(2 * math.pi * hz * n / RATE)) for n in range(round(RATE * seconds))))


def voice(seed: int, seconds: float = 2.0) -> array[int]:
    """Something that correlates with itself alone."""
    spoken = random.Random(seed)
    return array("h", (round(spoken.uniform(-9000, 9000)) for _ in range(round(RATE * seconds))))


PROMPTS = {"legacy-12333-during": voice(1), "greeting-12345": voice(2), "rating-ask": voice(3)}
NOTHING: array[int] = array("h")


def story(*, level: int = 5, seat: str = "8001", rule: str = DECISION.rule) -> list[Fact]:
    told: list[tuple[Kind, dict[str, Any]]] = [
        (Kind.ENTERED, {"number": "12333", "caller": "13800001234", "rule": rule}),
        (Kind.ANSWERED, {"seat": seat, "agent": "1001", "by": "agent", "waited_ms": 7300}),
        (Kind.RATING_ASKED, {}),
        (Kind.RATED, {"key": str(level), "level": level}),
        (Kind.ENDED, {"cause": "16", "by": "system"}),
    ]
    return [Fact(f"{number:026}", kind, call_id(1), AT, data) for number, (kind, data) in enumerate(told)]


HEARD = Heard(
    before=PROMPTS["legacy-12333-during"],
    talking=tone(880),
    after=PROMPTS["rating-ask"],
    by_answerer=tone(440),
    recorded={"caller": tone(440), "agent": tone(880)},
)


def judge(
    heard: Heard = HEARD, facts: list[Fact] | None = None, decision: Decision = DECISION, key: str = "5"
) -> dict[str, Check]:
    facts = story() if facts is None else facts
    found = checks(
        decision, heard, PROMPTS, {}, fold(facts), facts, "座席1001", "8001", key, citizen_hz=440, answerer_hz=880
    )
    return {check.name: check for check in found}


def test_a_call_as_it_should_be() -> None:
    found = judge()
    assert [check.text for check in found.values() if not check.ok] == []
    assert list(found) == ["routed", "prompt", "answered", "citizen-heard", "answerer-heard", "recorded-caller",
                           "recorded-agent", "rating-asked", "rated"]  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "failed"),
    [
        (replace(HEARD, before=PROMPTS["greeting-12345"]), "prompt"),
        (replace(HEARD, before=NOTHING), "prompt"),
        (replace(HEARD, talking=NOTHING), "citizen-heard"),
        (replace(HEARD, talking=tone(440)), "citizen-heard"),
        (replace(HEARD, by_answerer=tone(880)), "answerer-heard"),
        (replace(HEARD, by_answerer=array("h", bytes(2 * RATE))), "answerer-heard"),
        (replace(HEARD, recorded={"agent": tone(880)}), "recorded-caller"),
        (replace(HEARD, recorded={"caller": tone(440), "agent": tone(440)}), "recorded-agent"),
        (replace(HEARD, after=NOTHING), "rating-asked"),
    ],
)
def test_what_was_not_heard_is_named_with_where_to_look(heard: Heard, failed: str) -> None:
    wrong = [check for check in judge(heard).values() if not check.ok]
    assert [check.name for check in wrong] == [failed]
    assert wrong[0].look


@pytest.mark.parametrize(
    ("facts", "failed"),
    [
        (story(rule="unknown"), {"routed"}),
        (story(rule=""), {"routed"}),
        (story(seat="8005"), {"answered"}),
        (story(level=3), {"rated"}),
        (story()[:1], {"answered", "rating-asked", "rated"}),
        ([], {"routed", "answered", "rating-asked", "rated"}),
    ],
)
def test_what_the_ledger_does_not_say_is_named(facts: list[Fact], failed: set[str]) -> None:
    assert {name for name, check in judge(facts=facts).items() if not check.ok} == failed


def test_no_key_no_rating() -> None:
    assert not judge(key="")["rated"].ok


def test_an_emergency_call_has_no_prompt_and_no_rating() -> None:
    decision = decide(CallFacts("110"), TABLE, AT)
    assert decision.target == Target(TargetKind.EMERGENCY, "110")
    found = judge(replace(HEARD, before=tone(425)), story(rule="emergency"), decision, "")
    assert [check.name for check in found.values() if not check.ok] == []
    assert "rated" not in found
    assert not judge(HEARD, story(rule="emergency"), decision, "")["prompt"].ok, "a prompt before an emergency centre"


def test_the_report_tells_the_story_the_measures_and_the_verdict() -> None:
    facts = story()
    good = Outcome("12333", "13800001234", DECISION, tuple(judge().values()), fold(facts), tuple(facts), "")
    assert good.ok
    text = "\n".join(report(good, Settings()))
    assert "138****1234" in text
    assert "13800001234" not in text
    assert text.endswith("结果：一切正常")
    assert data(good)["ok"] is True
    bad = replace(good, checks=tuple(judge(replace(HEARD, talking=NOTHING)).values()), trouble="通话中断")
    assert not bad.ok
    text = "\n".join(report(bad, Settings()))
    assert "有 1 项不正常；通话中断" in text
    assert "请查看：" in text
    assert "DATA_DIR" not in text
    assert report(replace(bad, record=None, facts=()), Settings())


def test_a_call_that_broke_off_is_not_as_it_should_be() -> None:
    assert not Outcome("12333", "", DECISION, (), None, (), "通话中断").ok


def agents(**states: str) -> list[dict[str, Any]]:
    return [
        {"agent": agent.id, "groups": list(agent.groups), "seat": "8009" if state else None,
         "state": state or "signed-out"}
        for agent in TABLE.agents.values()
        for state in [states.get(f"a{agent.id}", "")]
    ]  # fmt: skip


def test_an_agent_of_the_group_who_is_signed_out() -> None:
    assert choose_agent(DECISION, agents(), "") == "1001"
    assert choose_agent(DECISION, agents(a1001="ready"), "") == "1002"
    assert choose_agent(DECISION, agents(), "1002") == "1002"


@pytest.mark.parametrize(
    ("wanted", "states", "sentence"),
    [
        ("7777", {}, "没有工号 7777"),
        ("1001", {"a1001": "talking"}, "已在话机 8009 签入"),
        ("", {f"a{agent}": "paused" for agent in TABLE.agents}, "都已签入"),
    ],
)
def test_who_cannot_be_used_is_told_and_who_can(wanted: str, states: dict[str, str], sentence: str) -> None:
    with pytest.raises(DemoRefused, match=sentence):
        choose_agent(DECISION, agents(**states), wanted)


def test_an_agent_of_another_group_could_not_be_reached() -> None:
    only = replace(DECISION, overflow=())
    outsider = next(agent.id for agent in TABLE.agents.values() if only.group not in agent.groups)
    with pytest.raises(DemoRefused, match="不在技能组"):
        choose_agent(only, agents(), outsider)


def test_a_seat_that_nobody_uses() -> None:
    rows: list[dict[str, Any]] = [
        {"seat": "8001", "agent": "1001", "reachable": False},
        {"seat": "8002", "agent": None, "reachable": True},
        {"seat": "8003", "agent": None, "reachable": False},
    ]
    assert choose_seat(rows, dict.fromkeys(("8001", "8002", "8003"), "x")) == "8003"
    with pytest.raises(DemoRefused, match="空闲的话机"):
        choose_seat(rows, dict.fromkeys(("8001", "8002"), "x"))
