"""Loading, publishing and fetching the routing table: the shell around the pure parts.

One job: database and snapshot file kept in step. The database is committed first; a file that is missing or behind is
written again at the next start, so a crash in between loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from database.connection import Database
from routing import store
from routing.lint import require_sound
from routing.model import Snapshot, Table
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


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def load_sample(database: Database, *, force: bool = False) -> bool:
    """Put the sample table into the database, when it is empty or ``force``. Tells whether it did."""
    return await load_rows(database, sample_table(), force=force)


async def load_rows(database: Database, table: Table, *, force: bool = False) -> bool:
    """Replace the editable rows, when there are none or ``force``. Raises TableInvalid. Tells whether it did."""
    require_sound(table)
    async with database.transaction() as session:
        if not force and not await store.is_empty(session):
            return False
        await store.save_table(session, table)
    return True


async def publish(
    database: Database, data_dir: Path, author: str, reason: str, *, clock: Callable[[], datetime] = _utc_now
) -> Snapshot:
    """Freeze the rows as the next version, keep it, and put it on disk. Raises TableInvalid or DatabaseError."""
    async with database.transaction() as session:
        await store.lock_versions(session)
        table = await store.load_table(session)
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
