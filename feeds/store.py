"""Subscriptions and their chains in the database, inside a transaction that the caller opened.

A record's number is given under a lock of its subscription that holds until the transaction is over. So numbers become
visible in their order and without gaps, whatever late facts tell of, and whichever node's journal they come from: a
cursor that is such a number neither skips nor repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Boolean, Index, String, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from feeds.model import GENESIS, Draft, Record, Subscription, What
from feeds.rules import digest

CHUNK: Final = 400
MAX_KEY: Final = 120


class SubscriptionRow(Base):
    __tablename__ = "feed_subscriptions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(200))
    """Separated by blanks, like numbers and groups."""
    numbers: Mapped[str] = mapped_column(Text)
    groups: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(String(500))
    client: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seq: Mapped[int] = mapped_column(BigInteger)
    """Of the last record; 0 before the first."""
    head: Mapped[str] = mapped_column(String(64))
    """Its hash."""
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was written: never goes back, whatever the clock does."""


class RecordRow(Base):
    __tablename__ = "feed_records"
    __table_args__ = (Index(None, "subscription", "key", unique=True),)

    subscription: Mapped[str] = mapped_column(String(32), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(MAX_KEY))
    what: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    full: Mapped[bool] = mapped_column(Boolean)


async def subscriptions(session: AsyncSession, *, ended: bool = False) -> list[Subscription]:
    """Those that are told, by id; with ``ended`` also those that were."""
    query = select(SubscriptionRow).order_by(SubscriptionRow.id)
    rows = await session.scalars(query if ended else query.where(SubscriptionRow.ended_at.is_(None)))
    return [_subscription(row) for row in rows]


async def subscription(session: AsyncSession, id_: str) -> Subscription | None:
    """One, be it ended; None when there is none."""
    row = await session.get(SubscriptionRow, id_)
    return None if row is None else _subscription(row)


async def add(session: AsyncSession, new: Subscription, now: datetime) -> None:
    """A new one, whose chain begins now."""
    session.add(
        SubscriptionRow(
            id=new.id,
            name=new.name,
            what=" ".join(sorted(new.what)),
            numbers=" ".join(sorted(new.numbers)),
            groups=" ".join(sorted(new.groups)),
            url=new.url,
            client=new.client,
            created_at=now,
            ended_at=None,
            seq=0,
            head=GENESIS,
            last_at=now,
        )
    )
    await session.flush()


async def change(session: AsyncSession, id_: str, **values: object) -> None:
    """Set columns of a subscription that is there."""
    row = await session.get(SubscriptionRow, id_, with_for_update=True)
    if row is None:
        raise LookupError(id_)
    for name, value in values.items():
        setattr(row, name, value)
    await session.flush()


async def append(session: AsyncSession, id_: str, drafts: Sequence[Draft], now: datetime) -> list[Record]:
    """Put drafts at the end of the chain, without those whose key is in it already. Returns the new records."""
    written: list[Record] = []
    for start in range(0, len(drafts), CHUNK):
        written += await _append(session, id_, drafts[start : start + CHUNK], now)
    return written


async def _append(session: AsyncSession, id_: str, drafts: Sequence[Draft], now: datetime) -> list[Record]:
    row = await session.get(SubscriptionRow, id_, with_for_update=True, populate_existing=True)
    if row is None or row.ended_at is not None:
        return []
    new_drafts = {draft.key: draft for draft in drafts}
    existing = select(RecordRow.key).where(RecordRow.subscription == id_, RecordRow.key.in_(list(new_drafts)))
    for key in await session.scalars(existing):
        del new_drafts[key]
    if not new_drafts:
        return []
    at = max(now, row.last_at)
    records = []
    for draft in new_drafts.values():
        seq, previous = row.seq + 1, row.head
        hash_ = digest(previous, seq, draft.key, draft.body)
        records.append(Record(id_, seq, draft.key, draft.what, at, draft.body, previous, hash_, draft.full))
        row.seq, row.head = seq, hash_
    row.last_at = at
    await session.flush()
    await session.execute(insert(RecordRow), [_row(record) for record in records])
    return records


async def page(session: AsyncSession, id_: str, after: int, limit: int) -> list[Record]:
    """The records after this number, in their order."""
    query = select(RecordRow).where(RecordRow.subscription == id_, RecordRow.seq > after)
    rows = await session.scalars(query.order_by(RecordRow.seq).limit(limit))
    return [_record(row) for row in rows]


async def record(session: AsyncSession, id_: str, seq: int) -> Record | None:
    """One record; None when it is not there."""
    row = await session.get(RecordRow, (id_, seq))
    return None if row is None else _record(row)


async def head(session: AsyncSession, id_: str) -> tuple[int, str]:
    """Number and hash of the last record, as the subscription knows them."""
    row = await session.get(SubscriptionRow, id_)
    return (row.seq, row.head) if row is not None else (0, GENESIS)


async def bodies_of(session: AsyncSession, id_: str, what: What, beginning: str) -> list[str]:
    """The bodies of records of this kind whose key begins so, in their order."""
    query = select(RecordRow.body).where(
        RecordRow.subscription == id_,
        RecordRow.what == what.value,
        RecordRow.key.startswith(beginning, autoescape=True),
    )
    return list(await session.scalars(query.order_by(RecordRow.seq)))


def _subscription(row: SubscriptionRow) -> Subscription:
    return Subscription(
        row.id,
        row.name,
        frozenset(map(What, row.what.split())),
        frozenset(row.numbers.split()),
        frozenset(row.groups.split()),
        row.url,
        row.client,
        row.created_at,
        row.ended_at,
    )


def _row(record: Record) -> dict[str, object]:
    return {
        "subscription": record.subscription, "seq": record.seq, "key": record.key, "what": record.what.value,
        "at": record.at, "body": record.body, "previous": record.previous, "hash": record.hash, "full": record.full,
    }  # fmt: skip


def _record(row: RecordRow) -> Record:
    return Record(
        row.subscription, row.seq, row.key, What(row.what), row.at, row.body, row.previous, row.hash, row.full
    )
