"""What a supervisor's deed is told as: what came of it, not what was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from calls.policy_from_table import sign_in_event
from ivr.model import Script
from ivr.ports import SupervisorAction
from ledger.model import Kind
from queues.events import SeatBusyElsewhere
from queues.model import NotAllowed
from telephony.events import OriginateOutcome
from telephony.model import AgentId, SeatId
from tests.support.engine_harness import House, event

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

BOSS, AGENT = AgentId("1010"), AgentId("1001")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Agent 1001 talks at 8001, the supervisor is signed in at 8010."""
    made = House()
    made.queues.apply(sign_in_event(made.table, AGENT, SeatId("8001")))
    made.desk.place(made.question(Script.OFFER))
    made.dial("DialBegin", 1, "8001")
    made.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    made.queues.apply(sign_in_event(made.table, BOSS, SeatId("8010")))
    yield made
    await made.supervision.stop()
    await made.queues.stop()


async def settle(house: House) -> None:
    await asyncio.gather(*house.supervision._work)


async def test_a_phone_that_nobody_takes_has_joined_nothing(house: House) -> None:
    async def busy(channel: str, **told: Any) -> OriginateOutcome:
        return OriginateOutcome(False, 5, channel, None)

    house.link.originate = busy
    house.supervision.call_to_join(BOSS, SupervisorAction.WHISPER, AGENT, "质检")
    await settle(house)
    assert house.ledger.of(Kind.OPERATOR_ACTION) == []


async def test_who_listens_goes_over_to_whisper_without_being_rung(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.supervision.GOES_OVER_SECONDS", 0)
    house.queues.apply(SeatBusyElsewhere(SeatId("8010")))

    def shown(action: str) -> None:
        where = "whisper" if "Redirect" in dict(house.link.sent) else "listen"
        house.link.lists["Status"] = [
            event("Status", Channel="PJSIP/8001-0000000b", Context="from-seats"),
            event("Status", Channel="PJSIP/8010-0000000c", Context="spy", Exten=where),
        ]

    house.link.during = shown
    house.supervision.call_to_join(BOSS, SupervisorAction.WHISPER, AGENT, "质检")
    await settle(house)
    where = dict(house.link.sent)["Redirect"]
    assert (where["Channel"], where["Context"], where["Exten"]) == ("PJSIP/8010-0000000c", "spy", "whisper")
    assert "Originate" not in dict(house.link.sent)
    (deed,) = house.ledger.of(Kind.OPERATOR_ACTION)
    assert (deed["what"], deed["agent"], deed["reason"]) == ("whisper", "1001", "质检")


async def test_who_has_just_stopped_listening_is_rung(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calls.supervision.GOES_OVER_SECONDS", 0)
    house.queues.apply(SeatBusyElsewhere(SeatId("8010")))

    def shown(action: str) -> None:
        ended = "Redirect" in dict(house.link.sent)
        last = [event("Status", Channel="PJSIP/8010-0000000c", Context="spy", Exten="listen")]
        house.link.lists["Status"] = [] if ended else last

    house.link.during = shown
    house.supervision.call_to_join(BOSS, SupervisorAction.WHISPER, AGENT, "质检")
    await settle(house)
    assert "Originate" in dict(house.link.sent)
    assert len(house.ledger.of(Kind.OPERATOR_ACTION)) == 1


async def test_who_has_a_call_of_his_own_is_told_so(house: House) -> None:
    house.desk.place(house.question(Script.OFFER, 2))
    assert house.queues.acd.seats[SeatId("8010")].call is not None
    with pytest.raises(NotAllowed, match="您自己正在处理来电"):
        house.supervision.call_to_join(BOSS, SupervisorAction.LISTEN, AGENT, "质检")
