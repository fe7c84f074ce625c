"""From an AGI session to a flow and back: what is let in, what goes out, and what happens when it does not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from agi_scripts.questions import BETWEEN, guarded, handler, read, write
from ivr.model import Answer, Question, Script, Step
from ivr.ports import SeatAction
from ledger.model import Kind
from telephony.agi_session import AgiSession
from telephony.errors import AgiCommandError, AgiDeadline, AgiProtocolError, HangUp, TelephonyError
from telephony.model import Var
from tests.flow.counter import CALL, Counter, decision, question

pytestmark = pytest.mark.flow

KNOWN = frozenset({"greeting-12345", "queue-wait", "rating-ask", "goodbye", "seat-signed-in"})


class Session:
    """What the FastAGI server hands to a handler."""

    def __init__(self, script: str, *args: str, fails: Exception | None = None, **env: str) -> None:
        self.script = script
        self.args = args
        self.env = {"agi_channel": "PJSIP/pstn-00000001"} | env
        self.sent: list[Mapping[str, str]] = []
        self._fails = fails

    async def set_many(self, variables: Mapping[str, str]) -> None:
        if self._fails is not None:
            raise self._fails
        self.sent.append(variables)


def session(script: str, *args: str, **more: Any) -> Any:
    return cast("AgiSession", Session(script, *args, **more))


def facts(**given: str) -> list[str]:
    """The arguments of ``ask`` in their order."""
    names = ("call", "number", "caller", "since", "group", "overflow", "priority", "seat", "dial_status", "key")
    return [given.get(name, CALL if name == "call" else "") for name in (*names, "action")]


async def test_one_question_one_answer_sentinel_last() -> None:
    asked = session("enter", *facts(number="12345", caller="13800001234"))
    await handler(Counter(), KNOWN)(asked)
    (sent,) = asked.sent
    assert list(sent)[-1] == Var.DONE
    assert sent[Var.DONE] == "enter"
    assert sent[Var.NEXT] == Step.GREET
    assert sent[Var.PROMPTS] == "greeting-12345"


async def test_a_prompt_that_was_never_built_is_left_out_and_the_call_goes_on() -> None:
    asked = session("enter", *facts(number="12333"))
    await handler(Counter(decision(prompts=("legacy-99999-during", "greeting-12345"))), KNOWN)(asked)
    assert asked.sent[0][Var.PROMPTS] == "greeting-12345"
    asked = session("enter", *facts(number="12333"))
    await handler(Counter(decision(prompts=("legacy-99999-during",))), KNOWN)(asked)
    assert asked.sent[0][Var.PROMPTS] == ""
    assert asked.sent[0][Var.NEXT] == Step.GREET


async def test_what_cannot_be_played_is_told_of_and_never_noted_as_played() -> None:
    prompts = ("legacy-99999-during", "greeting-12345")
    counter = Counter(decision(prompts=prompts), lacking=frozenset(prompts[:1]))
    await handler(counter, KNOWN)(session("enter", *facts(number="12333")))
    assert counter.noted(Kind.PROMPTED) == [{"prompts": ["greeting-12345"]}]
    assert ("unheard", "legacy-99999-during") in counter.asked


@pytest.mark.parametrize(
    ("presentation", "withheld"), [("32", True), ("35", True), ("0", False), ("3", False), ("67", False), ("", False)]
)
def test_the_switch_tells_whether_a_number_is_withheld(presentation: str, withheld: bool) -> None:
    asked = session("enter", *facts(caller="13800001234"), agi_callingpres=presentation)
    assert read(asked).withheld is withheld


@pytest.mark.parametrize(("told", "meant"), [("-1", -1), ("5", 5), ("", 0), ("--1", 0), ("-5", 0)])
def test_a_priority_may_be_below_the_normal_one(told: str, meant: int) -> None:
    assert read(session("offer", *facts(priority=told))).priority == meant


def test_prompts_are_joined_for_playback() -> None:
    answer = Answer(Step.GOODBYE, ("goodbye", "queue-wait"))
    assert write(question(Script.RATED), answer, KNOWN)[Var.PROMPTS] == "goodbye&queue-wait"


@pytest.mark.parametrize(
    "fault", [HangUp("gone"), AgiDeadline("late"), AgiCommandError(510, "no"), AgiProtocolError("x")]
)
async def test_an_answer_that_does_not_arrive_gives_the_seat_back(fault: TelephonyError) -> None:
    desk = Counter()
    with pytest.raises(type(fault)):
        await handler(desk, KNOWN)(session("offer", *facts(), fails=fault))
    assert desk.asked[-1] == ("undelivered", CALL)


async def test_an_answer_that_arrives_gives_nothing_back() -> None:
    desk = Counter()
    await handler(desk, KNOWN)(session("offer", *facts()))
    assert "undelivered" not in {told[0] for told in desk.asked}


def test_every_fact_arrives() -> None:
    assert read(
        session("offer", CALL, "12333", "+8613800001234", "1700000000123", "social-security", "general:20", "9", "8001",
                "NOANSWER", "5", "sign-in")
    ) == Question(
        Script.OFFER, "PJSIP/pstn-00000001", CALL, "12333", "+8613800001234", 1700000000123, "social-security",
        "general:20", 9, "8001", "NOANSWER", "5", "sign-in",
    )  # fmt: skip


def test_a_question_may_end_early() -> None:
    assert read(session("waiting", CALL, "12345")) == question(Script.WAITING, number="12345")


@pytest.mark.parametrize(
    ("script", "args"),
    [
        ("", [CALL]),
        ("nosuch", [CALL]),
        ("ENTER", [CALL]),
        ("enter", []),
        ("enter", [""]),
        ("enter", ["hl1-1700000000"]),
        ("enter", [f"{CALL}\n"]),
        ("enter", ["../../etc/passwd"]),
        ("enter", [*facts(), "one too many"]),
    ],
)
async def test_what_the_dialplan_would_not_ask_is_refused_before_any_flow(script: str, args: list[str]) -> None:
    desk = Counter()
    asked = session(script, *args)
    with pytest.raises(AgiProtocolError):
        await handler(desk, KNOWN)(asked)
    assert desk.asked == []
    assert asked.sent == []


@pytest.mark.parametrize("text", ["${SHELL(id)}", "1&2", "1,2", "1;2", "1\n2", "１２", "1" * 300, "12345 "])
def test_text_from_outside_that_is_no_number_is_dropped(text: str) -> None:
    heard = read(session("enter", *facts(number=text, caller=text, seat=text)))
    assert (heard.number, heard.caller, heard.seat) == ("", "", "")


@pytest.mark.parametrize("text", ["", "-2", "1e3", "٣", "1" * 16, "x"])
def test_a_count_that_is_none_is_nought(text: str) -> None:
    heard = read(session("offer", *facts(since=text, priority=text)))
    assert (heard.since_ms, heard.priority) == (0, 0)


@pytest.mark.parametrize("text", ["General", "a b", "group,1", "$x", "a" * 41])
def test_a_group_that_is_none_is_the_default(text: str) -> None:
    assert read(session("offer", *facts(group=text))).group == ""


@pytest.mark.parametrize("action", ["", "sign-up", "SIGN-IN"])
async def test_a_key_without_a_meaning_is_refused(action: str) -> None:
    desk = Counter()
    asked = session("seat-key", *facts(seat="8001", action=action))
    with pytest.raises(AgiProtocolError):
        await handler(desk, KNOWN)(asked)
    assert (desk.asked, asked.sent) == ([], [])


async def test_a_key_of_an_idle_phone_reaches_the_desk() -> None:
    desk = Counter()
    await handler(desk, KNOWN)(session("seat-key", *facts(seat="8001", key="2", action="pause")))
    assert desk.asked == [("seat-key", "8001", SeatAction.PAUSE, "2")]


async def test_only_who_proves_to_be_the_agent_signs_in() -> None:
    desk = Counter()
    await handler(desk, KNOWN)(session("seat-key", *facts(seat="8001", key="1001*4711", action="sign-in")))
    assert desk.asked == [("refused", "8001", "1001", "4711"), ("seat-key", "8001", SeatAction.SIGN_IN, "1001")]
    stranger, asked = Counter(refusal="goodbye"), session("seat-key", *facts(key="1001", action="sign-in"))
    await handler(stranger, KNOWN)(asked)
    assert stranger.asked == [("refused", "", "1001", "")]
    assert asked.sent[0][Var.PROMPTS] == "goodbye"


async def test_a_question_without_the_token_is_not_asterisks() -> None:
    desk = Counter()
    for shown in ((), ("",), ("guess",)):
        asked = session("enter", BETWEEN.join((*facts(), *shown)))
        with pytest.raises(AgiProtocolError):
            await guarded("made-up-token", handler(desk, KNOWN))(asked)
    await guarded("made-up-token", handler(desk, KNOWN))(session("enter", BETWEEN.join((*facts(), "made-up-token"))))


@pytest.mark.parametrize(("disk", "step"), [(True, "goodbye"), (False, "unkept")])
async def test_a_promise_is_told_only_when_it_is_on_the_disk(disk: bool, step: str) -> None:
    asked = session("callback", *facts(key="1", action="13600000001"))
    await handler(Counter(disk=disk), KNOWN)(asked)
    assert asked.sent[0]["HL_NEXT"] == step


@pytest.mark.parametrize("told", ["+8613800138000", "8613800138000", "008613800138000", "013800138000"])
async def test_a_caller_is_one_citizen_in_whatever_form_the_number_comes(told: str) -> None:
    counter = Counter()
    await handler(counter, KNOWN)(session("enter", *facts(number="12345", caller=told)))
    (entered,) = counter.noted(Kind.ENTERED)
    assert (entered["caller"], entered["caller_told"]) == ("13800138000", told)


async def test_the_form_that_is_the_one_is_told_once() -> None:
    counter = Counter()
    await handler(counter, KNOWN)(session("enter", *facts(number="12345", caller="13800138000")))
    (entered,) = counter.noted(Kind.ENTERED)
    assert "caller_told" not in entered


async def test_each_new_call_tells_when_the_switch_took_it() -> None:
    entered: list[int] = []
    for script in ("enter", "offer"):
        await handler(Counter(), KNOWN, entered.append)(session(script, *facts(number="12345", since="1234567890123")))
    assert entered == [1234567890123]
