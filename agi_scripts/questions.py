"""From an AGI session to a flow and back: script name -> flow, answer -> one MSet.

One job: translate. The flow decides; the dialplan acts; nothing is played, dialled or awaited here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from agi_scripts.server import Handler
from ivr.flows import FLOWS
from ivr.model import Answer, Question, Script
from ivr.ports import CallBackend, SeatAction, SupervisorAction
from ivr.prompts.playlist import playlist
from telephony.agi_session import AgiSession
from telephony.errors import AgiProtocolError, TelephonyError
from telephony.model import AGENT_ID, CALL_ID, DIALLED, GROUP_ID, CallId, Priority, Var

BETWEEN: Final = "|"
"""Between the facts of a question: Asterisk writes each argument of its own to the socket, and one is cheaper."""

RESTRICTION, WITHHELD = 0x60, 0x20
"""Of a calling presentation (Q.951, as Asterisk numbers them): the bits that restrict it, and "not to be shown"."""

_ARGUMENTS = (
    "call",
    "number",
    "caller",
    "since",
    "group",
    "overflow",
    "priority",
    "seat",
    "dial_status",
    "key",
    "action",
)


_KEYS: Final[Mapping[Script, frozenset[str]]] = {
    Script.SEAT_KEY: frozenset(SeatAction),
    Script.SUPERVISE: frozenset(SupervisorAction),
}


def guarded(token: str, answer: Handler) -> Handler:
    """Take a question's one argument apart, and answer only who knows the token, which stands last in it."""

    async def check(session: AgiSession) -> None:
        *asked, shown = "".join(session.args).split(BETWEEN)
        if not secrets.compare_digest(shown.encode(), token.encode()):
            raise AgiProtocolError("a question without the token")
        session.args = tuple(asked)
        await answer(session)

    return check


def handler(
    desk: CallBackend, known: Container[str], entered: Callable[[int], None] = lambda _since_ms: None
) -> Handler:
    """What the FastAGI server does with each session; ``known`` are the prompts that can be played.

    ``entered`` hears of each new call when the switch took it, Unix ms.
    """

    async def answer(session: AgiSession) -> None:
        question = known_as(read(session), desk)
        if question.script is Script.ENTER:
            entered(question.since_ms)
        said = FLOWS[question.script](question, desk)
        reply = said if isinstance(said, Answer) else await said
        if reply.otherwise is not None and not await desk.durable(question):
            reply = reply.otherwise
        if missing := [prompt for prompt in reply.prompts if prompt not in known]:
            desk.unheard(question, missing)
        try:
            await session.set_many(write(question, reply, known))
        except TelephonyError:
            desk.on_answer_lost(question)
            raise

    return answer


def read(session: AgiSession) -> Question:
    """The session's facts, checked. Raises AgiProtocolError for what the generated dialplan would not have asked."""
    try:
        script = Script(session.script)
    except ValueError:
        raise AgiProtocolError(f"no such script: {session.script!r:.80}") from None
    if len(session.args) > len(_ARGUMENTS):
        raise AgiProtocolError("more arguments than a question has")
    facts = dict(zip_longest(_ARGUMENTS, session.args, fillvalue=""))
    if not CALL_ID.fullmatch(facts["call"]):
        raise AgiProtocolError(f"not a call id: {facts['call']!r:.80}")
    if script in _KEYS and facts["action"] not in _KEYS[script]:
        raise AgiProtocolError(f"not a key of a phone: {facts['action']!r:.80}")
    return Question(
        script=script,
        channel=session.env.get("agi_channel", ""),
        call=CallId(facts["call"]),
        number=facts["number"] if DIALLED.fullmatch(facts["number"]) else "",
        caller=facts["caller"] if DIALLED.fullmatch(facts["caller"]) else "",
        since_ms=_number(facts["since"]),
        group=facts["group"] if GROUP_ID.fullmatch(facts["group"]) else "",
        overflow=facts["overflow"],
        priority=_priority(facts["priority"]),
        seat=facts["seat"] if AGENT_ID.fullmatch(facts["seat"]) else "",
        dial_status=facts["dial_status"],
        key=facts["key"],
        action=facts["action"],
        withheld=_number(session.env.get("agi_callingpres", "")) & RESTRICTION == WITHHELD,
    )


def known_as(question: Question, desk: CallBackend) -> Question:
    """The caller's number in the one form in which a citizen is known, what came in beside it."""
    caller = desk.citizen(question.caller)
    return question if caller == question.caller else replace(question, caller=caller, told=question.caller)


def write(question: Question, answer: Answer, known: Container[str]) -> Mapping[str, str]:
    """The answer as channel variables; the sentinel stands last. A prompt that was never built costs no call."""
    return {
        **answer.set,
        Var.PROMPTS: playlist((prompt for prompt in answer.prompts if prompt in known), known),
        Var.NEXT: answer.next,
        Var.DONE: question.script,
    }


def _priority(text: str) -> int:
    return Priority.NUISANCE if text == str(int(Priority.NUISANCE)) else _number(text)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
