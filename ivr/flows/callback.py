"""The caller would rather be called back: at which number, and is that right?"""

from __future__ import annotations

from typing import Final

from callbacks.model import RequestOutcome
from ivr.flows.offer import find_a_human
from ivr.model import Answer, Question, Step
from ivr.ports import CallBackend
from telephony.model import Stage, Var
from telephony.subscribers import callable_number

TYPED: Final = "typed"
"""The key of the question is a number, and not the answer to one."""
YES: Final = "1"
ANOTHER: Final = "2"

_REFUSALS: Final = {
    RequestOutcome.TOO_MANY: "callback-too-many",
    RequestOutcome.NOT_CALLABLE: "callback-number-bad",
}


def callback(question: Question, desk: CallBackend) -> Answer:
    """A typed number is read back; a confirmed one is promised a call; everything else waits on."""
    if question.action == TYPED:
        return asked_back(desk.citizen(question.key), question, desk)
    if question.key == YES and question.action:
        return promised(question, desk)
    if question.key == ANOTHER:
        return asked_for_number()
    return find_a_human(question, desk)


def offered(question: Question, desk: CallBackend) -> Answer:
    """The key for a callback was pressed: the number that calls is read back, or asked for when it is not known."""
    return asked_back(question.caller, question, desk) if callable_number(question.caller) else asked_for_number()


def asked_for_number() -> Answer:
    """Which number, then?"""
    return Answer(Step.CALLBACK_NUMBER, ("callback-number-ask",))


def asked_back(told: str, question: Question, desk: CallBackend) -> Answer:
    """Read a number back, digit by digit."""
    number = callable_number(told)
    if not number:
        return refused("callback-number-bad", question, desk)
    digits = (f"digit-{digit}" for digit in number)
    return Answer(Step.CALLBACK, ("callback-number-is", *digits, "callback-confirm"), {Var.CALLBACK: number})


def promised(question: Question, desk: CallBackend) -> Answer:
    """Promise it, and say so only when it is on the disk."""
    outcome = desk.promise(question, question.action)
    if outcome in (RequestOutcome.PROMISED, RequestOutcome.ALREADY):
        said = "callback-promised" if outcome is RequestOutcome.PROMISED else "callback-already"
        # From here on the channel no longer waits: a restarted engine must not offer it to an agent, too.
        return Answer(Step.GOODBYE, (said, "goodbye"), {Var.STAGE: Stage.AFTER}, otherwise=Answer(Step.UNKEPT))
    refusal = _REFUSALS.get(outcome)
    return refused(refusal, question, desk) if refusal else find_a_human(question, desk)


def refused(prompt: str, question: Question, desk: CallBackend) -> Answer:
    """Say why not; the caller waits on at its place."""
    answer = find_a_human(question, desk)
    return Answer(answer.next, (prompt,) if answer.next is Step.WAIT else (), answer.set)
