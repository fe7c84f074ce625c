"""The prompts are over, nobody answered, or the caller is back from app_queue: who is free now?"""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend, SeatAssignment
from telephony.model import SeatId, Var


def offer(question: Question, desk: CallBackend) -> Answer:
    """Straight to a free seat, else into the queue; a seat that did not answer costs the caller nothing."""
    if question.seat:
        desk.on_no_answer(question, SeatId(question.seat), question.dial_status)
    return find_a_human(question, desk)


def find_a_human(question: Question, desk: CallBackend) -> Answer:
    """The next step of a caller who wants an agent."""
    place = desk.place(question)
    if isinstance(place, SeatAssignment):
        return Answer(Step.CONNECT, set={Var.SEAT: place.seat, Var.RING_SECONDS: str(place.ring_seconds)})
    said = ("queue-wait",) if place.first_time else place.news
    return Answer(Step.WAIT, said, {Var.WAIT_SECONDS: str(place.seconds or desk.wait_seconds)})
