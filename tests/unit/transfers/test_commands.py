"""Pressing for an agent: nothing is left behind that would make the agent's own key do nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest

from queues.model import NotAllowed
from telephony.ami_link import AmiLink
from telephony.errors import AmiDeadline, AmiError, AmiRefused
from telephony.events import OriginateOutcome
from telephony.model import EMERGENCY_NUMBERS, Party, Stage, Var
from telephony.ring import ORIGINATED
from tests.support.engine_harness import Link, call_id, channel, event, seat_channel
from transfers.commands import TransferCommands
from transfers.states import Form, Settlement

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SEAT = seat_channel("8001")


class Talk(Link):
    """A switch on which a caller and an agent talk, and which begins no third leg."""

    def __init__(self, fault: AmiError | None = None) -> None:
        super().__init__()
        self.fault = fault
        common = {"BridgeID": "b"}
        told = (f"{Var.CALL}={call_id(1)}", f"{Var.STAGE}={Stage.TALK}")
        self.lists["Status"] = [
            event("Status", Channel=name, Variable=[*told, f"{Var.PARTY}={party}"], **common)
            for name, party in ((channel(1), Party.CALLER), (SEAT, Party.AGENT))
        ]

    async def _originate(self, channel: str, **how: Any) -> OriginateOutcome:
        self.sent.append(("Originate", {"Channel": channel, **how["variables"]}))
        if self.fault is not None:
            raise self.fault
        return OriginateOutcome(answered=False, reason=8, channel=channel, unique_id=None)


@pytest.mark.parametrize("fault", [AmiRefused("no such channel"), AmiDeadline("no answer")])
async def test_a_press_that_fails_leaves_the_agents_own_key_working(fault: AmiError) -> None:
    link = Talk(fault)
    with pytest.raises(NotAllowed, match=r"请座席在话机上按 \*110"):
        await TransferCommands(cast("AmiLink", link)).start(call_id(1), "110", Form.ONE_KEY)
    noted = [told["Value"] for action, told in link.sent if action == "Setvar" and told["Channel"] == SEAT]
    assert noted == ["110", ""], "with the name of a centre there, the dialplan takes a key for a second one"


async def test_a_blind_press_that_fails_has_noted_nothing() -> None:
    link = Talk(AmiRefused("no such channel"))
    with pytest.raises(NotAllowed):
        await TransferCommands(cast("AmiLink", link)).start(call_id(1), "701", Form.BLIND)
    assert [action for action, _ in link.sent] == ["Originate"]


async def test_a_leg_that_does_not_begin_moves_nobody_is_told_and_leaves_the_key_working() -> None:
    link = Talk()
    told: list[tuple[str, str, str]] = []
    press = TransferCommands(
        cast("AmiLink", link), lambda call, news: told.append((call, news["State"], news["Target"]))
    )
    with pytest.raises(NotAllowed, match="两人仍在通话"):
        await press.start(call_id(1), "110", Form.ONE_KEY)
    assert [action for action, _ in link.sent] == ["Setvar", "Originate", "Setvar"], "nobody is redirected"
    assert [dict(news)["Value"] for action, news in link.sent if action == "Setvar"] == ["110", ""]
    assert told == [(call_id(1), "asked", "110"), (call_id(1), "failed", "110")]


@pytest.mark.parametrize("bridge", ["", "b"])
async def test_a_consultation_is_ended_only_while_the_caller_is_aside(bridge: str) -> None:
    link = Link()
    told = [f"{Var.CALL}={call_id(1)}", f"{Var.STAGE}={Stage.CONFERENCE}", f"{Var.PARTY}={Party.CALLER}"]
    link.lists["Status"] = [event("Status", Channel=channel(1), Variable=told, BridgeID=bridge)]
    press = TransferCommands(cast("AmiLink", link))
    if bridge:
        with pytest.raises(NotAllowed, match="没有在咨询"):
            await press.settle(call_id(1), Settlement.BACK)
        return
    await press.settle(call_id(1), Settlement.BACK)
    there = {"Channel": channel(1), "Context": "consult-for", "Exten": "back", "Priority": "1"}
    assert [(action, dict(told)) for action, told in link.sent] == [("Redirect", there)]


@pytest.mark.parametrize("target", [*EMERGENCY_NUMBERS, "401", "999"])
async def test_the_third_leg_is_a_channel_that_the_link_lets_out(target: str) -> None:
    assert ORIGINATED.fullmatch(f"Local/{target}@reach/n")


@pytest.mark.parametrize(
    "channel",
    ["Local/12345@reach/n", "Local/1110@reach/n", "Local/110@reach", "Local/110@reach/n&PJSIP/8001", "PJSIP/110"],
)
async def test_nothing_else_goes_out_beside_it(channel: str) -> None:
    assert not ORIGINATED.fullmatch(channel)
