"""An agent has called a partner (协作单位) into the talk: is it open now?"""

from __future__ import annotations

from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from telephony.model import Var

CLOSED = "closed"


def partner(question: Question, desk: CallBackend) -> Answer:
    """Only whether; who is dialled and what is said is the dialplan's. The step is not used: it is no caller's."""
    refused = "" if desk.partner_open(question.key) else CLOSED
    return Answer(Step.GOODBYE, set={Var.REFUSED: refused})
