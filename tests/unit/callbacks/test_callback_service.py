from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from callbacks import service
from callbacks.model import Callback, CallbackState, RequestOutcome
from callbacks.service import Callbacks
from engine.wiring.callbacks import callbacks
from ivr.model import Question, Script
from ivr.ports import Queued, SeatAssignment
from ledger.model import Kind
from queues.events import AgentSignedIn, SeatReachable, SeatUnreachable, SignedOut
from queues.states import AgentState
from routing.model import CallbackPolicy
from telephony.errors import AmiDown, AmiRefused
from telephony.events import OriginateOutcome
from telephony.model import AgentId, GroupId, SeatId, Stage, Var
from tests.support.engine_harness import TABLE, House, call_id, event
from tests.support.leaks import close_with_the_loop

pytestmark = pytest.mark.unit

SEAT = SeatId("8001")
NUMBER = "13600000001"
PROMISED_IN = call_id(1)


class Home(House):
    """A house whose switch dials: each Originate waits until the test says how it ended."""

    def __init__(self) -> None:
        super().__init__(replace(TABLE, callback=CallbackPolicy()))
        self.dialled: list[dict[str, Any]] = []
        self.outcomes: list[asyncio.Future[OriginateOutcome]] = []
        self.link.originate = self.originate
        self.callbacks.loaded = True
        self.queues.apply(SeatReachable(SEAT))

    async def originate(self, channel: str, **how: Any) -> OriginateOutcome:
        self.dialled.append({"channel": channel, **how})
        outcome: asyncio.Future[OriginateOutcome] = asyncio.get_running_loop().create_future()
        self.outcomes.append(outcome)
        return await outcome

    def ring(self, reason: int) -> None:
        """The telephone of the latest attempt: 4 it was answered, 5 busy, 3 it rang in vain."""
        self.outcomes[-1].set_result(OriginateOutcome(reason == 4, reason, "PJSIP/pstn-1", None))

    def agent(self, agent: str = "1001", seat: str = SEAT) -> None:
        self.queues.apply(SeatReachable(SeatId(seat)))
        self.queues.apply(AgentSignedIn(AgentId(agent), SeatId(seat), (GroupId("general"),)))

    def ask(self, serial: int = 1, number: str = NUMBER) -> RequestOutcome:
        question = self.question(Script.CALLBACK, serial, number="12320")
        self.desk.place(question)
        return self.desk.promise(question, number)

    async def look(self) -> None:
        await self.callbacks.resolve_in_doubt()
        self.callbacks.schedule_due()
        await self.settle()

    async def rung(self) -> None:
        """Promised, an agent held, and the citizen's telephone rings."""
        self.ask()
        self.agent()
        await self.look()

    def states(self) -> list[str]:
        return [str(data["state"]) for data in self.ledger.of(Kind.CALLBACK)]

    @property
    def promise(self) -> Callback:
        found = self.callbacks.book.get(PROMISED_IN)
        assert found is not None
        return found


@pytest.fixture
async def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(service, "HANG_UP_SECONDS", 0)
    return Home()


async def test_nobody_is_dialled_before_an_agent_is_held_for_the_citizen(home: Home) -> None:
    assert home.ask() is RequestOutcome.PROMISED
    await home.look()
    assert home.dialled == []
    home.agent()
    await home.settle()
    (dialled,) = home.dialled
    assert dialled["channel"].startswith("PJSIP/pstn/sip:")
    assert (dialled["variables"][Var.RING], dialled["variables"][Var.TRUNK]) == (NUMBER, "pstn")
    assert dialled["channel_id"] == home.promise.call
    assert dialled["variables"][Var.SINCE] == str(home.promise.since_ms)
    assert home.state("8001") is AgentState.RESERVED


async def test_from_the_answer_on_it_is_a_call_like_any_other(home: Home) -> None:
    await home.rung()
    home.ring(4)
    asked = Question(Script.OFFER, "PJSIP/pstn-2", home.promise.call, group="general", since_ms=1)
    assert isinstance(home.desk.place(asked), SeatAssignment)
    assert home.queues.acd.tickets[home.promise.call].channel == "PJSIP/pstn-2"
    assert home.states() == ["waiting", "dialling", "reached"]


async def test_the_attempt_is_on_the_disk_before_the_switch_is_asked(home: Home) -> None:
    home.ask()
    home.agent()
    home.ledger.stalled = True
    await home.look()
    assert home.dialled == []
    assert home.states() == ["waiting", "dialling", "waiting"]
    assert home.promise.attempts == 0
    assert home.state("8001") is AgentState.READY


async def test_a_promise_that_the_disk_refuses_is_none(home: Home) -> None:
    home.ledger.stalled = True
    assert home.ask() is RequestOutcome.PROMISED
    assert not await home.desk.durable(home.question(Script.CALLBACK))
    assert home.callbacks.book.open() == []
    assert isinstance(home.desk.place(home.question(Script.OFFER)), Queued), "the caller waits on"


@pytest.mark.parametrize(("reason", "why"), [(5, "busy"), (3, "no-answer"), (0, "unreachable"), (8, "unreachable")])
async def test_a_citizen_who_is_not_reached_frees_the_agent_at_once(home: Home, reason: int, why: str) -> None:
    await home.rung()
    home.ring(reason)
    await home.settle()
    assert (home.promise.state, home.promise.why, home.promise.attempts) == (CallbackState.WAITING, why, 1)
    assert home.state("8001") is AgentState.READY
    home.callbacks.schedule_due()
    await home.settle()
    assert len(home.dialled) == 1, "not before its time"


async def test_the_hang_up_and_the_outcome_of_one_attempt_are_one_failure(home: Home) -> None:
    await home.rung()
    attempt = home.promise.call
    home.news.hear(event("Hangup", Channel="PJSIP/pstn-2", Uniqueid=attempt, Linkedid=attempt, Cause="17"))
    home.ring(5)
    await home.settle()
    assert home.states() == ["waiting", "dialling", "waiting"]
    assert home.promise.why == "busy"


async def test_an_agent_who_goes_while_it_rings_does_not_make_it_ring_twice(home: Home) -> None:
    await home.rung()
    home.queues.apply(SeatUnreachable(SEAT))
    home.agent("1002", "8002")
    await home.look()
    assert len(home.dialled) == 1
    assert home.queues.acd.tickets[home.promise.call].seat == "8002", "another agent is held for the citizen"


@pytest.mark.parametrize("error", [AmiDown("gone"), AmiRefused("no")])
async def test_what_was_not_dialled_does_not_count(home: Home, error: Exception) -> None:
    await home.rung()
    home.outcomes[-1].set_exception(error)
    await home.settle()
    assert (home.promise.state, home.promise.attempts) == (CallbackState.WAITING, 0)


async def test_a_number_is_promised_one_call_at_a_time_and_so_many_a_day(home: Home) -> None:
    assert home.ask(1) is RequestOutcome.PROMISED
    assert home.ask(2) is RequestOutcome.ALREADY
    for serial in (3, 4):
        home.callbacks.cancel(home.callbacks.book.open()[0].id, "试验")
        assert home.ask(serial) is RequestOutcome.PROMISED
    home.callbacks.cancel(call_id(4), "试验")
    assert home.ask(5) is RequestOutcome.TOO_MANY
    assert home.ask(6, "13600000002") is RequestOutcome.PROMISED


async def test_a_promise_stands_in_the_line_as_soon_as_it_is_on_the_disk(home: Home) -> None:
    await home.callbacks.resolve_in_doubt()
    home.ask(1)
    assert await home.desk.durable(home.question(Script.CALLBACK))
    home.desk.place(home.question(Script.OFFER, 2, since_ms=home.now))
    home.agent()
    await home.settle()
    assert len(home.dialled) == 1, "before the caller who is younger"


async def test_numbers_that_are_never_called_are_never_promised(home: Home) -> None:
    for number in ("110", "12345", "+8613600000001", "", "95588"):
        assert home.ask(1, number) is RequestOutcome.NOT_CALLABLE
    assert home.queues.acd.tickets[PROMISED_IN].channel, "and the caller keeps its place"


async def test_a_caller_to_whom_an_agent_is_on_the_way_is_promised_nothing(home: Home) -> None:
    home.agent()
    assert home.ask() is RequestOutcome.ON_THE_WAY


async def test_who_was_served_after_all_is_not_called(home: Home) -> None:
    home.ask()
    home.agent()
    home.desk.place(home.question(Script.OFFER))
    home.dial("DialBegin", 1, "8001")
    home.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    assert home.states()[-1] == "withdrawn"
    assert home.callbacks.book.open() == []


async def test_nobody_is_called_before_all_is_known_that_was_promised(home: Home) -> None:
    home.callbacks.loaded = False
    home.ask()
    home.agent()
    running = asyncio.create_task(home.callbacks.run())
    await home.settle()
    assert home.dialled == []
    home.callbacks.loaded = True
    running.cancel()
    running = asyncio.create_task(home.callbacks.run())
    home.callbacks.on_reconnected()
    await home.settle()
    await home.settle()
    assert len(home.dialled) == 1
    running.cancel()


def revived(home: Home, one: Callback) -> Callbacks:
    """A new engine beside the same switch, with what the disk says."""
    fresh = callbacks(
        lambda: home.table,
        cast("Any", home.link),
        home.queues,
        home.calls,
        cast("Any", home.ledger),
        lambda: home.now,
    )
    close_with_the_loop(fresh.stop)
    fresh.book.learn([one])
    fresh.loaded = True
    return fresh


@pytest.mark.parametrize(("answered", "state"), [(True, CallbackState.COMPLETED), (False, CallbackState.WAITING)])
async def test_an_attempt_that_ended_unseen_is_judged_by_the_switchs_own_note(
    home: Home, answered: bool, state: CallbackState
) -> None:
    await home.rung()
    one = home.promise
    noted = one.call if answered else "hl1-1700000000.9000000001"
    home.link.lists["DBGet"] = [event("DBGetResponse", Family="callbacks", Key="1", Val=noted)]
    home.calls.live.clear()
    fresh = revived(home, one)
    await fresh.resolve_in_doubt()
    found = fresh.book.get(one.id)
    assert found is not None
    assert (found.state, found.attempts) == (state, 1)


async def test_an_attempt_that_still_rings_is_left_alone(home: Home) -> None:
    await home.rung()
    one = home.promise
    home.calls.get_or_create(one.call, "PJSIP/pstn-2", Stage.RING)
    fresh = revived(home, one)
    await fresh.resolve_in_doubt()
    fresh.schedule_due()
    found = fresh.book.get(one.id)
    assert found is not None
    assert found.state is CallbackState.DIALLING


async def test_a_signed_out_agent_is_not_held(home: Home) -> None:
    await home.rung()
    home.ring(5)
    await home.settle()
    home.queues.apply(SignedOut(SEAT))
    assert home.state("8001") is AgentState.SIGNED_OUT
