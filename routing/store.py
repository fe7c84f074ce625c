"""The routing table in the database: the draft that people edit, row by row, and every version ever published.

One job: tables and queries. A row of the draft is plain data (routing/table_rows.py), so a new field of the table needs
no migration. What was ever typed is kept: a row's former contents, and deleted rows, stay in the history. Published
versions are only ever added; the migrations' triggers refuse anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Integer, String, Text, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from routing.table_rows import Key, Row, kinds

_LOCK: Final = 12346
"""Key of the PostgreSQL advisory lock that lets one editor or publisher at a time past."""

READ_AT_ONCE: Final = 200
"""Rows between which whoever answers calls gets a turn."""
FEW: Final = 200
"""So many keys are looked up one by one; for more it is quicker to read them all."""


class DraftRow(Base):
    """One row of the draft as it is now."""

    __tablename__ = "routing_draft"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    place: Mapped[int]
    """Order within its kind."""
    revision: Mapped[int] = mapped_column(index=True)
    """Number of the edit that made it what it is; edits of the whole draft are numbered in one line."""
    body: Mapped[str | None] = mapped_column(Text)
    """JSON; None: the row was deleted by that edit."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(60))


class DraftHistoryRow(Base):
    """What a row was from an edit on."""

    __tablename__ = "routing_draft_history"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(String(60))


class VersionRow(Base):
    """One published snapshot. Never changed, never deleted."""

    __tablename__ = "routing_versions"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    author: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(500))
    sha256: Mapped[str] = mapped_column(String(64))
    snapshot: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Version:
    """What is known of a published version without reading its rows."""

    version: int
    published_at: datetime
    author: str
    reason: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the draft as the database has it; ``row`` is None for one that was deleted."""

    row: Row | None
    revision: int
    changed_at: datetime
    changed_by: str


async def lock(session: AsyncSession) -> None:
    """One editor or publisher at a time until the transaction's end. On SQLite it holds the write lock already."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


async def is_empty(session: AsyncSession) -> bool:
    """Whether nobody has put a routing table here yet."""
    return await draft_revision(session) == 0


async def draft_revision(session: AsyncSession) -> int:
    """Number of the latest edit of the draft, 0 before the first."""
    return int(await session.scalar(select(func.max(DraftRow.revision))) or 0)


async def read_rows(session: AsyncSession) -> dict[Key, Row]:
    """Every row of the draft, in the table's order."""
    columns = (DraftRow.kind, DraftRow.key, DraftRow.body)
    wanted = select(*columns).where(DraftRow.body.is_not(None)).order_by(DraftRow.place, DraftRow.key)
    rows: dict[str, list[tuple[Key, Row]]] = {name: [] for name in kinds()}
    found = await session.stream(wanted)
    async for part in found.partitions(READ_AT_ONCE):
        for kind, key, body in part:
            rows.setdefault(kind, []).append(((kind, key), json.loads(body or "{}")))
    return dict(pair for pairs in rows.values() for pair in pairs)


async def keys_ever(session: AsyncSession, kind: str) -> frozenset[str]:
    """Keys of one kind that a row has or had: calls in the ledger may still name one that was deleted."""
    return frozenset(await session.scalars(select(DraftRow.key).where(DraftRow.kind == kind)))


async def read_stored(session: AsyncSession, keys: Iterable[Key]) -> dict[Key, Stored]:
    """These rows with their revision, deleted ones too; those that never were are left out."""
    found = {}
    for kind, key in keys:
        row = await session.get(DraftRow, (kind, key))
        if row is not None:
            body = None if row.body is None else json.loads(row.body)
            found[kind, key] = Stored(body, row.revision, row.changed_at, row.changed_by)
    return found


async def read_page(session: AsyncSession, kind: str, beyond: str, limit: int) -> list[tuple[Key, Stored]]:
    """Rows of one kind, or of all, by key; those whose key comes after ``beyond``."""
    wanted = select(DraftRow).where(DraftRow.body.is_not(None), DraftRow.key > beyond)
    if kind:
        wanted = wanted.where(DraftRow.kind == kind)
    rows = await session.scalars(wanted.order_by(DraftRow.kind, DraftRow.key).limit(limit))
    return [
        ((row.kind, row.key), Stored(json.loads(row.body or "{}"), row.revision, row.changed_at, row.changed_by))
        for row in rows
    ]


async def changed_since(session: AsyncSession, revision: int) -> dict[Key, Stored]:
    """Rows that were edited or deleted after this edit."""
    rows = await session.scalars(select(DraftRow).where(DraftRow.revision > revision))
    return {
        (row.kind, row.key): Stored(
            None if row.body is None else json.loads(row.body), row.revision, row.changed_at, row.changed_by
        )
        for row in rows
    }


async def row_at(session: AsyncSession, key: Key, revision: int) -> Row | None:
    """The row as it was right after this edit of the draft; None when it was not there."""
    body = await session.scalar(
        select(DraftHistoryRow.body)
        .where(DraftHistoryRow.kind == key[0], DraftHistoryRow.key == key[1], DraftHistoryRow.revision <= revision)
        .order_by(DraftHistoryRow.revision.desc())
        .limit(1)
    )
    found: Row | None = None if body is None else json.loads(body)
    return found


async def row_history(session: AsyncSession, key: Key) -> list[Stored]:
    """Everything that a row ever was, newest first."""
    rows = await session.scalars(
        select(DraftHistoryRow)
        .where(DraftHistoryRow.kind == key[0], DraftHistoryRow.key == key[1])
        .order_by(DraftHistoryRow.revision.desc())
    )
    return [
        Stored(None if row.body is None else json.loads(row.body), row.revision, row.changed_at, row.changed_by)
        for row in rows
    ]


async def write_rows(
    session: AsyncSession,
    changes: Mapping[Key, Row | None],
    *,
    revision: int,
    at: datetime,
    by: str,
) -> None:
    """Make these rows so (None: deleted) as the edit ``revision``. A new row comes last in its kind."""
    if not changes:
        return
    there = select(DraftRow.kind, DraftRow.key)
    if len(changes) <= FEW:
        there = there.where(DraftRow.key.in_({key for _, key in changes}))
    known = {(kind, key) for kind, key in await session.execute(there)}
    places = await session.execute(select(DraftRow.kind, func.max(DraftRow.place)).group_by(DraftRow.kind))
    last: dict[str, int] = {row[0]: row[1] for row in places}
    stamp = {"revision": revision, "changed_at": at, "changed_by": by}
    new: list[dict[str, Any]] = []
    old: list[dict[str, Any]] = []
    for (kind, key), row in changes.items():
        named = {"kind": kind, "key": key, "body": None if row is None else _json(row), **stamp}
        if (kind, key) in known:
            old.append(named)
        else:
            last[kind] = last.get(kind, -1) + 1
            new.append({**named, "place": last[kind]})
    if old:
        await session.execute(update(DraftRow), old)
    if new:
        await session.execute(insert(DraftRow), new)
    history = [{name: value for name, value in named.items() if name != "place"} for named in (*old, *new)]
    await session.execute(insert(DraftHistoryRow), history)


async def arrange(session: AsyncSession, order: Iterable[Key]) -> None:
    """Put the rows of each kind into this order. The order is how a list is shown; it is no edit."""
    places = {(kind, key): place for kind, key, place in await session.execute(
        select(DraftRow.kind, DraftRow.key, DraftRow.place)
    )}  # fmt: skip
    seen: dict[str, int] = {}
    moved = []
    for kind, key in order:
        place = seen[kind] = seen.get(kind, -1) + 1
        if places.get((kind, key)) != place:
            moved.append({"kind": kind, "key": key, "place": place})
    if moved:
        await session.execute(update(DraftRow), moved)


async def add_version(session: AsyncSession, version: Version, snapshot: str) -> None:
    """Keep a published snapshot for ever."""
    session.add(
        VersionRow(
            version=version.version,
            published_at=version.published_at,
            author=version.author,
            reason=version.reason,
            sha256=version.sha256,
            snapshot=snapshot,
        )
    )
    await session.flush()


async def newest_version(session: AsyncSession) -> int:
    """Number of the newest published version, 0 when there is none."""
    return int(await session.scalar(select(func.max(VersionRow.version))) or 0)


async def read_version(session: AsyncSession, version: int) -> tuple[Version, str] | None:
    """A published version and its snapshot as JSON; None when there is no such version."""
    row = await session.get(VersionRow, version)
    return None if row is None else (_version(row), row.snapshot)


async def history(session: AsyncSession, limit: int = 50) -> list[Version]:
    """Published versions, newest first."""
    columns = (VersionRow.version, VersionRow.published_at, VersionRow.author, VersionRow.reason, VersionRow.sha256)
    found = await session.execute(select(*columns).order_by(VersionRow.version.desc()).limit(limit))
    return [Version(*row) for row in found]


def _version(row: VersionRow) -> Version:
    return Version(row.version, row.published_at, row.author, row.reason, row.sha256)


def _json(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
