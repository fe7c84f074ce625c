"""Filling in: each call exactly once, whatever was running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from database.connection import Database, open_database
from database.errors import DatabaseError
from ledger.cel import FILE
from ledger.cel_backfill import CelBackfill
from ledger.cel_files import CURSOR, Place, load_place, read
from ledger.journal import Journal
from ledger.journal_replicator import JournalReplicator
from ledger.model import Kind
from ledger.reader import calls_now, facts_now
from ledger.store import CallFilter, list_calls
from telephony.model import CallId

pytestmark = pytest.mark.unit

SAMPLE = (Path(__file__).parent / "cel-sample.csv").read_bytes()
CALLS = 5
AGENT = CallId("nodea-1795349828.0")
LATER = datetime.fromtimestamp(1795349900, UTC)
LIVE: frozenset[CallId] = frozenset()


@pytest.fixture
def cel(tmp_path: Path) -> Path:
    folder = tmp_path / "cel"
    folder.mkdir()
    return folder


@pytest_asyncio.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    kept = Journal(tmp_path / "journal", batch_seconds=0.001)
    kept.start()
    yield kept
    await kept.stop()


def filler(
    journal: Journal, database: Database, cel: Path, *, now: datetime = LATER, rotate: int = 1 << 30
) -> CelBackfill:
    return CelBackfill(journal, database, cel, "hl1", now=lambda: now, rotate_bytes=rotate)


async def rows(journal: Journal, database: Database) -> list[CallId]:
    await JournalReplicator(database, journal.folder, "hl1").drain()
    async with database.reading() as session:
        return [record.call for record in await list_calls(session, CallFilter())]


async def test_calls_nobody_saw_are_there_once(database: Database, journal: Journal, cel: Path) -> None:
    (cel / FILE).write_bytes(SAMPLE)
    fill_in = filler(journal, database, cel)
    assert len({fact.call for fact in await fill_in.fill(LIVE)}) == CALLS
    assert await fill_in.fill(LIVE) == []
    (cel / CURSOR).unlink()
    assert await filler(journal, database, cel).fill(LIVE) == []
    assert len(await rows(journal, database)) == CALLS


async def test_an_ended_call_that_is_only_in_the_journal_counts(
    database: Database, journal: Journal, cel: Path
) -> None:
    (cel / FILE).write_bytes(SAMPLE)
    journal.note(Kind.ENDED, AGENT, {"cause": 16}, at=LATER)
    facts = await filler(journal, database, cel).fill(LIVE)
    assert [fact.kind for fact in facts if fact.call == AGENT] == [Kind.ENTERED, Kind.ANSWERED]
    assert len({fact.call for fact in facts}) == CALLS


async def test_a_call_is_judged_only_when_it_is_over_for_a_while(
    database: Database, journal: Journal, cel: Path
) -> None:
    cut = SAMPLE.index(b'"BRIDGE_EXIT"')
    (cel / FILE).write_bytes(SAMPLE[:cut])
    early = filler(journal, database, cel, now=datetime.fromtimestamp(1795349829, UTC))
    assert await early.fill(LIVE) == []
    going_on = filler(journal, database, cel)
    assert await going_on.fill(frozenset({AGENT})) == []
    assert await going_on.fill(None) == []
    assert load_place(cel).offset == 0
    (cel / FILE).write_bytes(SAMPLE)
    assert len({fact.call for fact in await going_on.fill(LIVE)}) == CALLS
    assert load_place(cel).offset == len(SAMPLE)


async def test_a_switch_that_was_killed_leaves_no_call_open(database: Database, journal: Journal, cel: Path) -> None:
    (cel / FILE).write_bytes(SAMPLE[: SAMPLE.index(b'"BRIDGE_EXIT"')])
    facts = await filler(journal, database, cel).fill(LIVE)
    assert [fact.kind for fact in facts] == [Kind.ENTERED, Kind.ANSWERED, Kind.ENDED]


async def test_a_call_of_whose_end_nothing_tells_is_closed_once_the_switch_does_not_have_it(
    database: Database, journal: Journal, cel: Path
) -> None:
    """The disk was full: neither the engine's fact nor Asterisk's record of the end was kept."""
    gone, up, young, others = (CallId(f"{node}-179534980{n}.0") for n, node in enumerate(("hl1", "hl1", "hl1", "hl2")))
    for call in (gone, up, others):
        journal.note(Kind.ENTERED, call, {"number": "12345", "caller": "1"}, at=LATER - timedelta(minutes=5))
    journal.note(Kind.ENTERED, young, {"number": "12345", "caller": "1"}, at=LATER - timedelta(seconds=30))
    await journal.flush()
    await JournalReplicator(database, journal.folder, "hl1").drain()
    fill_in = filler(journal, database, cel)
    closed = await fill_in.close_unknown(frozenset({up}))
    assert [(fact.call, fact.kind, fact.data["cause"]) for fact in closed] == [(gone, Kind.ENDED, "switch-gone")]
    await journal.flush()
    assert await fill_in.close_unknown(frozenset({up})) == [], "its end is in the journal"
    await JournalReplicator(database, journal.folder, "hl1").drain()
    async with database.reading() as session:
        ends = {record.call: record.ended_at for record in await list_calls(session, CallFilter())}
    assert [call for call, ended in ends.items() if ended] == [gone]


async def test_rotation_loses_nothing_and_repeats_nothing(database: Database, journal: Journal, cel: Path) -> None:
    half = SAMPLE.index(b'"CHAN_START","1795349834')
    (cel / FILE).write_bytes(SAMPLE[:half])
    fill_in = filler(journal, database, cel, rotate=100)
    first = await fill_in.fill(LIVE)
    assert not (cel / FILE).exists()
    (cel / FILE).write_bytes(SAMPLE[half:])
    second = await fill_in.fill(LIVE)
    assert len({fact.call for fact in first} | {fact.call for fact in second}) == CALLS
    await fill_in.fill(LIVE)
    assert len(list(cel.glob(f"{FILE}*"))) == 1
    assert len(await rows(journal, database)) == CALLS


async def test_a_truncated_file_is_read_from_its_start(cel: Path) -> None:
    (cel / FILE).write_bytes(SAMPLE)
    place = read(cel, Place()).next
    (cel / FILE).write_bytes(SAMPLE[: SAMPLE.index(b"\n") + 1])
    assert len(read(cel, place).events) == 1


async def test_small_blocks_give_the_same_events(cel: Path) -> None:
    (cel / FILE).write_bytes(SAMPLE)
    whole = [event for _, event in read(cel, Place()).events]
    place, events = Place(), []
    while True:
        part = read(cel, place, 1500)
        events += [event for _, event in part.events]
        place = part.next
        if not part.more:
            break
    assert events == whole


async def test_without_a_database_nothing_is_judged_and_nothing_forgotten(
    journal: Journal, cel: Path, tmp_path: Path
) -> None:
    (cel / FILE).write_bytes(SAMPLE)
    gone = open_database("postgresql://nobody:x@127.0.0.1:9/none")
    with pytest.raises(DatabaseError):
        await filler(journal, gone, cel).fill(LIVE)
    await gone.close()
    assert load_place(cel) == Place()


async def test_no_files_no_trouble(database: Database, journal: Journal, cel: Path) -> None:
    assert await filler(journal, database, cel).fill(LIVE) == []
    assert await filler(journal, database, cel / "nowhere").fill(None) == []


async def test_a_story_is_whole_before_it_is_drained(database: Database, journal: Journal) -> None:
    journal.note(Kind.ENTERED, AGENT, {"number": "12345"}, at=LATER)
    await journal.flush()
    await JournalReplicator(database, journal.folder, "hl1").drain()
    journal.note(Kind.ENDED, AGENT, {"cause": 16}, at=LATER + timedelta(seconds=9))
    other = CallId("hl1-1795349900.9")
    journal.note(Kind.ENTERED, other, {"number": "12333"}, at=LATER + timedelta(seconds=1))
    await journal.flush()
    kinds = [fact.kind for fact in await facts_now(database, journal.folder, "hl1", AGENT)]
    assert kinds == [Kind.ENTERED, Kind.ENDED]
    found = await calls_now(database, journal.folder, "hl1", CallFilter())
    assert [(record.call, record.ended_at is not None) for record in found] == [(other, False), (AGENT, True)]
    only = await calls_now(database, journal.folder, "hl1", CallFilter(number="12333"))
    assert [record.call for record in only] == [other]
    alone = await calls_now(None, journal.folder, "hl1", CallFilter())
    assert [record.call for record in alone] == [other, AGENT]


async def test_a_call_that_was_filled_in_has_the_callers_number_in_its_one_form(
    journal: Journal, database: Database, cel: Path
) -> None:
    """The switch remembers the number as the carrier wrote it; a repeat caller or a list would not know it by that."""
    (cel / FILE).write_bytes(SAMPLE)
    fill_in = CelBackfill(journal, database, cel, "hl1", now=lambda: LATER, citizen=lambda number: f"0{number}")
    entered = [fact for fact in await fill_in.fill(LIVE) if fact.kind is Kind.ENTERED and fact.data["caller"]]
    assert entered
    assert all(fact.data["caller"] == f"0{fact.data['caller_told']}" for fact in entered)
