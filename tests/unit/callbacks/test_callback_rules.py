from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks import rules
from callbacks.model import CLOSED, Callback, CallbackState, CallFailure
from callbacks.serialisation import callback_of, fold, to_data
from telephony.model import CALL_ID, EMERGENCY_NUMBERS, CallId
from telephony.subscribers import callable_number

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def callback(**more: Any) -> Callback:
    told: dict[str, Any] = {
        "id": CallId("hl1-1700000000.12"), "number": "13600000001", "line": "12333", "group": "general",
        "overflow": "", "priority": 0, "since_ms": 1_700_000_000_000, "promised_at": NOW,
    }  # fmt: skip
    return Callback(**(told | more))


@pytest.mark.parametrize(
    ("told", "dialled"),
    [
        ("13800001234", "13800001234"),
        ("+8613800001234", "13800001234"),
        ("008613800001234", "13800001234"),
        ("+866638765432", "06638765432"),
        ("013800001234", "013800001234"),
        ("8765432", "8765432"),
        ("06638765432", "06638765432"),
        ("02087654321", "02087654321"),
        ("01087654321", "01087654321"),
    ],
)
def test_numbers_of_subscribers_are_called(told: str, dialled: str) -> None:
    assert callable_number(told) == dialled


@pytest.mark.parametrize(
    "told",
    [
        "", "110", "119", "120", "122", "0663110", "+86110", "12345", "066312345", "10086", "95588", "96123",
        "16812345",
        "1680012345", "8008101234", "4008101234", "0085212345678", "+85212345678", "+12125551234", "12800001234",
        "1380000123", "138000012345", "0663110110", "*110", "13800001234#",
    ],
)  # fmt: skip
def test_emergency_short_premium_and_foreign_numbers_are_never_called(told: str) -> None:
    assert callable_number(told) == ""


@given(st.text("0123456789+", max_size=20))
def test_no_text_leads_to_an_emergency_number(told: str) -> None:
    number = callable_number(told)
    assert number == "" or (len(number) >= 7 and number.isdigit())
    assert not any(number in (code, f"0663{code}") for code in EMERGENCY_NUMBERS)


def test_pauses_double_and_the_last_attempt_is_the_last() -> None:
    one = rules.failed(rules.dialled(callback()), CallFailure.BUSY, NOW, attempts=3, retry_minutes=15)
    assert (one.state, one.not_before) == (CallbackState.WAITING, NOW + timedelta(minutes=15))
    two = rules.failed(rules.dialled(one), CallFailure.NO_ANSWER, NOW, attempts=3, retry_minutes=15)
    assert (two.state, two.not_before) == (CallbackState.WAITING, NOW + timedelta(minutes=30))
    three = rules.failed(rules.dialled(two), CallFailure.BUSY, NOW, attempts=3, retry_minutes=15)
    assert (three.state, three.closed_at, three.why) == (CallbackState.FAILED, NOW, "busy")


def test_it_is_due_in_its_hours_and_after_its_pause() -> None:
    waiting = callback(not_before=NOW + timedelta(minutes=1))
    assert not rules.due(waiting, NOW, hours_open=True)
    assert rules.due(waiting, NOW + timedelta(minutes=1), hours_open=True)
    assert not rules.due(waiting, NOW + timedelta(minutes=1), hours_open=False)
    assert not rules.due(rules.dialled(callback()), NOW, hours_open=True)


def test_every_attempt_is_a_call_of_its_own_that_engine_and_switch_agree_on() -> None:
    waiting = callback()
    dialled = rules.dialled(waiting)
    assert waiting.call == dialled.call == rules.reached(dialled).call == "hl1-1700000000.9000000121"
    again = rules.failed(dialled, CallFailure.BUSY, NOW, attempts=3, retry_minutes=1)
    assert again.call == "hl1-1700000000.9000000122"
    assert CALL_ID.fullmatch(waiting.call)
    assert rules.not_dialled(dialled).call == waiting.call


STEPS: dict[str, Callable[[Callback], Callback]] = {
    "ring-agent": lambda one: rules.agent_rung(one, "1001"),
    "agent-misses": lambda one: rules.agent_missed(one, "busy"),
    "dial": rules.dialled,
    "undo": rules.not_dialled,
    "fail": lambda one: rules.failed(one, CallFailure.BUSY, NOW, attempts=3, retry_minutes=1),
    "answer": rules.reached,
    "talk": lambda one: rules.completed(one, NOW),
    "leave": lambda one: rules.abandoned(one, NOW),
    "withdraw": lambda one: rules.cancelled(one, "served", NOW),
}


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=30))
def test_whatever_happens_nobody_is_dialled_again_after_an_answer(steps: list[str]) -> None:
    one, answered, dialled = callback(), False, 0
    for step in steps:
        before = one
        try:
            one = STEPS[step](one)
        except rules.IllegalMove:
            continue
        assert before.state not in CLOSED, "what is closed stays closed"
        answered = answered or step in ("answer", "talk")
        if step == "dial":
            assert not answered
            dialled += 1
        if step == "undo":
            dialled -= 1
        assert one.attempts == dialled <= 3
        assert one.open is (one.closed_at is None)
        assert callback_of(one.id, to_data(one)) == one


def test_the_latest_fact_is_the_truth_in_whatever_order_they_are_read() -> None:
    first, second = callback(), rules.dialled(callback())
    told = [("01B", to_data(second)), ("01A", to_data(first)), ("01A", to_data(first))]
    assert fold(first.id, told) == second
    assert fold(first.id, []) is None
