"""Stuck states, found and mended: what we believe of calls and seats is held against the switch every few seconds.

One job: tell what has been wrong for two looks in a row, and mend it by telling the ACD what the switch should have
said. What is only on its way is right by the second look. Every mend is counted, and an alarm until it has been quiet.

The list of all channels is the dearest question there is, so it is asked only when some call has been believed to stand
as it does for a whole look: where calls go on as they should in quick steps, their own events say it all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from calls.registry import Calls
from calls.switch.state_snapshot import (
    IDLE_STATES,
    OFFLINE_STATES,
    STATUS_VARIABLES,
    Caller,
    SwitchState,
    parse_switch_state,
)
from ledger.alarms import Alarms
from queues.acd import Acd, Seat, Ticket
from queues.events import (
    Answered,
    Event,
    Healed,
    NotAnswered,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatUnreachable,
    TalkEnded,
    TicketLeft,
)
from queues.model import OfferFailure, TicketPhase
from queues.service import Clock, QueueService
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.model import CallId, Stage

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 4.0
CERTAIN_SECONDS: Final = 1.5
"""From a look that found something to the next. What becomes stuck is old enough to be seen after one look's time, is
seen at the next look and mended after this: within 10 s."""
QUIET_SECONDS: Final = 600
"""The alarm stands until nothing was mended for so long."""
ALARM: Final = "healed"
UNSEEN: Final = "unseen"
"""Cause of an end that nobody told of."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something that we believe and the switch does not show. Equal in two looks: it is not on its way."""

    event: Event
    """What the switch should have said."""
    since_ms: int
    """When we began to believe it."""


def stale_tickets(acd: Acd, before_ms: int) -> list[Ticket]:
    """The calls that are believed to be as they are since then or longer, in milliseconds of the wall clock."""
    return [ticket for ticket in acd.tickets.values() if ticket.channel and _since(acd, ticket) <= before_ms]


def find_mismatches(
    acd: Acd, calls: Sequence[Ticket], seen: SwitchState, seats: Mapping[str, object]
) -> Iterator[Mismatch]:
    """All that differs now of these calls, and of the phones."""
    callers = {caller.call: caller for caller in seen.callers}
    for ticket in calls:
        yield from _call(acd, ticket, callers.get(ticket.call))
    for seat in acd.seats.values():
        if seat.id in seats:
            yield from _phone(seat, seen.device_states.get(seat.id, "UNAVAILABLE"))


def _call(acd: Acd, ticket: Ticket, caller: Caller | None) -> Iterator[Mismatch]:
    seat = acd.seats.get(ticket.seat) if ticket.seat is not None else None
    since = _since(acd, ticket)
    if caller is None:
        yield Mismatch(TicketLeft(ticket.call), since)
    elif caller.bridged and caller.seat is not None and ticket.phase is not TicketPhase.TALKING:
        yield Mismatch(Answered(ticket.call, caller.seat), since)
    elif seat is None or caller.seat is not None:
        return
    elif ticket.phase is TicketPhase.TALKING:
        yield Mismatch(TalkEnded(ticket.call, seat.id), since)
    elif ticket.phase is TicketPhase.OFFERED and caller.stage is not Stage.RING:
        yield Mismatch(NotAnswered(ticket.call, seat.id, OfferFailure.ERROR), since)


def _since(acd: Acd, ticket: Ticket) -> int:
    seat = acd.seats.get(ticket.seat) if ticket.seat is not None else None
    return ticket.joined_ms if seat is None else seat.since_ms


def _phone(seat: Seat, state: str) -> Iterator[Mismatch]:
    reachable, in_use = state not in OFFLINE_STATES, state not in OFFLINE_STATES | IDLE_STATES
    if reachable is not seat.reachable:
        yield Mismatch(SeatReachable(seat.id) if reachable else SeatUnreachable(seat.id), seat.since_ms)
    if reachable and in_use is not seat.in_use:
        yield Mismatch(SeatBusyElsewhere(seat.id) if in_use else SeatFree(seat.id), seat.since_ms)


class ConsistencyChecker:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        queues: QueueService,
        calls: Calls,
        alarms: Alarms,
        gone: Callable[[CallId, str], None],
        seats: Callable[[], Iterable[str]],
        clock: Clock,
    ) -> None:
        """``gone`` hears of a caller's channel that is no more; ``seats`` are the phones of the table in force."""
        self._switch = switch
        self._queues = queues
        self._calls = calls
        self._alarms = alarms
        self._gone = gone
        self._seats = seats
        self._clock = clock
        self._suspects: frozenset[Mismatch] = frozenset()
        self._mended_ms: int | None = None
        self.mended = 0
        """Since the start."""

    async def run(self) -> None:
        """For ever; an idle hotline is not asked anything."""
        while True:
            await asyncio.sleep(CERTAIN_SECONDS if self._suspects else LOOK_SECONDS)
            try:
                await self.look()
            except AmiError as error:
                self._suspects = frozenset()
                log.info("switch not asked what is", error=str(error))

    async def look(self) -> None:
        """One look: mend what was wrong at the last one, too. Raises AmiError when the switch does not tell."""
        if self._mended_ms is not None and self._clock() - self._mended_ms >= QUIET_SECONDS * 1000:
            self._alarms.clear(ALARM)
            self._mended_ms = None
        acd = self._queues.acd
        if not self._switch.up or not (acd.tickets or acd.seat_of):
            self._suspects = frozenset()
            return
        believed_before = self._clock() - round(LOOK_SECONDS * 1000)
        asked = bool(stale_tickets(acd, believed_before))
        seen = await ask(self._switch, channels=asked)
        acd, known = self._queues.acd, dict.fromkeys(self._seats())
        calls = [ticket for ticket in stale_tickets(acd, believed_before) if asked and not self._elsewhere(ticket.call)]
        found = frozenset(find_mismatches(acd, calls, seen, known))
        for one in sorted(found & self._suspects, key=repr):
            self._mend(one)
        self._suspects = found

    def _elsewhere(self, call: CallId) -> bool:
        held = self._calls.live.get(call)
        return held is not None and held.takeover_seat is not None

    def _mend(self, one: Mismatch) -> None:
        self.mended += 1
        self._mended_ms = self._clock()
        log.warning("stuck state mended", what=type(one.event).__name__, told=repr(one.event))
        self._alarms.put(
            ALARM, "座席或来电的状态曾与交换机不一致，已自动修正；反复出现请查看日志和管理接口的连接", grave=False
        )
        self._queues.apply(Healed())
        if isinstance(one.event, TicketLeft):
            self._gone(one.event.call, UNSEEN)
        else:
            self._queues.apply(one.event)


async def ask(switch: AmiLink, *, channels: bool) -> SwitchState:
    """The phones' states, and all channels when they are asked for. Raises AmiError."""
    everyone = {"Variables": ",".join(STATUS_VARIABLES)}
    shown = await switch.collect("Status", everyone, until="StatusComplete") if channels else []
    devices = await switch.collect("DeviceStateList", until="DeviceStateListComplete")
    return parse_switch_state(shown, (), devices)
