"""The engine after a connect: what the switch says counts, and what happened while it was asked is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from config.credentials import Credentials
from config.settings import Settings
from engine.engine import Engine
from ivr.model import Question, Script
from ivr.ports import Queued, SeatAssignment
from ledger.journal import Journal
from queues.events import AgentSignedIn
from queues.model import TicketPhase
from queues.states import AgentState
from telephony.model import AgentId, SeatId
from tests.support.engine_harness import NOW, TABLE, Ledger, Link, call_id, channel, event
from tests.unit.calls.switch.test_state_snapshot import at_seat, caller, device, member

pytestmark = pytest.mark.unit

SIGNED_IN = [member("duty", "1001", "8001"), member("group-general", "1001", "8001")]


class Running:
    """An engine on a link that only remembers."""

    def __init__(self, data_dir: Path) -> None:
        self.link = Link()
        self.ledger = Ledger()
        self.engine = Engine(
            Settings(data_dir=data_dir), Credentials("", "made-up", "", {}), TABLE, cast("Journal", self.ledger)
        )  # fmt: skip
        self.engine.switch = self.engine.queues._switch = self.engine.recovery._switch = cast("Any", self.link)
        self.engine.recovery.serving.set()

    def ask(self, serial: int) -> Queued | SeatAssignment:
        """A caller asks for a human, as the dialplan would."""
        return self.engine.desk.place(
            Question(Script.OFFER, channel(serial), call_id(serial), since_ms=NOW, group="general")
        )


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path)
    made.link.lists = {"QueueStatus": SIGNED_IN, "DeviceStateList": [device("8001", "NOT_INUSE")]}
    yield made
    await made.engine.queues.stop()


async def test_the_switch_s_word_replaces_ours(running: Running) -> None:
    running.ask(7)
    running.engine.queues.acd.tickets[call_id(7)].joined_ms -= 60_000
    running.link.lists["Status"] = [caller(1, "wait", age=30)]
    await running.engine.recovery.reconcile()
    acd = running.engine.queues.acd
    assert set(acd.tickets) == {call_id(1)}
    assert acd.tickets[call_id(1)].since_ms == NOW - 30_000
    assert running.engine.recovery.looked.is_set()
    assert set(running.engine.calls.live) == {call_id(1)}


async def test_who_waits_since_the_look_began_keeps_its_place(running: Running) -> None:
    running.link.lists["QueueStatus"] = []
    running.link.during = lambda action: None if action != "QueueStatus" else cast("None", running.ask(2))
    await running.engine.recovery.reconcile()
    assert running.engine.queues.acd.tickets[call_id(2)].phase is TicketPhase.WAITING


async def test_who_rings_since_the_look_began_keeps_its_seat(running: Running) -> None:
    await running.engine.recovery.reconcile()
    answers: list[Queued | SeatAssignment] = []
    running.link.during = lambda action: answers.append(running.ask(2)) if action == "QueueStatus" else None
    await running.engine.recovery.reconcile()
    assert isinstance(answers[0], SeatAssignment)
    acd = running.engine.queues.acd
    assert (acd.tickets[call_id(2)].phase, acd.tickets[call_id(2)].seat) == (TicketPhase.OFFERED, "8001")
    assert acd.seats[SeatId("8001")].state is AgentState.RESERVED, "else a second call is brought to it"


async def test_who_joined_in_the_look_is_offered_a_seat_that_the_look_found(running: Running) -> None:
    running.link.during = lambda action: None if action != "QueueStatus" else cast("None", running.ask(2))
    await running.engine.recovery.reconcile()
    await _settle()
    assert [headers["Exten"] for action, headers in running.link.sent if action == "Redirect"] == ["8001"]


async def test_a_caller_in_app_queue_is_brought_back_at_its_age(running: Running) -> None:
    running.link.lists["QueueStatus"] = []
    running.link.lists["Status"] = [caller(1, "fallback", age=40, Application="Queue")]
    await running.engine.recovery.reconcile()
    redirect = ("Redirect", {"Channel": channel(1), "Context": "call", "Exten": "offer", "Priority": "1"})
    assert running.link.sent == [redirect]


async def test_those_who_talk_are_not_touched(running: Running) -> None:
    running.link.lists["Status"] = [caller(1, "connect", BridgeID="b", Application="Dial"), at_seat(1, "8001")]
    running.link.lists["DeviceStateList"] = [device("8001", "INUSE")]
    await running.engine.recovery.reconcile()
    assert running.engine.queues.acd.seats[SeatId("8001")].state is AgentState.TALKING
    assert running.engine.calls.live[call_id(1)].answered_by_human, "there is somebody to be rated"
    assert {action for action, _ in running.link.sent} <= {"QueueAdd"}


async def test_who_signed_in_without_us_gets_the_groups_of_the_table(running: Running) -> None:
    await running.engine.recovery.reconcile()
    signed_in = running.engine.queues.acd.seats[SeatId("8001")]
    assert set(signed_in.groups) == set(running.engine.snapshot.agents["1001"].groups)
    added = {headers["Queue"] for action, headers in running.link.sent if action == "QueueAdd"}
    assert added, "and the switch is told, so that the fallback knows them too"
    assert added < {f"group-{group}" for group in signed_in.groups}


async def test_a_second_look_counts_what_differed(running: Running) -> None:
    await running.engine.recovery.reconcile()
    assert running.engine.recovery.differences == 0
    running.link.lists["Status"] = [caller(1, "wait")]
    await running.engine.recovery.reconcile()
    assert running.engine.recovery.differences == 1
    await running.engine.recovery.reconcile()
    assert running.engine.recovery.differences >= 1


async def test_a_call_that_ended_while_nobody_looked_is_forgotten(running: Running) -> None:
    running.link.lists["Status"] = [caller(1, "greet")]
    await running.engine.recovery.reconcile()
    running.link.lists["Status"] = []
    await running.engine.recovery.reconcile()
    assert running.engine.calls.live == {}


async def test_a_caller_sent_to_app_queue_while_we_are_here_is_taken_back(running: Running) -> None:
    await running.engine.recovery.reconcile()
    running.engine.queues.apply(AgentSignedIn(AgentId("1002"), SeatId("8002"), TABLE.agents["1002"].groups))
    running.engine.calls.get_or_create(call_id(3), channel(3))
    running.engine.news.hear(event("QueueCallerJoin", Uniqueid=call_id(3), Channel=channel(3)))
    await _settle()
    assert (
        "Redirect",
        {"Channel": channel(3), "Context": "call", "Exten": "offer", "Priority": "1"},
    ) in running.link.sent


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
