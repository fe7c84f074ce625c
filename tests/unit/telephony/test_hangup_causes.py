"""Asterisk's numbers for a call that nobody took, in the words of those who called."""

from __future__ import annotations

from enum import StrEnum

import pytest

from callbacks.model import CallFailure as PromiseFailed
from orders.model import DutyCallFailure as OrderFailed
from telephony.hangup_causes import Unanswered, by_cause, by_reason

pytestmark = pytest.mark.unit


def test_each_number_has_its_word_and_an_unknown_one_is_out_of_reach() -> None:
    causes = {cause: by_cause(cause).value for cause in ("16", "17", "18", "19", "21", "34", "")}
    assert causes == {
        "16": "no-answer", "17": "busy", "18": "no-answer", "19": "no-answer", "21": "rejected",
        "34": "unreachable", "": "unreachable",
    }  # fmt: skip
    reasons = {reason: by_reason(reason).value for reason in (0, 1, 3, 5, 8)}
    assert reasons == {0: "unreachable", 1: "no-answer", 3: "no-answer", 5: "busy", 8: "unreachable"}


@pytest.mark.parametrize("words", [OrderFailed, PromiseFailed])
def test_whoever_calls_knows_every_word(words: type[StrEnum]) -> None:
    assert {words(word) for word in Unanswered} <= set(words)
