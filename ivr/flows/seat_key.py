"""An agent dials *11, *12, *13 or *14 on an idle phone."""

from __future__ import annotations

from ivr.desk import Desk, SeatAction
from ivr.model import Answer, Question, Step
from telephony.model import AgentId, SeatId


def seat_key(question: Question, desk: Desk) -> Answer:
    """Sign in, sign out, ready, pause: the agent hears what became of it."""
    outcome = desk.seat_key(SeatId(question.seat), SeatAction(question.action), AgentId(question.key))
    return Answer(Step.GOODBYE, (outcome,))
