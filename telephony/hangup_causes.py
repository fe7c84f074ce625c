"""Why a call to a telephone was not answered, in one word for all that Asterisk has to say about it.

One job: from Asterisk's numbers to that word. What follows from it is for whoever called.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Unanswered(StrEnum):
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"


_REASONS: Final[Mapping[int, Unanswered]] = {
    1: Unanswered.NO_ANSWER,
    3: Unanswered.NO_ANSWER,
    5: Unanswered.BUSY,
}
_CAUSES: Final[Mapping[str, Unanswered]] = {
    "16": Unanswered.NO_ANSWER,
    "17": Unanswered.BUSY,
    "18": Unanswered.NO_ANSWER,
    "19": Unanswered.NO_ANSWER,
    "21": Unanswered.REJECTED,
}


def by_reason(reason: int) -> Unanswered:
    """Of an Originate (telephony.events.OriginateOutcome)."""
    return _REASONS.get(reason, Unanswered.UNREACHABLE)


def by_cause(cause: str) -> Unanswered:
    """Of a hang-up: the number of the cause, by Q.850."""
    return _CAUSES.get(cause, Unanswered.UNREACHABLE)
