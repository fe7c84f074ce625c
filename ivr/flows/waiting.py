"""A slice of music is over, or the caller has pressed a key: is it still to wait?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ivr.flows.callback import offered
from ivr.flows.message import recorded
from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend, ResortTarget
from routing.model import WaitingAction
from telephony.model import OverflowTo, Var

URGENT_PRIORITY: Final = 5
"""Before everybody who only waits, after a caller who was lost in a transfer (9)."""


def waiting(question: Question, desk: CallBackend) -> Answer:
    """As before, at the true age: an engine that just came back learns of the caller here."""
    match desk.waiting_key(question):
        case WaitingAction.URGENT if question.priority < URGENT_PRIORITY:
            return hurried(question, desk)
        case WaitingAction.CALLBACK:
            return offered(question, desk)
        case WaitingAction.MESSAGE:
            return recorded(question, desk)
        case _:
            return informed(human_or_way_out(question, desk), desk.information(question))


def informed(answer: Answer, prompt: str) -> Answer:
    """What the key was pressed for, when the caller is to wait on anyway. The music and the line go on."""
    return replace(answer, prompts=(prompt,)) if prompt and answer.next is Step.WAIT else answer


def human_or_way_out(question: Question, desk: CallBackend) -> Answer:
    """Nobody of ours is free: when a last resort is due for this caller, that; else on waiting."""
    answer = find_a_human(question, desk)
    way = desk.way_out(question) if answer.next is Step.WAIT else None
    return answer if way is None else out_of_the_line(way, question, desk)


def out_of_the_line(way: ResortTarget, question: Question, desk: CallBackend) -> Answer:
    """To a human elsewhere, or to a promise."""
    match way.kind:
        case OverflowTo.SUBCENTRE:
            return Answer(Step.SUBCENTRE, ("subcentre-transfer",), {Var.TRANSFER: way.target})
        case OverflowTo.DUTY_PHONE:
            return Answer(Step.DUTY_PHONE, ("duty-phone-transfer",), {Var.TRANSFER: way.target})
        case OverflowTo.CALLBACK:
            answer = offered(question, desk)
        case _:
            answer = recorded(question, desk)
    return replace(answer, prompts=(f"offer-{way.kind}", *answer.prompts))


def hurried(question: Question, desk: CallBackend) -> Answer:
    """The caller says that it is urgent: believed, and told so."""
    answer = find_a_human(replace(question, priority=URGENT_PRIORITY), desk)
    said = ("urgent-noted",) if answer.next is Step.WAIT else ()
    return replace(answer, prompts=said, set={**answer.set, Var.PRIORITY: str(URGENT_PRIORITY)})
