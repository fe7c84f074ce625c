"""A slice of music is over: is the caller still to wait?"""

from __future__ import annotations

from ivr.desk import Desk
from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question


def waiting(question: Question, desk: Desk) -> Answer:
    """As before, at the true age: an engine that just came back learns of the caller here."""
    return find_a_human(question, desk)
