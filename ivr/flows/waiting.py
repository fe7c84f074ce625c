"""A slice of music is over, or the caller has pressed a key: is it still to wait?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ivr.desk import Desk
from ivr.flows.callback import offered
from ivr.flows.message import recorded
from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question, Step
from routing.model import WaitingAction
from telephony.model import Var

URGENT_PRIORITY: Final = 5
"""Before everybody who only waits, after a caller who was lost in a transfer (9)."""


def waiting(question: Question, desk: Desk) -> Answer:
    """As before, at the true age: an engine that just came back learns of the caller here."""
    match desk.waiting_key(question):
        case WaitingAction.URGENT if question.priority < URGENT_PRIORITY:
            return hurried(question, desk)
        case WaitingAction.CALLBACK:
            return offered(question, desk)
        case WaitingAction.MESSAGE:
            return recorded(question, desk)
        case _:
            return find_a_human(question, desk)


def hurried(question: Question, desk: Desk) -> Answer:
    """The caller says that it is urgent: believed, and told so."""
    answer = find_a_human(replace(question, priority=URGENT_PRIORITY), desk)
    said = ("urgent-noted",) if answer.next is Step.WAIT else ()
    return replace(answer, prompts=said, set={**answer.set, Var.PRIORITY: str(URGENT_PRIORITY)})
