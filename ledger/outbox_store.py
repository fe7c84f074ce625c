"""The outbox: messages to centres' and departments' data interfaces, written in the transaction of the facts they tell.

One job: the table and its queries, inside a transaction that the caller opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, Integer, String, Text, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime, insert_ignore
from ledger.codec import MAX_CALL, MAX_ID
from ledger.drill_report import PUSHED as DRILL_STATES
from ledger.model import Fact, Kind
from ledger.push_rules import PUSHED, drill_message, encoded, message, targets
from ledger.records import word
from ledger.store import facts_of
from telephony.model import CallId

WAITING: Final = "waiting"
SENT: Final = "sent"
DEAD: Final = "dead"
"""Put aside, until a person asks for another try."""

MAX_PAGE: Final = 500


class OutboxRow(Base):
    __tablename__ = "outbox"
    __table_args__ = (Index(None, "target", "state", "at"),)

    id: Mapped[str] = mapped_column(String(MAX_ID), primary_key=True)
    """The fact's own id: the idempotency key."""
    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    call_id: Mapped[str] = mapped_column(String(MAX_CALL))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(Integer)
    refusals: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    trouble: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one receiver."""

    id: str
    """Of the fact that it tells of."""
    target: str
    call: CallId
    """What follows in a call waits for it."""
    at: datetime
    told: Mapping[str, Any]


async def put(
    session: AsyncSession, facts: Sequence[Fact], wanted: frozenset[str], drilled: frozenset[str] = frozenset()
) -> None:
    """Write the messages that these facts call for; a fact that is brought over twice makes one message.

    ``drilled``: the centres whose data interface takes part in drills.
    """
    found = [
        Message(fact.id, target, CallId(word(fact.data, "drill")), fact.at, drill_message(fact))
        for fact in facts
        if fact.kind is Kind.DRILL and word(fact.data, "state") in DRILL_STATES
        if (target := word(fact.data, "target")) in drilled
    ]
    for fact in facts:
        if fact.kind not in PUSHED or not wanted:
            continue
        story = await facts_of(session, fact.call)
        told = message(fact, story)
        found += [
            Message(fact.id, target, fact.call, fact.at, told) for target in targets(fact, story) if target in wanted
        ]
    await enqueue(session, found)


async def enqueue(session: AsyncSession, messages: Sequence[Message]) -> None:
    """Put messages into the outbox; one that is there already stays as it is."""
    rows = [
        {
            "id": one.id, "target": one.target, "call_id": one.call, "at": one.at, "body": encoded(one.told),
            "state": WAITING, "tries": 0, "refusals": 0, "next_at": one.at, "trouble": "",
        }
        for one in messages
    ]  # fmt: skip
    if rows:
        await session.execute(insert_ignore(session.get_bind().dialect.name, OutboxRow, ("id", "target")), rows)


async def heads(session: AsyncSession, target: str, oldest_only: bool = False) -> list[OutboxRow]:
    """The oldest waiting message of each call, oldest first: what follows in a call waits for it.

    ``oldest_only``: only the oldest of all.
    """
    query = select(OutboxRow).where(OutboxRow.target == target, OutboxRow.state == WAITING)
    rows = await session.scalars(query.order_by(OutboxRow.at, OutboxRow.id).limit(1 if oldest_only else MAX_PAGE))
    first: dict[str, OutboxRow] = {}
    for row in rows:
        first.setdefault(row.call_id, row)
    return list(first.values())


async def keep(session: AsyncSession, row: OutboxRow) -> None:
    """Write down how a try ended."""
    await session.merge(row)


async def drop(session: AsyncSession, row: OutboxRow) -> None:
    """Forget a message that was taken and is kept elsewhere."""
    await session.execute(delete(OutboxRow).where(OutboxRow.id == row.id, OutboxRow.target == row.target))


async def forget(session: AsyncSession, target: str, first: str) -> None:
    """Forget the messages to a receiver from this id on, whatever became of them."""
    await session.execute(delete(OutboxRow).where(OutboxRow.target == target, OutboxRow.id >= first))


async def waiting(session: AsyncSession, target: str) -> tuple[int, int]:
    """How many messages wait for a receiver, and how many are put aside."""
    query = select(OutboxRow.state, func.count()).where(OutboxRow.target == target).group_by(OutboxRow.state)
    counts = [(state, count) for state, count in await session.execute(query)]
    by_state: dict[str, int] = dict(counts)
    return by_state.get(WAITING, 0), by_state.get(DEAD, 0)


async def listed(session: AsyncSession, states: Iterable[str], limit: int) -> list[OutboxRow]:
    """Messages in these states, the newest last."""
    query = select(OutboxRow).where(OutboxRow.state.in_(list(states)))
    rows = await session.scalars(query.order_by(OutboxRow.at.desc(), OutboxRow.id.desc()).limit(limit))
    return list(reversed(list(rows)))


async def again(session: AsyncSession, ids: Sequence[str], now: datetime) -> int:
    """Another try for messages put aside, all of them when none is named. How many there were."""
    found = select(OutboxRow.id).where(OutboxRow.state == DEAD)
    found = found.where(OutboxRow.id.in_(ids)) if ids else found
    count = len(list(await session.scalars(found)))
    change = update(OutboxRow).where(OutboxRow.state == DEAD)
    change = change.where(OutboxRow.id.in_(ids)) if ids else change
    await session.execute(change.values(state=WAITING, refusals=0, next_at=now))
    return count
