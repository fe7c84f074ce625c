"""Reading the ledger as it is this moment: the database, and what is still only in the journal.

One job: put both together. Works beside a running engine and with it stopped, and, for what the
journal holds, without the database.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Final

from database.connection import Database
from ledger.model import NO_CALL, Fact, Kind
from ledger.records import CallRecord, fold, ordered
from ledger.segments import Cursor, read
from ledger.store import (
    ANYWHERE,
    MISSING,
    CallFilter,
    facts_between,
    facts_of,
    facts_of_kind,
    kinds_of,
    list_calls,
    load_cursor,
)
from telephony.model import CallId

ALL: Final = 1 << 40


async def undrained(database: Database | None, folder: Path, node: str) -> list[Fact]:
    """The facts that only the journal has. Without a database: all that the journal still has."""
    cursor = Cursor()
    if database is not None:
        async with database.reading() as session:
            cursor = await load_cursor(session, node)
    return list((await asyncio.to_thread(read, folder, cursor, ALL)).facts)


async def facts_now(database: Database | None, folder: Path, node: str, call: CallId) -> list[Fact]:
    """All facts of one call, in its order. Raises DatabaseError."""
    # The journal first: what is drained meanwhile is then seen twice, and never missed.
    facts = [fact for fact in await undrained(database, folder, node) if fact.call == call]
    if database is not None:
        async with database.reading() as session:
            facts += await facts_of(session, call)
    return ordered(facts)


async def calls_now(database: Database | None, folder: Path, node: str, wanted: CallFilter) -> list[CallRecord]:
    """The calls wanted, newest first. Raises DatabaseError."""
    pending: dict[CallId, list[Fact]] = defaultdict(list)
    for fact in await undrained(database, folder, node):
        if fact.call != NO_CALL:
            pending[fact.call].append(fact)
    records: dict[CallId, CallRecord] = {}
    if database is not None:
        async with database.reading() as session:
            records = {record.call: record for record in await list_calls(session, wanted)}
            for call in pending:
                pending[call] += await facts_of(session, call)
    for call, facts in pending.items():
        records.pop(call, None)
        record = fold(facts)
        if record is not None and matches(record, wanted):
            records[call] = record
    newest_first = sorted(records.values(), key=lambda record: (record.entered_at, record.call), reverse=True)
    return newest_first[: max(0, wanted.limit)]


async def stories_between(
    database: Database | None, folder: Path, node: str, since: datetime, until: datetime
) -> list[list[Fact]]:
    """The facts of each call that came in from ``since`` up to, but not at, ``until``. Raises DatabaseError."""
    stories: dict[CallId, list[Fact]] = defaultdict(list)
    for fact in await undrained(database, folder, node):
        stories[fact.call].append(fact)
    stories.pop(NO_CALL, None)
    if database is not None:
        async with database.reading() as session:
            stored = [fact for call in list(stories) for fact in await facts_of(session, call)]
            for fact in (*stored, *await facts_between(session, since, until)):
                stories[fact.call].append(fact)

    def began(story: list[Fact]) -> bool:
        record = fold(story)
        return record is not None and since <= record.entered_at < until

    return [ordered(story) for story in stories.values() if began(story)]


async def kind_between(
    database: Database | None, folder: Path, node: str, kind: Kind, since: datetime, until: datetime
) -> list[Fact]:
    """The facts of one kind from ``since`` up to, but not at, ``until``. Raises DatabaseError."""
    pending = await undrained(database, folder, node)
    found = [fact for fact in pending if fact.kind is kind and since <= fact.at < until]
    if database is not None:
        async with database.reading() as session:
            found += await facts_of_kind(session, kind, since, until)
    return ordered(found)


async def kinds_known(
    database: Database, folder: Path, node: str, calls: Collection[CallId]
) -> dict[CallId, set[Kind]]:
    """What kinds of facts there are about each of these calls. Raises DatabaseError."""
    pending = await undrained(database, folder, node)
    async with database.reading() as session:
        found = await kinds_of(session, calls)
    for fact in pending:
        if fact.call in found:
            found[fact.call].add(fact.kind)
    return found


def matches(record: CallRecord, wanted: CallFilter) -> bool:
    """The same judgement as the database's, for a record that is not in it yet."""
    return (
        (wanted.since is None or record.entered_at >= wanted.since)
        and (wanted.until is None or record.entered_at < wanted.until)
        and all(
            not value or value == given
            for value, given in (
                (wanted.number, record.number),
                (wanted.caller, record.caller),
                (wanted.agent, record.agent),
                (wanted.group, record.group),
                (wanted.mode, record.mode),
            )
        )
        and record.caller.endswith(wanted.caller_end)
        and (not wanted.ratings or record.rating_level in wanted.ratings)
        and _transferred(record, wanted.transfer)
        and (wanted.answered is None or _answered(record) is wanted.answered)
        and _wrapped_up(record, wanted.wrap_up_code)
        and (wanted.before is None or (record.entered_at, record.call) < wanted.before)
    )


def _transferred(record: CallRecord, target: str) -> bool:
    targets = {one.target for one in record.transfers if one.target}
    return not target or target in targets or (target == ANYWHERE and bool(targets))


def _wrapped_up(record: CallRecord, code: str) -> bool:
    return not code or (record.wrap_up_missing if code == MISSING else record.wrap_up_code == code)


def _answered(record: CallRecord) -> bool | None:
    """None: nobody has yet, and it goes on."""
    return True if record.answered_at else False if record.ended_at else None
