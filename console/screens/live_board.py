"""The live view: facts and agents' states in, one picture out; and each agent's half-hours into the ledger.

One job: wire ledger.live to the engine. A fact costs a few additions; the picture is made when somebody looks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from database.errors import DatabaseError
from ledger.journal import Journal
from ledger.live import HALF_HOUR_MS, Counts, Live, shown
from ledger.measures import Aims, Outcome, told
from ledger.model import NO_CALL, Kind
from queues.acd import Acd, Seat
from queues.effects import Effect, SeatStateChanged
from queues.model import TicketPhase
from queues.service import Clock
from queues.states import AgentState
from telephony.model import EVERY_GROUP, CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 10.0
LEARN_STEP: Final = timedelta(hours=1)
"""The past is read in pieces, so that no call waits for a whole day of them."""

LOOK_SECONDS: Final = 20.0
"""How often seats are looked at for what no effect told, e.g. who was found signed in after a restart."""

PastCalls = Callable[[datetime, datetime], Awaitable[list[Outcome]]]
"""Outcomes of the calls that came in from, up to but not at. Raises DatabaseError."""


class LiveBoard:
    """What screens and monitoring see of one engine."""

    def __init__(self, aims: Aims, acd: Callable[[], Acd], journal: Journal, clock: Clock) -> None:
        self.counters = Live(aims, clock())
        self.learned = False
        """The last 24 hours are whole: those before the start have been read from the ledger."""
        self._acd = acd
        self._journal = journal
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []

    # In

    def note(self, kind: Kind, call: CallId, data: Mapping[str, Any]) -> None:
        """A fact, as the journal gets it."""
        self.counters.hear(kind, call, data, self._clock())

    def effect(self, effect: Effect) -> None:
        """What the ACD did, as far as it concerns an agent's time."""
        if isinstance(effect, SeatStateChanged) and effect.agent is not None:
            seat = self._acd().seats.get(effect.seat)
            groups = seat.groups if seat is not None else ()
            self.counters.moved(effect.agent, groups, effect.new, self._clock())

    # Life

    def start(self, past: PastCalls | None = None) -> None:
        """Begin to turn half-hours, and learn the last 24 hours when there is somebody to ask."""
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._turn()))
        if past is not None:
            self._tasks.append(loop.create_task(self._learn(past, datetime.fromtimestamp(self._clock() / 1000, UTC))))

    async def stop(self) -> None:
        """End, and write down the half-hour so far."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._look()
        self.counters.stop(self._clock())
        self._write()

    async def _turn(self) -> None:
        while True:
            self._look()
            self.counters.turn(self._clock())
            self._write()
            left = (self.counters.half_hour_ms + HALF_HOUR_MS - self._clock()) / 1000
            await asyncio.sleep(max(0.05, min(LOOK_SECONDS, left)))

    def _look(self) -> None:
        for seat in self._acd().seats.values():
            if seat.agent is not None:
                self.counters.moved(seat.agent, seat.groups, seat.state, self._clock())

    def _write(self) -> None:
        for time in self.counters.over():
            self._journal.note(Kind.AGENT_TIME, NO_CALL, told(time))

    async def _learn(self, past: PastCalls, began: datetime) -> None:
        since = began - timedelta(days=1)
        while since < began:
            until = min(since + LEARN_STEP, began)
            try:
                calls = await past(since, until)
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.warning("the last 24 hours are not learned yet", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self.counters.learn(calls)
            since = until
        self.learned = True

    # Out

    def now(self, names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """How many wait, ring, talk and work at this moment, by group, and ``all``. ``names``: what groups are
        called."""
        acd = self._acd()
        whole = _Now()
        groups = {group: _Now() for group in names}
        for ticket in acd.tickets.values():
            for one in (whole, groups.setdefault(ticket.group, _Now())):
                one.ticket(ticket.phase, ticket.since_ms)
        for seat in acd.seats.values():
            if seat.agent is None:
                continue
            for one in (whole, *(groups[group] for group in seat.groups if group in groups)):
                one.seat(seat.state)
        told = {group: {"name": names.get(group, group), **one.told()} for group, one in groups.items()}
        return {**told, EVERY_GROUP: whole.told()}

    def measures(self, names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """The last 24 hours, by group; ``all`` with the city's aims, and whether all of the 24 hours are known."""
        self.counters.forget(self._clock())
        windows, aims = self.counters.groups, self.counters.aims
        known = [*names, *(group for group in windows if group not in names)]
        told = {group: shown(windows[group].whole if group in windows else Counts()) for group in known}
        whole = {"learned": self.learned, "aims": asdict(aims), **shown(self.counters.window.whole)}
        return {**told, EVERY_GROUP: whole}

    def picture(self, names: Mapping[str, str]) -> dict[str, Any]:
        """All of it. Ages are told as when they began: a picture in which nothing happened is the same a second
        later."""
        self.counters.forget(self._clock())
        now, windows = self.now(names), self.counters.groups
        seats = self._acd().seats.values()
        return {
            "learned": self.learned,
            "now": now.pop(EVERY_GROUP),
            "day": shown(self.counters.window.whole),
            "groups": {
                group: {
                    "name": row.pop("name"),
                    "now": row,
                    "day": shown(windows[group].whole if group in windows else Counts()),
                }
                for group, row in now.items()
            },
            "agents": {seat.agent: agent_row(seat) for seat in seats if seat.agent is not None},
        }


def agent_row(seat: Seat) -> dict[str, Any]:
    """Who is signed in there, and how it goes."""
    return {
        "seat": seat.id,
        "state": seat.state,
        "since_ms": seat.since_ms,
        "until_ms": seat.until_ms,
        "pause": seat.pause,
        "why": seat.why,
        "call": seat.call,
        "reachable": seat.reachable,
        "leaving": seat.leaving,
    }


class _Now:
    """How many at this moment."""

    def __init__(self) -> None:
        self.calls = dict.fromkeys(TicketPhase, 0)
        self.seats: dict[AgentState, int] = {}
        self.oldest_ms: int | None = None

    def ticket(self, phase: TicketPhase, since_ms: int) -> None:
        self.calls[phase] += 1
        if phase is TicketPhase.WAITING:
            self.oldest_ms = since_ms if self.oldest_ms is None else min(self.oldest_ms, since_ms)

    def seat(self, state: AgentState) -> None:
        self.seats[state] = self.seats.get(state, 0) + 1

    def told(self) -> dict[str, Any]:
        return {
            "waiting": self.calls[TicketPhase.WAITING],
            "ringing": self.calls[TicketPhase.OFFERED],
            "talking": self.calls[TicketPhase.TALKING],
            "oldest_since_ms": self.oldest_ms,
            "agents": len(self.seats) and sum(self.seats.values()),
            "states": {str(state): count for state, count in sorted(self.seats.items())},
        }
