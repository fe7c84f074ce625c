"""A transfer that stands still, and a citizen alone in a conference: found within 5 s, and mended.

One job: what the dialplan's own steps cannot see, because the step that should have come did not. Nobody is moved who
is with somebody: a press that began nothing is taken back, so that the key works again; a citizen with whom nobody is
left goes to the head of the line. Every mend is counted, and an alarm until it has been quiet.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import structlog

from calls.registry import Calls
from ledger.alarms import Alarms
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.events import Event
from telephony.model import CallId, Party, Stage, Var
from transfers.service import TransferWatch
from transfers.states import TransferEvent, TransferState

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
ASK_SECONDS: Final = 2.0
"""Between two questions for all channels while nobody is suspected: what is alone is seen after this, mended after
:data:`ALONE_SECONDS` more."""

STILL_SECONDS: Final = 2.0
"""A leg within the switch begins in milliseconds; one that has not after this does not come."""
ALONE_SECONDS: Final = 2.0
QUIET_SECONDS: Final = 600.0
ALARM: Final = "transfer-stuck"
_WANTED: Final = ",".join((Var.CALL, Var.PARTY, Var.STAGE, Var.TRANSFER))
_BESIDE: Final = ("CBAnn/", "CBRec/", "ConfBridgeRecorder/")
"""Channels of the conference itself, which are nobody."""


class StandingStill:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        calls: Calls,
        transfers: TransferWatch,
        alarms: Alarms,
        clock: Callable[[], float] = lambda: asyncio.get_running_loop().time(),
    ) -> None:
        self._switch = switch
        self._calls = calls
        self._transfers = transfers
        self._alarms = alarms
        self._clock = clock
        self._since: dict[tuple[str, CallId, str], float] = {}
        """What is suspected since when."""
        self._mended_at: float | None = None
        self._asked_at = -ASK_SECONDS
        self.mended = 0
        """Since the start."""

    async def run(self) -> None:
        """For ever; asks the switch nothing while nobody is being transferred."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except AmiError as error:
                log.info("transfers not looked at", error=str(error))

    async def look(self) -> None:
        """One look. Raises AmiError when the switch does not tell."""
        if self._mended_at is not None and self._clock() - self._mended_at >= QUIET_SECONDS:
            self._alarms.clear(ALARM)
            self._mended_at = None
        still = {
            ("still", call, transfer.id)
            for call, transfer in self._transfers.transfers.items()
            if transfer.state is TransferState.ASKED
        }
        together = [call.call for call in self._calls.live.values() if call.stage is Stage.CONFERENCE]
        if not self._switch.up or not (still or together):
            self._since.clear()
            return
        # All channels are the dearest question there is: not at every look, and not to see again what is fresh.
        now = self._clock()
        suspects = {one for one in self._since if one[0] == "alone"}
        asks = bool(together) and (bool(suspects) or now - self._asked_at >= ASK_SECONDS)
        shown: Sequence[Event] = []
        if asks:
            self._asked_at = now
            shown = await self._switch.collect("Status", {"Variables": _WANTED}, until="StatusComplete")
        found = still | ({("alone", call, "") for call in alone(shown, together)} if asks else suspects)
        self._since = {one: self._since.get(one, now) for one in found}
        for one, since in list(self._since.items()):
            kind, call, _ = one
            if now - since >= (STILL_SECONDS if kind == "still" else ALONE_SECONDS):
                del self._since[one]
                await (self._take_back(call) if kind == "still" else self._bring_back(call, shown))

    async def _take_back(self, call: CallId) -> None:
        """The key was pressed and nothing came of it: the two are together, and the key works again."""
        transfer = self._transfers.transfers.get(call)
        if transfer is None or transfer.state is not TransferState.ASKED:
            return
        self._mended(call, f"向 {transfer.target} 的转接没有开始；来电人和座席仍在一起，请再按一次并检查交换机")
        self._transfers.on_event(call, {"Target": transfer.target, "State": TransferEvent.FAILS, "Cause": "stuck"})
        shown = await self._switch.collect("Status", {"Variables": _WANTED}, until="StatusComplete")
        mine = [event for event in shown if event.variables.get(Var.CALL) == call]
        for agent in (event for event in mine if event.variables.get(Var.PARTY) == Party.AGENT):
            if agent.variables.get(Var.STAGE) != Stage.CONFERENCE:
                with suppress(AmiError):
                    await self._switch.send(
                        "Setvar", {"Channel": agent["Channel"], "Variable": Var.TRANSFER, "Value": ""}
                    )

    async def _bring_back(self, call: CallId, shown: Sequence[Event]) -> None:
        caller = next((event for event in shown if _is(event, call, Party.CALLER)), None)
        if caller is None:
            return
        self._mended(call, "一位来电人独自留在会议里，已接回队首；请看这次来电的经过")
        transfer = self._transfers.transfers.get(call)
        over = transfer is not None and transfer.state is TransferState.ENDED
        there = {"Context": "call", "Exten": "after" if over else "return", "Priority": "1"}
        await self._switch.send("Redirect", {"Channel": caller["Channel"], **there})

    def _mended(self, call: CallId, text: str) -> None:
        self.mended += 1
        self._mended_at = self._clock()
        log.error("transfer stood still", call=call, text=text)
        self._alarms.put(ALARM, f"{text}（呼叫 {call}）")


def alone(shown: Sequence[Event], together: Sequence[CallId]) -> list[CallId]:
    """The calls of these whose citizen is in a conference with nobody."""
    people = Counter(event.get("BridgeID") for event in shown if not (event.get("Channel") or "").startswith(_BESIDE))
    wanted = set(together)
    return [
        CallId(event.variables[Var.CALL])
        for event in shown
        if event.variables.get(Var.CALL) in wanted
        and event.variables.get(Var.PARTY) == Party.CALLER
        and event.variables.get(Var.STAGE) == Stage.CONFERENCE
        and event.get("BridgeID")
        and people[event.get("BridgeID")] == 1
    ]


def _is(event: Event, call: CallId, party: Party) -> bool:
    return event.variables.get(Var.CALL) == call and event.variables.get(Var.PARTY) == party
