"""A leg on a trunk is ours by who dials it, from where and what; any other is hung up."""

from __future__ import annotations

import re
from typing import Any, cast

import pytest

from asterisk_conf.render import render
from calls.switch.leg_fence import ALARM, DIALLERS, Fence, unexplained
from ledger.alarms import Alarms
from telephony.events import Event
from telephony.model import NodeId
from tests.support.engine_harness import House, event
from tests.unit.asterisk_conf.plans import TABLE, dialplan, plan

pytestmark = pytest.mark.unit


def begins(trunk: str, dialled: str, context: str = "", channel: str = "PJSIP/pstn-00000001") -> Event:
    return event(
        "DialBegin", Channel=channel, Context=context, DestChannel=f"PJSIP/{trunk}-0000000a", DialString=dialled
    )


PSTN, POLICE = TABLE.trunks["pstn"], TABLE.trunks["emergency-110"]
OURS = (
    begins("emergency-110", "110@emergency-110", "dial-centre"),
    begins("emergency-110", f"emergency-110/sip:110@{POLICE.host}:{POLICE.port}", "dial-centre"),
    begins("pstn", f"pstn/sip:13800000001@{PSTN.host}:{PSTN.port}", "ring-trunk", "Local/order@ring-out-00000001;2"),
    begins("pstn", f"pstn/sip:06638760001@{PSTN.host}:{PSTN.port}", "duty-phone"),
    begins("8001", "8001", "connect"),
)
STRAYS = (
    begins("pstn", f"pstn/sip:13800000001@{PSTN.host}:{PSTN.port}", "connect"),
    begins("pstn", f"pstn/sip:13800000001@{PSTN.host}:{PSTN.port}", channel=""),
    begins("pstn", "pstn/sip:13800000001@203.0.113.9:5060", "ring-trunk"),
    begins("pstn", "13800000001@pstn", "ring-trunk"),
    begins("emergency-110", "110@emergency-110", "from-seats"),
    begins("emergency-110", "110@emergency-110", "dial-drill"),
    begins("emergency-110", f"emergency-110/sip:119@{POLICE.host}:{POLICE.port}", "dial-centre"),
    begins("drill-110", "110@drill-110", "dial-centre"),
)


@pytest.mark.parametrize("leg", OURS)
def test_what_the_dialplan_dials_is_ours(leg: Event) -> None:
    assert unexplained(leg, TABLE) == ""


@pytest.mark.parametrize("leg", STRAYS)
def test_whatever_else_leaves_by_a_trunk_is_not(leg: Event) -> None:
    assert unexplained(leg, TABLE)


async def test_a_stray_leg_is_hung_up_and_an_alarm() -> None:
    house = House()
    fence = Fence(lambda: TABLE, cast("Any", house.link), Alarms(cast("Any", house.ledger), NodeId("hl1")))
    for leg in OURS:
        fence.hear(leg)
    fence.hear(STRAYS[0])
    await house.settle()
    assert house.link.sent == [("Hangup", {"Channel": "PJSIP/pstn-0000000a"})]
    assert fence.strays == 1
    assert set(fence._alarms.standing) == {ALARM}


def test_every_context_that_dials_a_trunk_is_known_to_the_fence_and_no_other() -> None:
    text = dialplan(render(plan())["etc/extensions.conf"])
    dial = re.compile(r"Dial\(PJSIP/(?:\d+@)?([a-z][a-z0-9-]+)")
    found = {
        (context, TABLE.trunks[name].role)
        for context, extens in text.items()
        for steps in extens.values()
        for step in steps
        for name in dial.findall(step)
        if name in TABLE.trunks
    }
    assert {context for context, _ in found} | {"connect"} == set(DIALLERS)
    assert all(role in DIALLERS[context] for context, role in found)
