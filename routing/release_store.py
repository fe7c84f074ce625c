"""Releases in the database: tables that wait for a second person, or for their hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import String, Text, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from routing.releases import Release, State


class ReleaseRow(Base):
    __tablename__ = "routing_releases"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    author: Mapped[str] = mapped_column(String(60))
    origin: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(500))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    base: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    decided_by: Mapped[str] = mapped_column(String(60))
    version: Mapped[int | None]
    trouble: Mapped[str] = mapped_column(Text)
    snapshot: Mapped[str] = mapped_column(Text)
    """The table, frozen as it was when it was asked for."""


async def add(session: AsyncSession, release: Release, snapshot: str) -> Release:
    """Keep a new one; it gets the next number. Under the routing table's lock."""
    number = int(await session.scalar(select(func.max(ReleaseRow.id))) or 0) + 1
    kept = replace(release, id=number)
    session.add(
        ReleaseRow(
            id=number,
            asked_at=kept.asked_at,
            author=kept.author,
            origin=kept.origin,
            reason=kept.reason,
            due_at=kept.due_at,
            base=kept.base,
            state=str(kept.state),
            decided_by=kept.decided_by,
            version=kept.version,
            trouble=kept.trouble,
            snapshot=snapshot,
        )
    )
    await session.flush()
    return kept


async def read(session: AsyncSession, number: int) -> tuple[Release, str] | None:
    """A release and its table as a snapshot's JSON."""
    row = await session.get(ReleaseRow, number)
    return None if row is None else (_release(row), row.snapshot)


async def write(session: AsyncSession, release: Release) -> None:
    """Keep what became of it."""
    row = await session.get_one(ReleaseRow, release.id)
    row.state, row.decided_by = str(release.state), release.decided_by
    row.version, row.trouble = release.version, release.trouble
    await session.flush()


async def newest(session: AsyncSession, limit: int = 50, states: Iterable[State] = tuple(State)) -> list[Release]:
    """The newest in these states, newest first."""
    wanted = [str(state) for state in states]
    rows = await session.scalars(
        select(ReleaseRow).where(ReleaseRow.state.in_(wanted)).order_by(ReleaseRow.id.desc()).limit(limit)
    )
    return [_release(row) for row in rows]


def _release(row: ReleaseRow) -> Release:
    return Release(
        row.id,
        row.asked_at,
        row.author,
        row.origin,
        row.reason,
        row.due_at,
        row.base,
        State(row.state),
        row.decided_by,
        row.version,
        row.trouble,
    )
