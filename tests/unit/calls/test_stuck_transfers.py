"""A transfer that stands still is taken back, a citizen alone in a conference brought back; nobody else is touched."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from calls.registry import Calls
from calls.stuck_transfers import ALARM, ALONE_SECONDS, QUIET_SECONDS, STILL_SECONDS, StandingStill, alone
from ledger.alarms import Alarms
from ledger.journal import Journal
from telephony.ami_link import AmiLink
from telephony.events import Event
from telephony.model import CallId, NodeId, Party, Stage, Var
from tests.support.engine_harness import Link, call_id, channel, event, seat_channel
from transfers.service import TransferWatch
from transfers.states import TransferState

pytestmark = pytest.mark.unit

CALL = call_id(1)


def member(name: str, party: str = "", stage: Stage | None = None, bridge: str = "conf", call: str = CALL) -> Event:
    told = [f"{Var.CALL}={call}", f"{Var.PARTY}={party}", *([f"{Var.STAGE}={stage}"] if stage else [])]
    return event("Status", Channel=name, Variable=told, BridgeID=bridge)


CITIZEN = member(channel(1), Party.CALLER, Stage.CONFERENCE)
AGENT = member(seat_channel("8001"), Party.AGENT)


class Here:
    """The watch on a switch of which we say what it shows."""

    def __init__(self, journal: Journal) -> None:
        self.link, self.now = Link(), 100.0
        self.calls = Calls(journal)
        self.transfers = TransferWatch(self.calls.record_fact)
        self.alarms = Alarms(journal, NodeId("hl1"))
        self.watch = StandingStill(
            cast("AmiLink", self.link), self.calls, self.transfers, self.alarms, lambda: self.now
        )

    async def look(self, seconds: float = 0.0) -> None:
        self.now += seconds
        await self.watch.look()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(Journal(tmp_path / "journal"))


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ([CITIZEN], [CALL]),
        ([CITIZEN, member("CBAnn/hl1-1;1")], [CALL]),
        ([CITIZEN, AGENT], []),
        ([CITIZEN, member("Local/110@reach-1;1", Party.CENTRE)], []),
        ([member(channel(1), Party.CALLER, Stage.CONFERENCE, bridge="")], []),
        ([member(channel(1), Party.CALLER, Stage.TALK)], []),
        ([CITIZEN, member(seat_channel("8001"), Party.AGENT, bridge="elsewhere")], [CALL]),
    ],
)
def test_who_is_alone(shown: list[Event], found: list[CallId]) -> None:
    assert alone(shown, [CALL]) == found


async def test_a_citizen_alone_goes_to_the_head_of_the_line_and_is_an_alarm_until_it_is_quiet(here: Here) -> None:
    here.calls.get_or_create(CALL, channel(1)).stage = Stage.CONFERENCE
    here.link.lists["Status"] = [CITIZEN]
    await here.look()
    assert here.link.sent == [], "somebody may be on the way"
    await here.look(ALONE_SECONDS)
    there = {"Channel": channel(1), "Context": "call", "Exten": "return", "Priority": "1"}
    assert [(action, dict(told)) for action, told in here.link.sent] == [("Redirect", there)]
    assert here.alarms.standing[ALARM].grave
    here.link.lists["Status"] = []
    await here.look(QUIET_SECONDS)
    assert ALARM not in here.alarms.standing


async def test_a_press_that_began_nothing_is_taken_back_and_the_key_works_again(here: Here) -> None:
    here.calls.get_or_create(CALL, channel(1)).stage = Stage.CONFERENCE
    here.transfers.on_event(CALL, {"Target": "110", "State": "asked", "Form": "one-key"})
    here.link.lists["Status"] = [
        member(channel(1), Party.CALLER, Stage.TALK),
        member(seat_channel("8001"), Party.AGENT),
    ]
    await here.look()
    await here.look(STILL_SECONDS)
    told = {"Channel": seat_channel("8001"), "Variable": Var.TRANSFER, "Value": ""}
    assert [(action, dict(sent)) for action, sent in here.link.sent] == [("Setvar", told)]
    assert here.transfers.transfers[CALL].state is TransferState.FAILED
    assert here.watch.mended == 1
    await here.look(STILL_SECONDS)
    assert here.watch.mended == 1


async def test_one_that_dials_is_left_alone(here: Here) -> None:
    here.calls.get_or_create(CALL, channel(1)).stage = Stage.CONFERENCE
    here.transfers.on_event(CALL, {"Target": "110", "State": "asked", "Form": "one-key"})
    here.link.lists["Status"] = [CITIZEN, AGENT]
    await here.look()
    here.transfers.on_event(CALL, {"Target": "110", "State": "dialling", "Trunk": "emergency-110"})
    await here.look(STILL_SECONDS)
    await here.look(STILL_SECONDS)
    assert here.link.sent == []
