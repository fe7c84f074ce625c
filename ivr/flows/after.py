"""The human has hung up and the caller is still there."""

from __future__ import annotations

from ivr.desk import Desk
from ivr.model import Answer, Question, Step
from ledger.model import Kind


def after(question: Question, desk: Desk) -> Answer:
    """Ask for the rating (好差评), once, when somebody was there to be rated."""
    if not desk.talked(question):
        return Answer(Step.GOODBYE, ("goodbye",))
    desk.note(Kind.RATING_ASKED, question)
    return Answer(Step.RATE, ("rating-ask",))
