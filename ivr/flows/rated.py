"""The caller has pressed a key, or none, at the rating."""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from ledger.model import Kind


def rated(question: Question, desk: CallBackend) -> Answer:
    """Keep the rating, thank for it, and end the call."""
    level = desk.rating_level(question)
    desk.note(Kind.RATED, question, key=question.key, level=level)
    return Answer(Step.GOODBYE, ("rating-thanks", "goodbye") if level else ("goodbye",))
