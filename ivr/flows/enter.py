"""A call rings: which number is it, what became of that number, who shall answer?"""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from ledger.model import TRIAL, Kind
from routing.model import Decision, TargetKind
from routing.overflow import overflow_text
from telephony.model import Priority, Var


def enter(question: Question, desk: CallBackend) -> Answer:
    """Greet 12345; tell about an old number; send both to the right group or sub-centre."""
    decision = desk.route(question)
    taken_for = decision.number if question.action == TRIAL and decision.number else question.number
    desk.note(
        Kind.ENTERED,
        question,
        number=taken_for,
        caller=question.caller,
        **({"caller_told": question.told} if question.told else {}),
        mode=TRIAL if question.action == TRIAL else decision.mode or "",
        rule=decision.rule,
        reason=decision.reason,
        version=decision.version,
        group=decision.group,
    )
    if decision.target.kind is TargetKind.EMERGENCY:
        return Answer(Step.EMERGENCY, set={Var.TRANSFER: decision.target.id})
    if heard := [prompt for prompt in decision.prompts if desk.can_play(prompt)]:
        desk.note(Kind.PROMPTED, question, prompts=heard)
    state: dict[str, str] = {
        Var.GROUP: decision.group,
        Var.OVERFLOW: overflow_text(decision.overflow),
        Var.VERSION: str(decision.version),
        **_standing(question, desk, decision),
    }
    if taken_for != question.number:
        state[Var.NUMBER] = taken_for
    if line := desk.whisper(decision):
        state[Var.WHISPER] = line
    if decision.target.kind is TargetKind.SUBCENTRE:
        return Answer(Step.SUBCENTRE, decision.prompts, {**state, Var.TRANSFER: decision.target.id})
    return Answer(Step.GREET, decision.prompts, state)


def _standing(question: Question, desk: CallBackend, decision: Decision) -> dict[str, str]:
    """What sets this caller apart; nothing, for most."""
    standing = desk.standing(question)
    state: dict[str, str] = {}
    if standing.priority > question.priority or standing.priority < Priority.NORMAL == question.priority:
        state[Var.PRIORITY] = str(int(standing.priority))
    if standing.preferred is not None:
        state[Var.PREFERRED] = standing.preferred
    if decision.language:
        state[Var.LANGUAGE] = decision.language
    if decision.list is not None:
        state[Var.LISTED] = decision.list
    return state
