"""Every ending of every turning point of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import get_args

import pytest

from callbacks.model import RequestOutcome
from ivr.flows import FLOWS
from ivr.model import Answer, Script, Step
from ivr.ports import (
    CallBackend,
    CallerPriority,
    Place,
    Queued,
    ResortTarget,
    SeatAction,
    SeatAssignment,
    SupervisorAction,
    SupervisorJoin,
)
from ledger.model import TRIAL, Kind
from routing.model import CallerList, MergeMode, Target, TargetKind, WaitingAction
from telephony.model import VARIABLE_VALUE, AgentId, GroupId, OverflowTo, Priority, SeatId, Var
from tests.flow.counter import Counter, decision, question

pytestmark = pytest.mark.flow

SEATED = SeatAssignment(SeatId("8001"), AgentId("1001"), ring_seconds=20)


def ask(script: Script, desk: CallBackend, **more: object) -> Answer:
    said = FLOWS[script](question(script, **more), desk)
    return said if isinstance(said, Answer) else asyncio.run(_now(said))


async def _now(said: Awaitable[Answer]) -> Answer:
    return await said


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


def test_a_key_of_self_service_speaks_while_the_caller_stays_in_line() -> None:
    desk = Counter(informs={"5": "self-service-5"})
    answer = ask(Script.WAITING, desk, key="5")
    assert (answer.next, answer.prompts) == (Step.WAIT, ("self-service-5",))
    desk.where = SEATED
    assert ask(Script.WAITING, desk, key="5").next is Step.CONNECT, "a human comes first"


def test_a_key_that_the_table_does_not_know_changes_nothing() -> None:
    desk = Counter()
    desk.where = Queued(2, first_time=False)
    assert ask(Script.WAITING, desk, key="4") == ask(Script.WAITING, desk)


def test_news_that_are_due_are_told_while_waiting() -> None:
    desk = Counter()
    desk.where = Queued(2, first_time=False, news=("position-2", "waiting-keys"))
    assert ask(Script.WAITING, desk).prompts == ("position-2", "waiting-keys")


@pytest.mark.parametrize(
    ("way", "step", "prompts", "told"),
    [
        (
            ResortTarget(OverflowTo.SUBCENTRE, "subcentre-12366"),
            Step.SUBCENTRE,
            ("subcentre-transfer",),
            "subcentre-12366",
        ),
        (
            ResortTarget(OverflowTo.DUTY_PHONE, "0663/138&139"),
            Step.DUTY_PHONE,
            ("duty-phone-transfer",),
            "0663/138&139",
        ),
        (ResortTarget(OverflowTo.MESSAGE), Step.MESSAGE, ("offer-message", "message-ask"), None),
        (ResortTarget(OverflowTo.CALLBACK), Step.CALLBACK_NUMBER, ("offer-callback", "callback-number-ask"), None),
    ],
    ids=["subcentre", "duty-phone", "message", "callback"],
)
def test_a_last_resort_leads_a_waiting_caller_out_of_the_line(
    way: ResortTarget, step: Step, prompts: tuple[str, ...], told: str | None
) -> None:
    answer = ask(Script.WAITING, Counter(where=Queued(1, first_time=False), way=way))
    assert (answer.next, answer.prompts, answer.set.get(Var.TRANSFER)) == (step, prompts, told)
    assert ask(Script.WAITING, Counter(where=SEATED, way=way)).next is Step.CONNECT, "a human of ours comes first"


def test_a_caller_asks_again_as_soon_as_something_may_be_due() -> None:
    sooner = ask(Script.OFFER, Counter(where=Queued(1, first_time=True, seconds=1)))
    assert sooner.set[Var.WAIT_SECONDS] == "1"
    assert ask(Script.OFFER, Counter()).set[Var.WAIT_SECONDS] == "10"


def test_a_callback_is_offered_at_the_number_that_calls_read_back_digit_by_digit() -> None:
    desk = Counter(keys={"1": WaitingAction.CALLBACK})
    answer = ask(Script.WAITING, desk, key="1", caller="13600000001")
    digits = tuple(f"digit-{digit}" for digit in "13600000001")
    assert (answer.next, answer.set) == (Step.CALLBACK, {Var.CALLBACK: "13600000001"})
    assert answer.prompts == ("callback-number-is", *digits, "callback-confirm")


@pytest.mark.parametrize("caller", ["", "110", "95588"])
def test_a_number_that_cannot_be_called_is_asked_for(caller: str) -> None:
    answer = ask(Script.WAITING, Counter(keys={"1": WaitingAction.CALLBACK}), key="1", caller=caller)
    assert (answer.next, answer.prompts) == (Step.CALLBACK_NUMBER, ("callback-number-ask",))


def test_a_typed_number_is_read_back_and_a_bad_one_refused() -> None:
    desk = Counter(where=Queued(2, first_time=False))
    assert ask(Script.CALLBACK, desk, key="13600000001", action="typed").set == {Var.CALLBACK: "13600000001"}
    refused = ask(Script.CALLBACK, desk, key="110", action="typed")
    assert (refused.next, refused.prompts) == (Step.WAIT, ("callback-number-bad",))


def test_a_confirmed_number_is_promised_and_the_channel_waits_no_more() -> None:
    desk = Counter()
    answer = ask(Script.CALLBACK, desk, key="1", action="13600000001")
    assert desk.asked == [("promise", "13600000001")]
    assert (answer.next, answer.prompts) == (Step.GOODBYE, ("callback-promised", "goodbye"))
    assert answer.set == {Var.STAGE: "after"}
    assert answer.otherwise == Answer(Step.UNKEPT)


@pytest.mark.parametrize(
    ("outcome", "step", "said"),
    [
        (RequestOutcome.ALREADY, Step.GOODBYE, ("callback-already", "goodbye")),
        (RequestOutcome.TOO_MANY, Step.WAIT, ("callback-too-many",)),
        (RequestOutcome.NOT_CALLABLE, Step.WAIT, ("callback-number-bad",)),
        (RequestOutcome.ON_THE_WAY, Step.WAIT, ()),
    ],
)
def test_a_promise_that_cannot_be_made_leaves_the_caller_its_place(
    outcome: RequestOutcome, step: Step, said: tuple[str, ...]
) -> None:
    answer = ask(
        Script.CALLBACK, Counter(where=Queued(2, first_time=False), promised=outcome), key="1", action="8765432"
    )
    assert (answer.next, answer.prompts) == (step, said)


@pytest.mark.parametrize(("key", "action"), [("", "8765432"), ("7", "8765432"), ("1", "")])
def test_neither_yes_nor_another_number_means_to_wait_on(key: str, action: str) -> None:
    desk = Counter(where=Queued(2, first_time=False))
    assert ask(Script.CALLBACK, desk, key=key, action=action).next is Step.WAIT
    assert [told[0] for told in desk.asked] == ["place"]
    assert ask(Script.CALLBACK, desk, key="2", action="8765432").next is Step.CALLBACK_NUMBER


def test_every_question_of_the_dialplan_has_a_flow() -> None:
    assert set(FLOWS) == set(Script)


def test_the_agent_will_be_told_the_old_number_that_was_dialled() -> None:
    answer = ask(Script.ENTER, Counter(line="line-12333"), number="12333")
    assert answer.set[Var.WHISPER] == "line-12333"


@pytest.mark.smoke
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


@pytest.mark.parametrize(
    ("listed", "stands", "held", "told"),
    [
        (CallerList.NUISANCE, Priority.NUISANCE, 0, {Var.LISTED: "nuisance", Var.PRIORITY: "-1"}),
        (CallerList.PRIORITY, Priority.LISTED, 0, {Var.LISTED: "priority", Var.PRIORITY: "4"}),
        (CallerList.STAFF, Priority.NORMAL, 0, {Var.LISTED: "staff"}),
        (CallerList.NUISANCE, Priority.NUISANCE, Priority.FIRST, {Var.LISTED: "nuisance"}),
        (None, Priority.NORMAL, 0, {}),
    ],
)
def test_a_caller_on_a_list_is_greeted_like_anybody_and_the_channel_knows(
    listed: CallerList | None, stands: Priority, held: int, told: dict[str, str]
) -> None:
    desk = Counter(decision(list=listed), stands=CallerPriority(stands))
    answer = ask(Script.ENTER, desk, number="12345", priority=held)
    assert (answer.next, answer.prompts) == (Step.GREET, ("greeting-12345",))
    assert answer.set == {Var.GROUP: "general", Var.OVERFLOW: "", Var.VERSION: "7", **told}


def test_a_caller_of_the_nuisance_list_who_says_it_is_urgent_is_believed() -> None:
    answer = ask(Script.WAITING, Counter(where=Queued(1, first_time=False)), key="9", priority=Priority.NUISANCE)
    assert answer.set[Var.PRIORITY] == str(int(Priority.DROPPED))


@pytest.mark.smoke
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


def test_a_citizen_handed_over_to_12345_goes_to_those_who_had_it() -> None:
    desk = Counter(where=SEATED)
    answer = ask(Script.HANDED, desk, key="12345", number="12333", group="market")
    assert (answer.next, answer.set.get(Var.GROUP)) == (Step.CONNECT, None)
    assert desk.asked == [("place", "market")]


def test_a_citizen_handed_over_to_an_old_number_goes_to_its_group_and_hears_nothing_again() -> None:
    desk = Counter(decision(group=GroupId("social-security"), overflow=((20, GroupId("general")),)))
    answer = ask(Script.HANDED, desk, key="12333", number="12345", group="market")
    assert (answer.next, answer.prompts) == (Step.WAIT, ("queue-wait",))
    assert (answer.set[Var.GROUP], answer.set[Var.OVERFLOW]) == ("social-security", "general:20")
    assert desk.asked[-1] == ("place", "social-security")
    assert not desk.noted(Kind.ENTERED)


def test_a_citizen_handed_over_to_a_sub_centres_number_goes_there() -> None:
    desk = Counter(decision(target=Target(TargetKind.SUBCENTRE, "subcentre-12366"), prompts=("legacy-12366-during",)))
    answer = ask(Script.HANDED, desk, key="12366", number="12345")
    assert (answer.next, answer.prompts, answer.set[Var.TRANSFER]) == (Step.SUBCENTRE, (), "subcentre-12366")


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


@pytest.mark.parametrize("action", list(SupervisorAction))
def test_who_is_no_supervisor_hears_so(action: SupervisorAction) -> None:
    desk = Counter()
    answer = ask(Script.SUPERVISE, desk, seat="8010", key="1001", action=action.value)
    assert answer == Answer(Step.GOODBYE, ("supervise-refused",))
    assert desk.asked == [("supervise", "8010", action, "1001")]


def test_a_supervisor_is_brought_to_the_agents_channel() -> None:
    desk = Counter(joined=SupervisorJoin(SeatId("8001")))
    answer = ask(Script.SUPERVISE, desk, seat="8010", key="1001", action="whisper")
    assert answer.set == {Var.SPY: "8001"}


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
    assert desk.asked[-1] == ("seat-key", "8001", action, "1001")


@pytest.mark.parametrize("script", list(Script))
@pytest.mark.parametrize("place", [SEATED, Queued(1, first_time=True)])
def test_whatever_is_answered_may_stand_in_a_channel_variable(script: Script, place: Place) -> None:
    assert isinstance(place, get_args(Place))
    action = "listen" if script is Script.SUPERVISE else "sign-in"
    answer = ask(script, Counter(where=place), number="12345", key="5", action=action, seat="8001")
    for name, value in answer.set.items():
        assert name in set(Var)
        assert VARIABLE_VALUE.fullmatch(value)


def test_who_leaves_a_message_leaves_the_line_first() -> None:
    desk = Counter(keys={"2": WaitingAction.MESSAGE})
    answer = ask(Script.WAITING, desk, key="2")
    assert (answer.next, answer.prompts, answer.set) == (Step.MESSAGE, ("message-ask",), {Var.STAGE: "after"})
    assert desk.asked == [("leave-line",)]


def test_who_is_on_the_way_to_an_agent_is_left_alone() -> None:
    assert ask(Script.WAITING, Counter(keys={"2": WaitingAction.MESSAGE}, leaves=False), key="2").next is Step.WAIT


def test_a_message_is_told_to_be_kept_only_when_it_is() -> None:
    answer = ask(Script.MESSAGE, Counter(), action="48044")
    assert (answer.prompts, answer.otherwise) == (("message-kept", "goodbye"), Answer(Step.UNKEPT))
    empty = ask(Script.MESSAGE, Counter(spoken=False, where=Queued(2, first_time=False)), action="44")
    assert (empty.next, empty.prompts) == (Step.WAIT, ("message-empty",))


@pytest.mark.parametrize(("opened", "refused"), [(True, ""), (False, "closed")])
def test_a_partner_is_called_in_its_hours_only(opened: bool, refused: str) -> None:
    desk = Counter(open=opened)
    assert ask(Script.PARTNER, desk, key="704") == Answer(Step.GOODBYE, set={Var.REFUSED: refused})
    assert desk.asked == [("partner_open", "704")]


def test_a_test_call_goes_the_way_of_any_other_and_is_marked_at_its_entry() -> None:
    desk, plain = Counter(), Counter()
    assert ask(Script.ENTER, desk, action=TRIAL) == ask(Script.ENTER, plain)
    assert [told["mode"] for told in desk.noted(Kind.ENTERED)] == [TRIAL]
    assert [told["mode"] for told in plain.noted(Kind.ENTERED)] == [""]
