"""The caller has left a message, or said nothing."""

from __future__ import annotations

from ivr.flows.callback import refused
from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from telephony.model import Stage, Var


def message(question: Question, desk: CallBackend) -> Answer:
    """Keep it, and say so only when it is on the disk; who said nothing waits on at its place."""
    if desk.message(question):
        return Answer(Step.GOODBYE, ("message-kept", "goodbye"), otherwise=Answer(Step.UNKEPT))
    return refused("message-empty", question, desk)


def recorded(question: Question, desk: CallBackend) -> Answer:
    """The key for a message was pressed: the caller leaves the line and speaks."""
    if not desk.leave_line(question):
        return Answer(Step.WAIT, (), {Var.WAIT_SECONDS: str(desk.wait_seconds)})
    return Answer(Step.MESSAGE, ("message-ask",), {Var.STAGE: Stage.AFTER})
