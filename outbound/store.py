"""Agents' calls in the database: one row each, folded from the facts.

One job: tables and queries, inside a transaction that the caller opened. The rows are a projection: the facts say all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, String, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from ledger.model import Fact, Kind
from ledger.store import facts_of
from outbound.model import OutboundCall
from outbound.serialisation import latest
from telephony.model import CallId


class OutboundCallRow(Base):
    __tablename__ = "outbound_calls"
    __table_args__ = (Index(None, "asked_at"), Index(None, "closed_at"))

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent: Mapped[str] = mapped_column(String(8))
    number: Mapped[str] = mapped_column(String(64))
    """In the one form of a citizen's number."""
    state: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


async def follow(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Bring the rows of the calls that these facts (in the database already) are about up to date."""
    for call in sorted({fact.call for fact in facts if fact.kind is Kind.OUTBOUND}):
        found = await _read(session, call)
        if found is None:
            continue
        await session.execute(delete(OutboundCallRow).where(OutboundCallRow.call_id == call))
        await session.execute(
            insert(OutboundCallRow).values(
                call_id=found.id,
                agent=found.agent,
                number=found.number[:64],
                state=str(found.state),
                why=found.why[:64],
                asked_at=found.asked_at,
                answered_at=found.answered_at,
                closed_at=found.closed_at,
            )
        )


async def asked_since(session: AsyncSession, since: datetime) -> list[OutboundCall]:
    """Every call that is not over, or was asked for after ``since``."""
    wanted = or_(OutboundCallRow.closed_at.is_(None), OutboundCallRow.asked_at > since)
    rows = await session.scalars(select(OutboundCallRow.call_id).where(wanted))
    found = [await _read(session, CallId(call)) for call in rows]
    return [one for one in found if one is not None]


async def _read(session: AsyncSession, call: CallId) -> OutboundCall | None:
    facts = await facts_of(session, call)
    return latest(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.OUTBOUND))
