"""Loading, editing, publishing and fetching the routing table: the shell around the pure parts.

One job: database and snapshot file kept in step. The database is committed first; a file that is missing or behind is
written again at the next start, so a crash in between loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from database.connection import Database
from routing import store
from routing.draft import Conflict, Draft, DraftConflict, Edit, Was, changes, edited, overtaken
from routing.lint import require_sound
from routing.model import Snapshot, Table
from routing.rows import Key, Row, rows_of, table_of
from routing.sample import sample_table
from routing.snapshot import (
    SNAPSHOT_FILE,
    SnapshotCorrupt,
    SnapshotMissing,
    checksum,
    freeze,
    from_json,
    load_snapshot,
    to_json,
    write_snapshot,
)

FIRST_REASON: Final = "首次启动，载入示例路由表（示例，待核）"
SYSTEM: Final = "系统"

Clock = Callable[[], datetime]


class NoTable(LookupError):
    """The database holds no routing table; the text says what to do."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


# The draft


async def load_draft(database: Database) -> Draft:
    """The draft as a whole: its table, and the revision to give back to :func:`save_draft`. Raises NoTable.

    This and :func:`save_draft` are the seam for whoever reads or replaces the whole draft (import, simulation).
    """
    async with database.reading() as session:
        return await _draft(session)


async def save_draft(
    database: Database, table: Table, *, seen: int | None, by: str, clock: Clock = _utc_now
) -> frozenset[Key]:
    """Make the draft this table, all of it or nothing; tells which rows changed.

    ``seen`` is the revision of the Draft that the table was made from: a row that somebody else changed since, and
    that the table would change too, raises DraftConflict, and rows that only they changed stay theirs. None replaces
    whatever is there. Raises TableInvalid for a key that stands twice. A table that would not pass lint may be saved:
    it is a draft; publishing refuses it.
    """
    wanted = rows_of(table)
    async with database.transaction() as session:
        await store.lock(session)
        return await _save(session, wanted, seen, by, clock())


async def edit_draft(
    database: Database, edits: Sequence[Edit], *, by: str, clock: Clock = _utc_now
) -> Mapping[Key, int]:
    """Carry out the edits, all or none; tells each row's new revision.

    Raises DraftConflict with every conflict, field by field, or TableInvalid with every value that does not fit.
    """
    async with database.transaction() as session:
        await store.lock(session)
        stored = await store.read_stored(session, {edit.key for edit in edits})
        before = {key: None if was.row is None else was.row for key, was in stored.items()}
        conflicts: list[Conflict] = []
        after: dict[Key, Row | None] = {}
        for edit in edits:
            try:
                after[edit.key] = edited(edit, _was(stored.get(edit.key)), await _seen(session, edit))
            except DraftConflict as conflict:
                conflicts += conflict.conflicts
        if conflicts:
            raise DraftConflict(conflicts)
        changed = {key: row for key, row in after.items() if before.get(key) != row}
        revision = await store.draft_revision(session) + 1
        await store.write_rows(session, changed, revision=revision, at=clock(), by=by)
        return {key: revision if key in changed else stored[key].revision for key in after}


async def load_sample(database: Database, *, force: bool = False) -> bool:
    """Put the sample table into the database, when it is empty or ``force``. Tells whether it did."""
    return await load_rows(database, sample_table(), force=force)


async def load_rows(database: Database, table: Table, *, force: bool = False) -> bool:
    """Make the table the draft, when there is none or ``force``. Raises TableInvalid. Tells whether it did."""
    require_sound(table)
    async with database.transaction() as session:
        await store.lock(session)
        if not force and not await store.is_empty(session):
            return False
        await _save(session, rows_of(table), None, SYSTEM, _utc_now())
    return True


async def _draft(session: AsyncSession) -> Draft:
    rows = await store.read_rows(session)
    if not rows:
        raise NoTable("数据库里没有路由表；请先运行 ./hotline up 载入示例，或导入一份")
    return Draft(table_of(rows), await store.draft_revision(session))


async def _save(
    session: AsyncSession, wanted: Mapping[Key, Row], seen: int | None, by: str, at: datetime
) -> frozenset[Key]:
    now = await store.read_rows(session)
    latest = await store.draft_revision(session)
    if seen is not None and seen < latest:
        since = await store.changed_since(session, seen)
        then = {key: await store.row_at(session, key, seen) for key in since}
        as_seen = {key: row for key, row in now.items() if key not in since}
        as_seen |= {key: row for key, row in then.items() if row is not None}
        wishes = changes(as_seen, wanted)
        overtaken(wishes, {key: _was(was) for key, was in since.items()}, then)
        changed = {key: row for key, row in wishes.items() if now.get(key) != row}
    else:
        changed = changes(now, wanted)
    await store.write_rows(session, changed, revision=latest + 1, at=at, by=by)
    await store.arrange(session, wanted)
    return frozenset(changed)


async def _seen(session: AsyncSession, edit: Edit) -> Row | None:
    return None if edit.seen is None else await store.row_at(session, edit.key, edit.seen)


def _was(stored: store.Stored | None) -> Was:
    return Was(None) if stored is None else Was(stored.row, stored.revision, stored.changed_at, stored.changed_by)


# Published versions


async def publish(database: Database, data_dir: Path, author: str, reason: str, *, clock: Clock = _utc_now) -> Snapshot:
    """Freeze the draft as the next version, keep it, and put it on disk. Raises TableInvalid or DatabaseError."""
    async with database.transaction() as session:
        await store.lock(session)
        table = (await _draft(session)).table
        require_sound(table)
        moment = clock()
        snapshot = freeze(table, await store.newest_version(session) + 1, moment)
        text = to_json(snapshot)
        version = store.Version(snapshot.version, moment, author, reason, checksum(text))
        await store.add_version(session, version, text)
    await asyncio.to_thread(write_snapshot, data_dir / SNAPSHOT_FILE, snapshot)
    return snapshot


async def latest(database: Database) -> Snapshot | None:
    """The newest published version; None before the first. Raises SnapshotCorrupt if its row was tampered with."""
    async with database.reading() as session:
        found = await store.read_version(session, await store.newest_version(session))
    if found is None:
        return None
    version, text = found
    if checksum(text) != version.sha256:
        raise SnapshotCorrupt(f"数据库中路由表版本 {version.version} 的校验和不符；请从备份恢复 routing_versions")
    return from_json(text)


async def ensure_published(database: Database, data_dir: Path) -> Snapshot:
    """What a start needs: some published version, and its snapshot file in place. Safe to repeat."""
    snapshot = await latest(database)
    if snapshot is None:
        await load_sample(database)
        return await publish(database, data_dir, SYSTEM, FIRST_REASON)
    path = data_dir / SNAPSHOT_FILE
    if await asyncio.to_thread(_on_disk, path) != snapshot:
        await asyncio.to_thread(write_snapshot, path, snapshot)
    return snapshot


def _on_disk(path: Path) -> Snapshot | None:
    try:
        return load_snapshot(path)
    except (SnapshotMissing, SnapshotCorrupt):
        return None
