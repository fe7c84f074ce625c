"""A supervisor dials *21 to *24 and an agent's id: listen, whisper, barge in, take over."""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend, SupervisorAction
from telephony.model import AgentId, SeatId, Var


def supervise(question: Question, desk: CallBackend) -> Answer:
    """The seat to join, or a prompt: why not, or that the call is on its way."""
    action = SupervisorAction(question.action)
    joined = desk.supervise(SeatId(question.seat), action, AgentId(question.key))
    if action is SupervisorAction.TAKE_OVER or not joined.seat:
        return Answer(Step.GOODBYE, (joined.prompt,))
    return Answer(Step.GOODBYE, set={Var.SPY: joined.seat})
