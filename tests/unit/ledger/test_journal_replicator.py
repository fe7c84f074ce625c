"""From the journal to the database: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import upgrade
from ledger import journal_replicator as drain_module
from ledger.journal import Journal
from ledger.journal_replicator import REJECTED, JournalReplicator
from ledger.model import Fact, Kind
from ledger.segments import segments
from ledger.store import CallFilter, add_facts, facts_of, list_calls
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(number: int, call: CallId = CALL) -> Fact:
    return Fact(f"F{number:05d}", Kind.WAITING, call, AT + timedelta(seconds=number), {"group": "general"})


async def write(folder: Path, *facts: Fact, **options: Any) -> None:
    journal = Journal(folder, batch_seconds=0.001, **options)
    journal.start()
    for one in facts:
        journal.append(one)
        await journal.flush()
    assert await journal.stop() == 0


async def stored(database: Database, call: CallId = CALL) -> list[str]:
    async with database.reading() as session:
        return [one.id for one in await facts_of(session, call)]


async def test_everything_arrives_once_and_old_segments_go(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, *(fact(number) for number in range(30)), segment_bytes=500)
    assert len(segments(tmp_path)) > 2
    drainer = JournalReplicator(database, tmp_path, "hl1", page_facts=7)
    assert (await drainer.lag()).facts == 30
    assert await drainer.drain() == 30
    assert await stored(database) == [f"F{number:05d}" for number in range(30)]
    assert len(segments(tmp_path)) == 1
    assert (await drainer.lag()).facts == 0
    assert await JournalReplicator(database, tmp_path, "hl1").drain() == 0


async def test_a_restart_goes_on_where_the_database_is(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, fact(1), fact(2))
    await JournalReplicator(database, tmp_path, "hl1").drain()
    await write(tmp_path, fact(3))
    assert await JournalReplicator(database, tmp_path, "hl1").drain() == 1
    assert await stored(database) == ["F00001", "F00002", "F00003"]


async def test_a_journal_read_twice_adds_nothing(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, fact(1), fact(2))
    await JournalReplicator(database, tmp_path, "hl1").drain()
    await JournalReplicator(database, tmp_path, "hl2").drain()
    assert await stored(database) == ["F00001", "F00002"]
    async with database.reading() as session:
        assert len(await list_calls(session, CallFilter())) == 1


async def test_a_fresh_journal_under_an_old_cursor_is_drained(database: Database, tmp_path: Path) -> None:
    await write(tmp_path / "a", fact(1))
    await JournalReplicator(database, tmp_path / "a", "hl1").drain()
    await write(tmp_path / "b", fact(2))
    await JournalReplicator(database, tmp_path / "b", "hl1").drain()
    assert await stored(database) == ["F00001", "F00002"]


async def test_damaged_lines_are_kept_aside(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, fact(1))
    path = tmp_path / segments(tmp_path)[0]
    path.write_bytes(path.read_bytes() + b"garbage\n")
    await write(tmp_path, fact(2))
    drainer = JournalReplicator(database, tmp_path, "hl1")
    await drainer.drain()
    assert await stored(database) == ["F00001", "F00002"]
    assert (tmp_path / REJECTED).read_bytes() == b"garbage\n"
    assert (drainer.state.drained, drainer.state.rejected) == (2, 1)


async def test_a_fact_the_database_cannot_hold_does_not_stop_the_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def picky(session: Any, facts: Any) -> None:
        if any(one.id == "F00002" for one in facts):
            raise ValueError("cannot be stored")
        await add_facts(session, facts)

    monkeypatch.setattr(drain_module, "add_facts", picky)
    await write(tmp_path, fact(1), fact(2), fact(3))
    drainer = JournalReplicator(database, tmp_path, "hl1")
    await drainer.drain()
    assert await stored(database) == ["F00001", "F00003"]
    assert b"F00002" in (tmp_path / REJECTED).read_bytes()
    assert (drainer.state.drained, drainer.state.rejected) == (2, 1)


class Naps:
    """Stands in for sleeping: notes each nap, wakes at once, the test acts in the third, it stays in the fourth."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.idle = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) == 3:
            self.reached.set()
            await self.go_on.wait()
        if len(self.taken) > 3:
            self.idle.set()
            await asyncio.Event().wait()


async def test_a_database_without_tables_is_waited_for(database_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    await write(folder, fact(1))
    opened = open_database(database_url)
    naps = Naps()
    drainer = JournalReplicator(opened, folder, "hl1", sleep=naps)
    running = asyncio.create_task(drainer.run())
    await naps.reached.wait()
    assert drainer.state.trouble
    assert naps.taken[0] < naps.taken[2] * 2
    assert (await drainer.lag()).facts == 1
    assert (await drainer.lag()).seconds > 0
    await upgrade(database_url)
    naps.go_on.set()
    await naps.idle.wait()
    assert await stored(opened) == ["F00001"]
    assert drainer.state.trouble == ""
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    assert drainer.state.drained == 1
    await opened.close()


async def test_a_locked_file_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("database.connection.BUSY_TIMEOUT_SECONDS", 0.05)
    url = f"sqlite:///{tmp_path}/hotline.db"
    await upgrade(url)
    opened = open_database(url)
    folder = tmp_path / "journal"
    await write(folder, fact(1))
    other = sqlite3.connect(tmp_path / "hotline.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    drainer = JournalReplicator(opened, folder, "hl1")
    with pytest.raises(DatabaseError):
        await drainer.step()
    other.execute("ROLLBACK")
    other.close()
    assert await drainer.drain() == 1
    assert await stored(opened) == ["F00001"]
    await opened.close()
