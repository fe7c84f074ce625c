"""Back to what is: our memory made what the switch says, and callers brought back from app_queue.

One job: mend what a lost link or a late answer has put out of step. What the switch's lists mean is
calls.switch.state_snapshot's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import structlog

from calls.model import LiveCall
from calls.policy_from_table import policy_from_table
from calls.registry import Calls
from calls.switch.state_snapshot import Caller, SwitchState, read_switch, seats, tickets, to_adopt
from queues.acd import Acd
from queues.call_rules import wish_of
from queues.events import TicketSeen
from queues.model import TicketPhase
from queues.restore import restore
from queues.service import Clock, QueueService
from queues.subcentre_seats import seen_places
from routing.model import Snapshot
from routing.numbers import citizen
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.model import CallId, NodeId, Stage
from transfers.service import TransferWatch

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

RETURN_AGAIN_SECONDS: Final = 5.0
"""A caller whom the dialplan sent to app_queue more than once is brought back only after this long."""


class Recovery:
    """Of one node."""

    def __init__(
        self,
        node: NodeId,
        snapshot: Callable[[], Snapshot],
        switch: AmiLink,
        queues: QueueService,
        calls: Calls,
        transfers: TransferWatch,
        clock: Clock,
        device_states: Callable[[Mapping[str, str]], None] = lambda _: None,
        from_wall: Callable[[int], int] = lambda at_ms: at_ms,
    ) -> None:
        """``device_states`` hears what the switch says of every endpoint, ``from_wall`` is our time of the switch's."""
        self._from_wall = from_wall
        self._device_states = device_states
        self._node = node
        self._snapshot = snapshot
        self._switch = switch
        self._queues = queues
        self._calls = calls
        self._transfers = transfers
        self._clock = clock
        self._returning: set[asyncio.Task[None]] = set()
        self.looked = asyncio.Event()
        """The switch has been asked at least once what is."""
        self.serving = asyncio.Event()
        """Questions are answered: only now may a caller be taken out of app_queue."""
        self.reconciled_at: datetime | None = None
        self.differences = 0
        """Seats and calls that a reconcile found other than we believed, since the start."""

    def stop(self) -> None:
        """Questions are no longer answered: who is in app_queue stays there."""
        self.serving.clear()
        for task in self._returning:
            task.cancel()

    async def reconcile(self) -> None:
        """Make our memory what the switch says. Raises AmiError when it does not tell; the link then tries again."""
        began = self._clock()
        table = self._snapshot()
        seen = self._by_our_clock(await read_switch(self._switch))
        before = self._queues.acd
        shown = tickets(seen, table.default_group)
        listed = {one.ticket.call for one in shown}
        acd, effects = restore(
            self._node,
            policy_from_table(table),
            [*seats(seen, table), *seen_places(table, datetime.now(UTC))],
            [*shown, *(one for one in _joined_since(before, began) if one.ticket.call not in listed)],
            self._clock(),
        )
        self._learn(seen)
        self._device_states(seen.device_states)
        self.differences += _differences(before, acd) if self.looked.is_set() else 0
        self._queues.replace_state(acd, effects)
        await self._queues.settle_roster(seen.members)
        for fault in seen.roster.faults:
            log.warning("sign-in on the switch not understood", fault=fault)
        self.reconciled_at = datetime.now(UTC)
        self.looked.set()
        log.info(
            "reconciled",
            calls=len(seen.callers),
            signed_in=len(seen.roster.sign_ins),
            seen_differences=self.differences,
        )
        if not self.serving.is_set():
            await self.serving.wait()
            seen = await read_switch(self._switch)  # who was sent away meanwhile, too
        for caller in to_adopt(seen):
            held = self._calls.get_or_create(caller.call, caller.channel, caller.stage)
            held.stage = Stage.FALLBACK
            await self._bring_back(held)

    def _by_our_clock(self, seen: SwitchState) -> SwitchState:
        """A call's age is what we know of it; of one we do not know, what the switch's wall clock says."""

        def since(caller: Caller) -> int:
            held = self._calls.live.get(caller.call)
            return (held.since_ms if held is not None else 0) or self._from_wall(caller.since_ms)

        return replace(seen, callers=tuple(replace(caller, since_ms=since(caller)) for caller in seen.callers))

    def sent_away(self, call: CallId) -> None:
        """The dialplan did not get our answer in time and went on alone, but we are here: take the caller back."""
        if self.serving.is_set():
            task = asyncio.get_running_loop().create_task(self._take_back(call))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    def _learn(self, seen: SwitchState) -> None:
        for call in self._calls.missing_from(caller.call for caller in seen.callers):
            # Over while we were not looking: the end is filled in from CEL, which knows its time and cause.
            self._transfers.end(call)
            del self._calls.live[call]
        for caller in seen.callers:
            held = self._calls.get_or_create(caller.call, caller.channel, caller.stage)
            held.recorded = held.recorded or caller.stage not in (Stage.RING, Stage.GREET, Stage.WAIT)
            held.preferred, held.language = caller.preferred, caller.language
            who = citizen(caller.number, self._snapshot().area_code)
            held.caller, held.number = held.caller or who, held.number or caller.dialled
            held.since_ms, held.group = held.since_ms or caller.since_ms, held.group or caller.group
            held.priority, held.origin = caller.priority, held.origin or caller.origin
            held.answered_by_human = (
                held.answered_by_human or caller.bridged or caller.stage in (Stage.CONFERENCE, Stage.AFTER)
            )
        for call, transfer in seen.transfers.items():
            self._transfers.restore(call, transfer)

    async def _take_back(self, call: CallId) -> None:
        held = self._calls.live.get(call)
        if held is not None and held.returns:
            await asyncio.sleep(RETURN_AGAIN_SECONDS)
            held = self._calls.live.get(call)
        if held is not None:
            await self._bring_back(held)

    async def _bring_back(self, held: LiveCall) -> None:
        """From app_queue into our own line, at the caller's age; not one who is on the way to a seat by now."""
        ticket = self._queues.acd.tickets.get(held.call)
        if held.stage is not Stage.FALLBACK or (ticket is not None and ticket.phase is not TicketPhase.WAITING):
            return
        held.returns += 1
        try:
            await self._switch.send(
                "Redirect", {"Channel": held.channel, "Context": "call", "Exten": "offer", "Priority": "1"}
            )
        except AmiError as error:
            log.warning("caller left to app_queue", call=held.call, error=str(error))


def _joined_since(acd: Acd, began: int) -> list[TicketSeen]:
    """Who asked for a human while the switch was being asked: its lists may not show them, nor their seats."""
    return [
        TicketSeen(
            wish_of(ticket),
            ticket.phase,
            ticket.seat,
            ticket.joined_ms,
        )
        for ticket in acd.tickets.values()
        if ticket.joined_ms >= began
    ]


def _differences(before: Acd, after: Acd) -> int:
    moved = sum(
        1
        for call, ticket in after.tickets.items()
        if (was := before.tickets.get(call)) is None or was.phase is not ticket.phase
    )
    gone = len(before.tickets.keys() - after.tickets.keys())
    agents = sum(
        1
        for seat_id, seat in after.seats.items()
        if (was_seat := before.seats.get(seat_id)) is None or was_seat.agent != seat.agent
    )
    return moved + gone + agents
