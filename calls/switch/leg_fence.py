"""The fence around our trunks: a leg that leaves by one without a reason of ours is hung up at once, and is an alarm.

One job: to judge each leg that begins to ring on a trunk by who dials it, from where in the dialplan, and what. Nothing
else of ours dials trunks (asterisk_conf, telephony.ring), so a leg that this does not explain was made by somebody's
redirect, by a hand at the switch, or by a fault of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from calls.switch.channel_names import CHANNEL
from ledger.alarms import Alarms
from routing.drill_trunks import DRILL
from routing.model import Snapshot, Trunk
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.events import Event
from telephony.model import CallId, made_by_us

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

ALARM: Final = "stray-call"
CENTRES: Final = frozenset({"emergency", "emergency-backup"})
CARRIER: Final = frozenset({"pstn"})
PARTNERS: Final = frozenset({"subcentre", "utility", "neighbour"})

DIALLERS: Final[Mapping[str, frozenset[str]]] = {
    "dial-centre": CENTRES,
    "dial-partner": PARTNERS | CENTRES | CARRIER,
    "dial-drill": frozenset({DRILL}),
    "subcentre": frozenset({"subcentre"}),
    "connect": frozenset({"subcentre"}),
    "duty-phone": CARRIER,
    "ring-trunk": CARRIER,
}
"""Contexts of the dialplan that dial trunks, and the roles of those that each may dial."""


def unexplained(event: Event, table: Snapshot) -> str:
    """Why this leg (a DialBegin) has no reason of ours, for the log; empty when it has, or goes to no trunk."""
    match = CHANNEL.match(event.get("DestChannel") or "")
    trunk = table.trunks.get(match[1]) if match is not None else None
    if trunk is None:
        return ""
    if not event.get("Channel"):
        called_back = trunk.role in CARRIER and made_by_us(CallId(event.get("DestUniqueid") or ""))
        return "" if called_back else "nobody dials it"
    context = event.get("Context") or ""
    if trunk.role not in DIALLERS.get(context, frozenset()):
        return f"dialled from {context:.40}"
    return "" if _ours(trunk, event.get("DialString") or "") else "another number, or another far end"


def _ours(trunk: Trunk, dialled: str) -> bool:
    """Whether the trunk's own number, or any number of the carrier's, is dialled at the trunk's own address."""
    if dialled == f"{trunk.number}@{trunk.id}":
        return bool(trunk.number)
    user, _, host = dialled.removeprefix(f"{trunk.id}/sip:").partition("@")
    known = user.removeprefix("+").isdigit() if trunk.role == "pstn" else user == trunk.number
    return known and host == f"{trunk.host}:{trunk.port}"


class Fence:
    """Of one node."""

    def __init__(self, snapshot: Callable[[], Snapshot], switch: AmiLink, alarms: Alarms) -> None:
        self._snapshot = snapshot
        self._switch = switch
        self._alarms = alarms
        self._work: set[asyncio.Task[Any]] = set()
        self.strays = 0
        """Legs that were hung up since the start."""

    def hear(self, event: Event) -> None:
        """One event of the switch."""
        if event.name != "DialBegin":
            return
        why = unexplained(event, self._snapshot())
        if not why:
            return
        self.strays += 1
        channel = event.get("DestChannel") or ""
        log.critical("stray call on a trunk", channel=channel, why=why)
        self._alarms.put(ALARM, TEXT)
        task = asyncio.get_running_loop().create_task(self._hang_up(channel))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _hang_up(self, channel: str) -> None:
        try:
            await self._switch.send("Hangup", {"Channel": channel})
        except AmiError as error:
            log.error("stray call not hung up", channel=channel, error=str(error))


TEXT: Final = (
    "线路上出现了不是本系统发起的呼出，已当即挂断：可能有人登录了交换机，或对端要求把呼叫转到别处。"
    "请查引擎日志 stray call on a trunk 写明的线路和时间，核对运营商话单；查清后重启引擎消除本告警"
)
