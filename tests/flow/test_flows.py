"""Every ending of every turning point of a call."""

from __future__ import annotations

from typing import get_args

import pytest

from ivr.desk import Desk, Place, Queued, SeatAction, Seated
from ivr.flows import FLOWS
from ivr.model import Answer, Script, Step
from ledger.model import Kind
from routing.model import MergeMode, Target, TargetKind
from telephony.model import VARIABLE_VALUE, AgentId, GroupId, SeatId, Var
from tests.flow.counter import Counter, decision, question

pytestmark = pytest.mark.flow

SEATED = Seated(SeatId("8001"), AgentId("1001"), ring_seconds=20)


def ask(script: Script, desk: Desk, **more: object) -> Answer:
    return FLOWS[script](question(script, **more), desk)


def test_an_urgent_caller_goes_before_those_who_only_wait_and_is_told_so_once() -> None:
    desk = Counter()
    desk.where = Queued(2, first_time=False, news=("position-2",))
    answer = ask(Script.WAITING, desk, key="9")
    assert (answer.next, answer.prompts, answer.set[Var.PRIORITY]) == (Step.WAIT, ("urgent-noted",), "5")
    again = ask(Script.WAITING, desk, key="9", priority=5)
    assert (again.prompts, Var.PRIORITY in again.set) == (("position-2",), False)


def test_an_urgent_caller_for_whom_an_agent_is_free_is_connected_without_a_word() -> None:
    desk = Counter(where=SEATED)
    answer = ask(Script.WAITING, desk, key="9")
    assert (answer.next, answer.prompts) == (Step.CONNECT, ())


def test_a_key_that_the_table_does_not_know_changes_nothing() -> None:
    desk = Counter()
    desk.where = Queued(2, first_time=False)
    assert ask(Script.WAITING, desk, key="4") == ask(Script.WAITING, desk)


def test_news_that_are_due_are_told_while_waiting() -> None:
    desk = Counter()
    desk.where = Queued(2, first_time=False, news=("position-2", "waiting-keys"))
    assert ask(Script.WAITING, desk).prompts == ("position-2", "waiting-keys")


def test_every_question_of_the_dialplan_has_a_flow() -> None:
    assert set(FLOWS) == set(Script)


def test_12345_is_greeted_and_the_ledger_knows_why() -> None:
    desk = Counter()
    answer = ask(Script.ENTER, desk, number="12345", caller="13800001234")
    assert (answer.next, answer.prompts) == (Step.GREET, ("greeting-12345",))
    assert answer.set == {Var.GROUP: "general", Var.OVERFLOW: "", Var.VERSION: "7"}
    (entered,) = desk.noted(Kind.ENTERED)
    assert entered == {
        "number": "12345", "caller": "13800001234", "mode": "", "rule": "hotline", "reason": "拨打 12345",
        "version": 7, "group": "general",
    }  # fmt: skip
    assert desk.noted(Kind.PROMPTED) == [{"prompts": ["greeting-12345"]}]


def test_an_old_number_tells_its_prompt_and_who_may_answer_later() -> None:
    overflow = ((20, GroupId("general")), (60, GroupId("market")))
    desk = Counter(decision(group=GroupId("social-security"), mode=MergeMode.FULL, overflow=overflow))
    answer = ask(Script.ENTER, desk, number="12333")
    assert answer.next is Step.GREET
    assert answer.set[Var.OVERFLOW] == "general:20/market:60"
    assert desk.noted(Kind.ENTERED)[0]["mode"] == "full"


def test_a_subcentre_is_dialled_and_its_group_takes_the_call_back() -> None:
    desk = Counter(decision(target=Target(TargetKind.SUBCENTRE, "subcentre-12366"), prompts=("legacy-12366-during",)))
    answer = ask(Script.ENTER, desk, number="12366")
    assert (answer.next, answer.prompts) == (Step.SUBCENTRE, ("legacy-12366-during",))
    assert answer.set[Var.TRANSFER] == "subcentre-12366"
    assert answer.set[Var.GROUP] == "general"


@pytest.mark.parametrize("script", [Script.OFFER, Script.WAITING])
def test_a_free_seat_is_rung(script: Script) -> None:
    answer = ask(script, Counter(where=SEATED), group="general")
    assert (answer.next, answer.prompts) == (Step.CONNECT, ())
    assert answer.set == {Var.SEAT: "8001", Var.RING_SECONDS: "20"}


@pytest.mark.parametrize("script", [Script.OFFER, Script.WAITING])
def test_the_first_time_in_the_queue_is_told_and_no_other(script: Script) -> None:
    first = ask(script, Counter(where=Queued(3, first_time=True)))
    again = ask(script, Counter(where=Queued(2, first_time=False)))
    assert (first.next, first.prompts) == (Step.WAIT, ("queue-wait",))
    assert (again.next, again.prompts) == (Step.WAIT, ())
    assert again.set == {Var.WAIT_SECONDS: "10"}


def test_a_seat_that_did_not_answer_is_told_of_before_the_next_is_looked_for() -> None:
    desk = Counter(where=SEATED)
    ask(Script.OFFER, desk, seat="8002", dial_status="NOANSWER", group="general")
    assert desk.asked == [("missed", "8002", "NOANSWER"), ("place", "general")]


def test_a_slice_of_music_blames_no_seat() -> None:
    desk = Counter()
    ask(Script.WAITING, desk, seat="8002", dial_status="NOANSWER")
    assert [told[0] for told in desk.asked] == ["place"]


def test_after_a_human_the_rating_is_asked() -> None:
    desk = Counter(human=True)
    assert ask(Script.AFTER, desk) == Answer(Step.RATE, ("rating-ask",))
    assert desk.noted(Kind.RATING_ASKED) == [{}]


def test_without_a_human_there_is_nobody_to_rate() -> None:
    desk = Counter(human=False)
    assert ask(Script.AFTER, desk) == Answer(Step.GOODBYE, ("goodbye",))
    assert desk.noted(Kind.RATING_ASKED) == []


@pytest.mark.parametrize(
    ("key", "level", "said"),
    [("5", 5, ("rating-thanks", "goodbye")), ("9", 0, ("goodbye",)), ("", 0, ("goodbye",)), ("*", 0, ("goodbye",))],
)
def test_a_rating_is_kept_and_only_a_given_one_is_thanked_for(key: str, level: int, said: tuple[str, ...]) -> None:
    desk = Counter()
    assert ask(Script.RATED, desk, key=key) == Answer(Step.GOODBYE, said)
    assert desk.noted(Kind.RATED) == [{"key": key, "level": level}]


@pytest.mark.parametrize("action", list(SeatAction))
def test_an_agent_hears_what_became_of_the_key(action: SeatAction) -> None:
    desk = Counter(outcome="seat-key-failed")
    answer = ask(Script.SEAT_KEY, desk, seat="8001", key="1001", action=action.value)
    assert answer == Answer(Step.GOODBYE, ("seat-key-failed",))
    assert desk.asked == [("seat-key", "8001", action, "1001")]


@pytest.mark.parametrize("script", list(Script))
@pytest.mark.parametrize("place", [SEATED, Queued(1, first_time=True)])
def test_whatever_is_answered_may_stand_in_a_channel_variable(script: Script, place: Place) -> None:
    assert isinstance(place, get_args(Place))
    answer = ask(script, Counter(where=place), number="12345", key="5", action="sign-in", seat="8001")
    for name, value in answer.set.items():
        assert name in set(Var)
        assert VARIABLE_VALUE.fullmatch(value)
