"""The draft and the published versions in the database: the shell around the pure parts.

One job: load, edit and save the draft, each change with its entry in the audit; fetch what was published. Publishing
is routing/publish.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act, Actor
from audit.store import append
from database.connection import Database
from routing import store
from routing.codec import Misfit
from routing.draft import Conflict, Draft, DraftConflict, Edit, Was, changes, edited, overtaken
from routing.labels_zh import row_words
from routing.lint import require_sound
from routing.model import Snapshot, Table
from routing.naming import names_of_rows
from routing.sample_table import sample_table
from routing.snapshot import SnapshotCorrupt, checksum, from_json, thaw
from routing.table_rows import Key, Row, patched, rows_of, table_of

SYSTEM: Final = "系统"

HERE: Final = "本机"
SHOWN: Final = 3
"""Rows that the audit names in its sentence."""
KEPT: Final = 200
"""Rows whose new contents the audit keeps; the rows' own history has all of them."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes the draft, why and when."""

    actor: Actor
    reason: str
    at: datetime


class NoTable(LookupError):
    """The database holds no routing table; the text says what to do."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


# The draft


async def load_draft(database: Database, known: Draft | None = None) -> Draft:
    """The draft as a whole: its table, and the revision to give back to :func:`save_draft`. Raises NoTable.

    This and :func:`save_draft` are the seam for whoever reads or replaces the whole draft (import, simulation).
    ``known`` is an earlier draft of this database: only what was edited since is read then. The order of its rows may
    differ from a fresh one's, which means nothing.
    """
    async with database.reading() as session:
        if known is not None:
            revision = await store.draft_revision(session)
            if revision == known.revision:
                return known
            since = await store.changed_since(session, known.revision)
            try:
                changed = {key: was.row for key, was in since.items()}
                return Draft(await asyncio.to_thread(patched, known.table, changed), revision)
            except Misfit:
                pass  # the whole reading tells every fault at once
        return await _draft(session)


async def save_draft(
    database: Database,
    table: Table,
    *,
    seen: int | None,
    by: str,
    origin: str = HERE,
    reason: str = "",
    clock: Clock = _utc_now,
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
        return await _save(session, wanted, seen, Change(Actor(by, origin), reason, clock()))


async def edit_draft(
    database: Database,
    edits: Sequence[Edit],
    *,
    by: str,
    origin: str = HERE,
    reason: str = "",
    clock: Clock = _utc_now,
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
        await _write(session, changed, before, revision, Change(Actor(by, origin), reason, clock()))
        return {key: revision if key in changed else stored[key].revision for key in after}


async def discard_draft(
    database: Database, *, by: str, origin: str = HERE, reason: str = "", clock: Clock = _utc_now
) -> frozenset[Key]:
    """Make the draft what is in force; what was typed stays in the rows' history. Raises NoTable when nothing is."""
    published = await latest(database)
    if published is None:
        raise NoTable("还没有发布过路由表，没有可恢复的版本；请先运行 ./hotline up")
    return await save_draft(database, thaw(published), seen=None, by=by, origin=origin, reason=reason, clock=clock)


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
        await _save(session, rows_of(table), None, Change(Actor(SYSTEM, HERE), "载入路由表", _utc_now()))
    return True


async def _draft(session: AsyncSession) -> Draft:
    rows = await store.read_rows(session)
    if not rows:
        raise NoTable("数据库里没有路由表；请先运行 ./hotline up 载入示例，或导入一份")
    return Draft(await asyncio.to_thread(table_of, rows), await store.draft_revision(session))


async def _save(session: AsyncSession, wanted: Mapping[Key, Row], seen: int | None, change: Change) -> frozenset[Key]:
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
    await _write(session, changed, now, latest + 1, change)
    await store.arrange(session, wanted)
    return frozenset(changed)


async def _write(
    session: AsyncSession,
    changed: Mapping[Key, Row | None],
    was: Mapping[Key, Row | None],
    revision: int,
    change: Change,
) -> None:
    if not changed:
        return
    await store.write_rows(session, changed, revision=revision, at=change.at, by=change.actor.name)
    called = names_of_rows({key: row if row is not None else was.get(key) for key, row in changed.items()})
    names = [row_words(key, called) for key in changed]
    more = f" 等 {len(names)} 行" if len(names) > SHOWN else ""
    rows = {".".join(key): None if row is None else dict(row) for key, row in [*changed.items()][:KEPT]}
    act = Act(
        "routing.draft",
        f"修改草稿：{'、'.join(names[:SHOWN])}{more}",
        change.reason,
        {"rows": rows, "count": len(names)},
    )
    await append(session, change.actor, act, change.at)


async def _seen(session: AsyncSession, edit: Edit) -> Row | None:
    return None if edit.seen is None else await store.row_at(session, edit.key, edit.seen)


def _was(stored: store.Stored | None) -> Was:
    return Was(None) if stored is None else Was(stored.row, stored.revision, stored.changed_at, stored.changed_by)


# Published versions


async def latest(database: Database) -> Snapshot | None:
    """The newest published version; None before the first. Raises SnapshotCorrupt if its row was tampered with."""
    async with database.reading() as session:
        found = await store.read_version(session, await store.newest_version(session))
    if found is None:
        return None
    version, text = found
    if checksum(text) != version.sha256:
        raise SnapshotCorrupt(f"数据库中路由表版本 {version.version} 的校验和不符；请从备份恢复 routing_versions")
    return await asyncio.to_thread(from_json, text)
