"""A centre has handed its citizen over to one of our numbers (REFER): who answers that?"""

from __future__ import annotations

from dataclasses import replace

from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from routing.model import TargetKind
from routing.overflow import overflow_text
from telephony.model import HOTLINE_NUMBER, Var


def handed(question: Question, desk: CallBackend) -> Answer:
    """To 12345: whoever had the call, else its group. To an old number: its group or sub-centre, with nothing to hear.

    The number stands in ``key``.
    """
    if question.key == HOTLINE_NUMBER:
        return find_a_human(question, desk)
    decision = desk.route(replace(question, number=question.key))
    overflow = overflow_text(decision.overflow)
    state: dict[str, str] = {Var.GROUP: decision.group, Var.OVERFLOW: overflow, Var.VERSION: str(decision.version)}
    if decision.target.kind is TargetKind.SUBCENTRE:
        return Answer(Step.SUBCENTRE, set={**state, Var.TRANSFER: decision.target.id})
    found = find_a_human(replace(question, group=decision.group, overflow=overflow), desk)
    return replace(found, set={**state, **found.set})
