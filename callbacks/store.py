"""The promises in the database: one row each, folded from the facts.

One job: tables and queries, inside a transaction that the caller opened. The rows are a projection: the facts say all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Float, Index, String, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from callbacks import voicemail_rules
from callbacks.model import Callback
from callbacks.serialisation import fold
from callbacks.voicemail_rules import Voicemail
from database.base import Base, UtcDateTime
from ledger.model import Fact, Kind
from ledger.store import facts_of
from telephony.model import CallId


class CallbackRow(Base):
    __tablename__ = "callbacks"
    __table_args__ = (Index(None, "closed_at"), Index(None, "promised_at"))

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[str] = mapped_column(String(33))
    line: Mapped[str] = mapped_column(String(33))
    group_id: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int]
    agent: Mapped[str] = mapped_column(String(8))
    promised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MessageRow(Base):
    __tablename__ = "messages"
    __table_args__ = (Index(None, "closed_at"), Index(None, "due_at"))

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    caller: Mapped[str] = mapped_column(String(33))
    line: Mapped[str] = mapped_column(String(33))
    group_id: Mapped[str] = mapped_column(String(40))
    seconds: Mapped[float] = mapped_column(Float)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(60))
    note: Mapped[str] = mapped_column(String(200))


async def follow(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Bring the rows of the promises that these facts (in the database already) are about up to date."""
    for call in sorted({fact.call for fact in facts if fact.kind is Kind.MESSAGE}):
        left = await _message(session, call)
        if left is not None:
            await session.execute(delete(MessageRow).where(MessageRow.call_id == call))
            await session.execute(
                insert(MessageRow).values(
                    call_id=left.id,
                    caller=left.caller,
                    line=left.line,
                    group_id=left.group,
                    seconds=left.seconds,
                    taken_at=left.taken_at,
                    due_at=left.due_at,
                    closed_at=left.closed_at,
                    closed_by=left.closed_by,
                    note=left.note,
                )
            )
    for call in sorted({fact.call for fact in facts if fact.kind is Kind.CALLBACK}):
        callback = await _read(session, call)
        if callback is None:
            continue
        await session.execute(delete(CallbackRow).where(CallbackRow.call_id == call))
        await session.execute(
            insert(CallbackRow).values(
                call_id=callback.id,
                number=callback.number,
                line=callback.line,
                group_id=callback.group,
                state=str(callback.state),
                why=callback.why[:64],
                attempts=callback.attempts,
                agent=callback.agent,
                promised_at=callback.promised_at,
                closed_at=callback.closed_at,
            )
        )


async def known_since(session: AsyncSession, since: datetime) -> list[Callback]:
    """Every promise that is open, or was closed after ``since``."""
    rows = select(CallbackRow.call_id).where(or_(CallbackRow.closed_at.is_(None), CallbackRow.closed_at > since))
    found = [await _read(session, CallId(call)) for call in await session.scalars(rows)]
    return [one for one in found if one is not None]


async def messages_since(session: AsyncSession, since: datetime) -> list[Voicemail]:
    """Every message that is open, or was closed after ``since``."""
    rows = select(MessageRow.call_id).where(or_(MessageRow.closed_at.is_(None), MessageRow.closed_at > since))
    found = [await _message(session, CallId(call)) for call in await session.scalars(rows)]
    return [one for one in found if one is not None]


async def _message(session: AsyncSession, call: CallId) -> Voicemail | None:
    facts = await facts_of(session, call)
    return voicemail_rules.fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.MESSAGE))


async def _read(session: AsyncSession, call: CallId) -> Callback | None:
    facts = await facts_of(session, call)
    return fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.CALLBACK))
