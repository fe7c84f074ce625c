"""An agent dials the prefix and a number: may this agent call this number now?"""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from telephony.model import SeatId


async def call_out(question: Question, desk: CallBackend) -> Answer:
    """Yes: the call's own variables; no: the reason, spoken. The dialplan takes anything else for a no."""
    said = await desk.call_out(SeatId(question.seat), question.call, question.number)
    if isinstance(said, str):
        return Answer(Step.GOODBYE, (said,))
    return Answer(Step.GOODBYE, ("call-out-agent",), said)
