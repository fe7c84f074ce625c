"""The orders in the database: one row each, folded from the facts, and their messages in the one outbox.

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
from ledger.outbox_store import Message, enqueue
from ledger.store import facts_of
from orders.model import Order
from orders.serialisation import fold, messages
from telephony.model import CallId


class OrderRow(Base):
    __tablename__ = "orders"
    __table_args__ = (Index(None, "call_id"), Index(None, "over_at"), Index(None, "raised_at"))

    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16))
    department: Mapped[str] = mapped_column(String(40))
    """Who has taken it; before that, the level that it has come to."""
    raised_by: Mapped[str] = mapped_column(String(60))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    over_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


async def follow(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Bring rows and outbox up to date with these facts, which are in the database already."""
    about = [fact for fact in facts if fact.kind is Kind.ORDER]
    told = [
        Message(fact.id, target, fact.call, fact.at, message)
        for fact in about
        for target, message in messages(fact.id, fact.call, fact.at, fact.data)
    ]
    await enqueue(session, told)
    for call in sorted({fact.call for fact in about}):
        known = await _read(session, call)
        await session.execute(delete(OrderRow).where(OrderRow.number.in_([order.number for order in known])))
        await session.execute(insert(OrderRow), [_row(order) for order in known])


async def known_since(session: AsyncSession, since: datetime) -> list[Order]:
    """Every order that is open, or was over after ``since``."""
    calls = select(OrderRow.call_id).where(or_(OrderRow.over_at.is_(None), OrderRow.over_at > since)).distinct()
    return [order for call in await session.scalars(calls) for order in await _read(session, CallId(call))]


async def _read(session: AsyncSession, call: CallId) -> list[Order]:
    facts = await facts_of(session, call)
    return fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.ORDER))


def _row(order: Order) -> dict[str, object]:
    return {
        "number": order.number,
        "call_id": order.call,
        "type": order.type,
        "state": str(order.state),
        "department": order.acknowledged_by or order.steps[order.step].department,
        "raised_by": order.by,
        "raised_at": order.raised_at,
        "acknowledged_at": order.acknowledged_at,
        "over_at": order.over_at,
    }
