"""The human has hung up and the caller is still there."""

from __future__ import annotations

from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from ledger.model import Kind


def after(question: Question, desk: CallBackend) -> Answer:
    """Ask for the rating (好差评), once, when somebody was there to be rated; who was dropped at once waits on."""
    if desk.on_short_talk(question):
        return find_a_human(question, desk)
    if not desk.on_talk_ended(question):
        return Answer(Step.GOODBYE, ("goodbye",))
    desk.note(Kind.RATING_ASKED, question)
    return Answer(Step.RATE, ("rating-ask",))
