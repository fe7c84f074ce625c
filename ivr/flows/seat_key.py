"""An agent dials *11 to *15 on an idle phone."""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend, SeatAction
from telephony.model import AgentId, SeatId


async def seat_key(question: Question, desk: CallBackend) -> Answer:
    """Sign in (with proof), sign out, ready, pause, a longer wrap-up: the agent hears what became of it."""
    seat, action = SeatId(question.seat), SeatAction(question.action)
    if action is not SeatAction.SIGN_IN:
        return Answer(Step.GOODBYE, (desk.seat_key(seat, action, question.key),))
    agent, _, pin = question.key.partition("*")
    refusal = await desk.sign_in_refusal(seat, AgentId(agent), pin)
    return Answer(Step.GOODBYE, (refusal or desk.seat_key(seat, action, agent),))
