"""From the journal to the database, in the background.

One job: carry facts over, each exactly once in effect. Facts, the calls they change and the cursor
go in one transaction; segments are deleted only when the database has them. A database that is
locked or gone is waited for with a back-off; nothing on the call path notices.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from database.connection import Database
from database.errors import DatabaseError
from ledger.codec import encode
from ledger.model import Fact
from ledger.outbox_store import put
from ledger.segments import Cursor, Page, count_after, read, segments
from ledger.store import add_facts, load_cursor, save_cursor

PAGE_FACTS: Final = 500
POLL_SECONDS: Final = 2.0
"""Between two looks when there is nothing more: readers see the journal too, so nobody waits for the database."""

FIRST_DELAY_SECONDS: Final = 0.5
MAX_DELAY_SECONDS: Final = 30.0
TRANSACTION_SECONDS: Final = 20.0

REJECTED: Final = "rejected.lines"
"""Lines that are no facts, and facts the database cannot hold, are kept here for people to look at."""

Follower = Callable[[AsyncSession, Sequence[Fact]], Awaitable[None]]
"""Another room's projection of facts, in the same transaction as the facts."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DrainState:
    """How the drainer is."""

    drained: int
    """Facts brought over since the start."""
    rejected: int
    torn: int
    trouble: str
    """Why the database does not take facts, in Chinese; empty when it does."""


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the database is behind the journal."""

    facts: int
    seconds: float
    """Age of the oldest fact that is only in the journal."""


class JournalReplicator:
    """Brings one node's journal into the database. One per journal folder."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        node: str,
        *,
        push_to: frozenset[str] = frozenset(),
        push_drills_to: frozenset[str] = frozenset(),
        followers: Sequence[Follower] = (),
        page_facts: int = PAGE_FACTS,
        poll_seconds: float = POLL_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._folder = folder
        self._node = node
        self._push_to = push_to
        self._push_drills_to = push_drills_to
        self._followers = followers
        self._page_facts = page_facts
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._now = now
        self._cursor: Cursor | None = None
        self._known = Cursor()
        self._drained = 0
        self._rejected = 0
        self._torn = 0
        self._trouble = ""

    @property
    def folder(self) -> Path:
        """The journal's."""
        return self._folder

    @property
    def state(self) -> DrainState:
        return DrainState(self._drained, self._rejected, self._torn, self._trouble)

    async def run(self) -> None:
        """Drain for ever; ends only by cancellation."""
        delay = FIRST_DELAY_SECONDS
        while True:
            try:
                moved = await self.step()
            except (DatabaseError, SQLAlchemyError, OSError, TimeoutError) as error:
                if not self._trouble:
                    log.error("ledger.drain_waits", error=type(error).__name__, reason=str(error))
                self._trouble = str(error) if isinstance(error, DatabaseError) else f"流水入库失败：{error}"
                self._cursor = None
                await self._sleep(delay * random.uniform(0.5, 1.0))
                delay = min(delay * 2, MAX_DELAY_SECONDS)
                continue
            delay = FIRST_DELAY_SECONDS
            if not moved:
                await self._sleep(self._poll_seconds)

    async def drain(self) -> int:
        """Bring everything over that is in the journal now. Returns how many lines that was; raises as ``step``."""
        total = 0
        while moved := await self.step():
            total += moved
        return total

    async def step(self) -> int:
        """Bring one page over. Returns how many lines moved. Raises DatabaseError and its kin; nothing moved then."""
        async with asyncio.timeout(TRANSACTION_SECONDS):
            if self._cursor is None:
                async with self._database.transaction() as session:
                    self._cursor = self._known = await load_cursor(session, self._node)
            page = await asyncio.to_thread(read, self._folder, self._cursor, self._page_facts)
            if page.next == self._cursor:
                self._recovered()
                return 0
            await self._keep(page.damaged)
            try:
                await self._store(page.facts, page.next)
            except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
                if not _is_poison(error):
                    raise
                await self._one_by_one(page)
        await self._settle(page)
        return len(page.facts) + len(page.damaged)

    async def lag(self) -> Lag:
        """How much is only in the journal. Reads files, not the database."""
        cursor = self._known
        count = await asyncio.to_thread(count_after, self._folder, cursor)
        oldest = await asyncio.to_thread(read, self._folder, cursor, 1) if count else Page((), cursor)
        seconds = (self._now() - oldest.facts[0].at).total_seconds() if oldest.facts else 0.0
        return Lag(count, max(0.0, seconds))

    async def _store(self, facts: Sequence[Fact], cursor: Cursor | None) -> None:
        async with self._database.transaction() as session:
            if facts:
                await add_facts(session, facts)
                await put(session, facts, self._push_to, self._push_drills_to)
                for follow in self._followers:
                    await follow(session, facts)
            if cursor is not None:
                await save_cursor(session, self._node, cursor)

    async def _one_by_one(self, page: Page) -> None:
        """Some fact of the page is one the database cannot hold: store the others, keep the refused ones aside."""
        refused = []
        for fact in page.facts:
            try:
                await self._store((fact,), None)
            except (SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
                if not _is_poison(error):
                    raise
                refused.append(encode(fact))
        await self._keep(refused)
        self._drained -= len(refused)
        await self._store((), page.next)

    async def _keep(self, lines: Sequence[bytes]) -> None:
        """Put lines aside before the cursor passes them: after a crash they may be there twice, but not nowhere."""
        if lines:
            await asyncio.to_thread(_append, self._folder / REJECTED, lines)
            self._rejected += len(lines)
            log.error("ledger.lines_rejected", lines=len(lines), kept_in=REJECTED)

    async def _settle(self, page: Page) -> None:
        self._cursor = self._known = page.next
        self._drained += len(page.facts)
        self._torn += page.torn
        if page.torn:
            log.warning("ledger.torn_lines", lines=page.torn)
        await asyncio.to_thread(_delete_before, self._folder, page.next)
        self._recovered()

    def _recovered(self) -> None:
        if self._trouble:
            log.warning("ledger.drain_recovered")
            self._trouble = ""


def _append(path: Path, lines: Sequence[bytes]) -> None:
    with path.open("ab") as file:
        file.writelines(lines)


def _delete_before(folder: Path, cursor: Cursor) -> None:
    """Delete the segments that the database has in full."""
    for name in segments(folder):
        if name < cursor.segment:
            (folder / name).unlink(missing_ok=True)


def _is_poison(error: Exception) -> bool:
    """Whether the fact is at fault, and not the database."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", "") or "")
        return isinstance(error, IntegrityError | DataError) or state[:2] in ("22", "23")
    return not isinstance(error, SQLAlchemyError) or isinstance(error.__cause__, ValueError | TypeError | OverflowError)
