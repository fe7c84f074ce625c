"""Calls that the engine did not see to the end, filled in from what Asterisk remembers.

One job: run the pure rebuilding of cel.py against files, journal and database. A call is judged only
when its channel has been gone for a while and the ledger can be asked, so that a call the engine did
record gets nothing, and every call is there exactly once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from database.connection import Database
from database.errors import DatabaseError
from ledger.cel import Event, callers, has_ended, rebuild
from ledger.cel_files import Place, Read, load_place, read, save_place, tidy
from ledger.journal import Journal, JournalStalled
from ledger.model import Fact, Kind
from ledger.reader import kinds_known
from ledger.records import CEL
from ledger.store import open_calls
from telephony.model import CallId

GRACE: Final = timedelta(seconds=15)
"""A channel must be gone for so long before its call is judged: the engine writes its own facts first."""

FORGET: Final = timedelta(hours=12)
"""Channels of no caller that never ended (a switch that was killed) are forgotten after this."""

UNKNOWN: Final = timedelta(minutes=2)
"""A call that the switch does not have is closed so long after it came in: its records may be on the way."""

UNKNOWN_SINCE: Final = timedelta(days=3)
"""How far back such calls are looked for."""

CLOSE_SECONDS: Final = 60.0

INTERVAL_SECONDS: Final = 10.0
ROTATE_BYTES: Final = 32 << 20

Live = Callable[[], Awaitable[frozenset[CallId] | None]]
"""Which callers' channels the switch has now; None when it cannot be asked."""

log = structlog.get_logger(__name__)


class CelBackfill:
    """Fills one node's ledger in. Keeps the events of calls that are still going on."""

    def __init__(
        self,
        journal: Journal,
        database: Database,
        folder: Path,
        node: str,
        *,
        grace: timedelta = GRACE,
        rotate_bytes: int = ROTATE_BYTES,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        citizen: Callable[[str], str] = lambda number: number,
    ) -> None:
        """``citizen``: the one form of a caller's number (routing.numbers); the switch remembers it as it came."""
        self._journal = journal
        self._database = database
        self._folder = folder
        self._node = node
        self._grace = grace
        self._rotate_bytes = rotate_bytes
        self._now = now
        self._citizen = citizen
        self._place: Place | None = None
        self._open: dict[str, list[tuple[Place, Event]]] = defaultdict(list)
        self._trouble = ""
        self._closed_at = datetime.min.replace(tzinfo=UTC)

    @property
    def trouble(self) -> str:
        """Why filling in waits, in Chinese; empty when it does not."""
        return self._trouble

    async def run(self, live: Live, interval_seconds: float = INTERVAL_SECONDS) -> None:
        """Fill in for ever; ends only by cancellation."""
        while True:
            try:
                now_live = await live()
                await self.fill(now_live)
                if now_live is not None and self._now() - self._closed_at >= timedelta(seconds=CLOSE_SECONDS):
                    await self.close_unknown(now_live)
                    self._closed_at = self._now()
                self._trouble = ""
            except (DatabaseError, SQLAlchemyError, OSError, JournalStalled) as error:
                if not self._trouble:
                    log.warning("ledger.fill_in_waits", error=type(error).__name__, reason=str(error))
                self._trouble = f"补记暂停：{error}"
            await asyncio.sleep(interval_seconds)

    async def fill(self, live: Collection[CallId] | None) -> list[Fact]:
        """Read what is new, judge the calls that are over, append what the ledger lacks; give that back.

        ``live``: the callers' channels the switch has now, None when it cannot be asked.
        """
        await self._read_on()
        over, lost = self._over(live)
        facts: list[Fact] = []
        if over:
            await self._journal.flush()
            calls = [call for linked in over for call in callers(event for _, event in self._open[linked])]
            known = await kinds_known(self._database, self._journal.folder, self._node, calls)
            found = rebuild([event for linked in over for _, event in self._open[linked]], known, lost)
            facts = [self._in_one_form(fact) for fact in found]
            for fact in facts:
                self._journal.append(fact)
            await self._journal.flush()
        for linked in over:
            del self._open[linked]
        await self._remember()
        if facts:
            log.info("ledger.filled_in", calls=len({fact.call for fact in facts}), facts=len(facts))
        return facts

    def _in_one_form(self, fact: Fact) -> Fact:
        """The caller's number as a citizen is known by it everywhere; what came in stands beside it."""
        told = fact.data.get("caller", "")
        caller = self._citizen(told)
        return fact if caller == told else replace(fact, data={**fact.data, "caller": caller, "caller_told": told})

    async def close_unknown(self, live: Collection[CallId]) -> list[Fact]:
        """End the calls that the switch does not have and of whose end nothing tells: a disk that was full kept it.

        ``live``: the callers' channels the switch has now.
        """
        now = self._now()
        async with self._database.reading() as session:
            seen = await open_calls(session, self._node, now - UNKNOWN_SINCE, now - UNKNOWN)
        waiting = {call for kept in self._open.values() for call in callers(event for _, event in kept)}
        gone = [call for call in seen if call not in live and call not in waiting]
        if not gone:
            return []
        await self._journal.flush()
        known = await kinds_known(self._database, self._journal.folder, self._node, gone)
        facts = [
            Fact(
                f"{CEL}-{call}-{Kind.ENDED}",
                Kind.ENDED,
                call,
                now,
                {"cause": "switch-gone", "by": "switch", "answered": Kind.ANSWERED in kinds},
                CEL,
            )
            for call, kinds in known.items()
            if Kind.ENDED not in kinds
        ]
        for fact in facts:
            self._journal.append(fact)
        if facts:
            log.warning("ledger.calls_closed", calls=len(facts))
        return facts

    async def _read_on(self) -> None:
        if self._place is None:
            self._place = await asyncio.to_thread(load_place, self._folder)
        while True:
            new: Read = await asyncio.to_thread(read, self._folder, self._place)
            for place, event in new.events:
                self._open[event.linked].append((place, event))
            if new.torn:
                log.warning("ledger.cel_records_torn", records=new.torn)
            self._place = new.next
            if not new.more:
                return

    def _over(self, live: Collection[CallId] | None) -> tuple[list[str], set[CallId]]:
        """Which groups of channels may be judged, and which calls the switch lost without a word."""
        now = self._now()
        over: list[str] = []
        lost: set[CallId] = set()
        for linked, kept in self._open.items():
            events = [event for _, event in kept]
            quiet = now - max(event.at for event in events)
            if quiet < self._grace:
                continue
            found = callers(events)
            missing = {call for call, own in found.items() if not has_ended(own)}
            if not found:
                if quiet > FORGET or _all_ended(events):
                    over.append(linked)
            elif not missing:
                over.append(linked)
            elif live is not None and not missing.intersection(live):
                over.append(linked)
                lost |= missing
        return over, lost

    async def _remember(self) -> None:
        """Keep the place from which everything still open can be read again."""
        assert self._place is not None
        # Groups stand in the order in which their first records were read.
        place = next((kept[0][0] for kept in self._open.values()), self._place)
        if place.mark:
            await asyncio.to_thread(save_place, self._folder, place)
            await asyncio.to_thread(tidy, self._folder, place, self._rotate_bytes)


def _all_ended(events: Iterable[Event]) -> bool:
    started: set[str] = set()
    ended: set[str] = set()
    for event in events:
        if event.name == "CHAN_END":
            ended.add(event.unique)
        else:
            started.add(event.unique)
    return started <= ended
