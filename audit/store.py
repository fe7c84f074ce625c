"""The audit in the database: entries that are only ever added; the migration's triggers refuse anything else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import String, Text, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from audit.model import Act, Actor, Entry
from audit.query import DRAFT, AuditQuery
from audit.rules import seal
from database.base import Base, UtcDateTime

_LOCK: Final = 12347
"""Key of the PostgreSQL advisory lock that lets one entry at a time be sealed."""


class AuditRow(Base):
    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(String(60))
    origin: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    detail: Mapped[str] = mapped_column(Text)
    """JSON."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


async def append(session: AsyncSession, actor: Actor, act: Act, at: datetime) -> Entry:
    """Seal the act to the end of the chain, in the transaction that does it: both are kept, or neither."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    newest = await session.scalar(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1))
    entry = seal(None if newest is None else _entry(newest), actor, act, at)
    session.add(
        AuditRow(
            seq=entry.seq,
            at=at,
            who=actor.name,
            origin=actor.origin,
            action=act.action,
            subject=act.subject,
            reason=act.reason,
            detail=json.dumps(act.detail, ensure_ascii=False, sort_keys=True),
            previous=entry.previous,
            hash=entry.hash,
        )
    )
    await session.flush()
    return entry


async def has(session: AsyncSession, actor: Actor, act: Act, at: datetime) -> bool:
    """Whether this very act, in all its detail, is an entry already."""
    same = select(AuditRow).where(AuditRow.at == at, AuditRow.action == act.action)
    return any((_entry(row).actor, _entry(row).act) == (actor, act) for row in await session.scalars(same))


async def entries(session: AsyncSession, limit: int | None = None) -> Sequence[Entry]:
    """All entries in the order of their numbers, or the newest ``limit`` of them."""
    newest_first = select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    return [_entry(row) for row in await session.scalars(newest_first)][::-1]


async def of_action(session: AsyncSession, beginning: str, limit: int) -> Sequence[Entry]:
    """The newest ``limit`` entries whose action begins so, in the order of their numbers."""
    wanted = select(AuditRow).where(AuditRow.action.startswith(beginning, autoescape=True))
    return [_entry(row) for row in await session.scalars(wanted.order_by(AuditRow.seq.desc()).limit(limit))][::-1]


async def search(session: AsyncSession, query: AuditQuery) -> Sequence[Entry]:
    """The newest entries that are asked for, in the order of their numbers; looked for in the whole audit."""
    rows = select(AuditRow).order_by(AuditRow.seq.desc()).limit(query.limit)
    if query.action:
        rows = rows.where(AuditRow.action.startswith(query.action, autoescape=True))
    if query.actor:
        rows = rows.where(AuditRow.who.contains(query.actor, autoescape=True))
    if query.text:
        by_subject = AuditRow.subject.contains(query.text, autoescape=True)
        rows = rows.where(by_subject | AuditRow.reason.contains(query.text, autoescape=True))
    if query.row:
        quoted = json.dumps(query.row, ensure_ascii=False)
        rows = rows.where(AuditRow.action == DRAFT, AuditRow.detail.contains(f"{quoted}:", autoescape=True))
    if query.since is not None:
        rows = rows.where(AuditRow.at >= query.since)
    if query.until is not None:
        rows = rows.where(AuditRow.at < query.until)
    if query.before:
        rows = rows.where(AuditRow.seq < query.before)
    return [_entry(row) for row in await session.scalars(rows)][::-1]


async def after(session: AsyncSession, seq: int) -> Sequence[Entry]:
    """Entries with higher numbers, in their order."""
    rows = await session.scalars(select(AuditRow).where(AuditRow.seq > seq).order_by(AuditRow.seq))
    return [_entry(row) for row in rows]


def _entry(row: AuditRow) -> Entry:
    try:
        detail = json.loads(row.detail)
    except ValueError:
        detail = {"damaged": row.detail}  # its hash will not fit either
    act = Act(row.action, row.subject, row.reason, detail if isinstance(detail, dict) else {"damaged": detail})
    return Entry(row.seq, row.at, Actor(row.who, row.origin), act, row.previous, row.hash)
