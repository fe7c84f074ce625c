"""Subscriptions at work: facts to records in the transaction of the facts, days when they are over, and who may fetch.

One job: the shell. What stands in a record is feeds/bodies', how records are chained feeds/rules'; what is pushed goes
through the one outbox (ledger/push.py).
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from database.connection import Database
from database.errors import DatabaseError
from feeds import store
from feeds.bodies import KINDS, day_draft, drafts
from feeds.model import Draft, Record, Subscription, What
from feeds.rules import TARGET, OtherChain, cursor, cursor_of, faults, in_scope, shown
from ledger import outbox_store as outbox
from ledger.measures import Aims
from ledger.model import NO_CALL, Fact
from ledger.push import Receiver
from ledger.reports import store as reports
from ledger.reports.model import Period, Tally
from ledger.store import facts_between, facts_of
from telephony.model import CallId
from users.model import Identity, Right
from users.store import client_of, client_row

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

REFRESH_SECONDS: Final = 2.0
"""How soon a subscription that was added by the command line is served."""

DAYS_SECONDS: Final = 600.0
"""Between two looks whether a day is over, or has changed since it was told."""

DAYS_BACK: Final = 7
"""So many days are told again when late facts change their figures."""

MAX_AGE_SECONDS: Final = 30 * 86400.0
"""A department's receiver may be away over holidays."""

PAGE: Final = 1000
BACKFILL_STEP: Final = timedelta(hours=6)


class Feeds:
    """All subscriptions of one database."""

    def __init__(
        self,
        database: Database,
        aims: Aims,
        zone: tzinfo,
        secret: Callable[[str], str] = lambda target: "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``secret``: the key that is shared with a receiver, by its name in the outbox."""
        self._database = database
        self._aims = aims
        self._zone = zone
        self._secret = secret
        self._now = now
        self.receivers: Mapping[str, Receiver] = {}
        """Whom the outbox serves, by its target."""

    async def run(self) -> None:
        """Keep the receivers at what the database says, and tell of days; ends only by cancellation."""
        days_written_at: float | None = None
        clock = asyncio.get_running_loop().time
        while True:
            try:
                await self.refresh()
                if days_written_at is None or clock() - days_written_at >= DAYS_SECONDS:
                    await self.write_days()
                    days_written_at = clock()
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.warning("feeds out of reach", reason=str(error))
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Learn which subscriptions are pushed, and where to."""
        async with self._database.reading() as session:
            active = await store.subscriptions(session)
        self.receivers = {
            target_of(subscription.id): Receiver(
                subscription.url, self._secret(target_of(subscription.id)), True, MAX_AGE_SECONDS
            )
            for subscription in active
            if subscription.url
        }

    async def follow(self, session: AsyncSession, facts: Sequence[Fact]) -> None:
        """Write the records that these facts call for; the facts are in the database already."""
        if not any(fact.kind in KINDS for fact in facts):
            return
        active = await store.subscriptions(session)
        if active:
            await _write_records(session, active, facts, self._now())

    async def write_days(self) -> None:
        """The figures of the days that are over, to each subscription that wants them, once for each change."""
        now = self._now()
        async with self._database.reading() as session:
            active = [
                subscription for subscription in await store.subscriptions(session) if What.DAYS in subscription.what
            ]
        today = now.astimezone(self._zone).date()
        for subscription in active:
            began = (subscription.created_at or now).astimezone(self._zone).date()
            for back in range(DAYS_BACK, 0, -1):
                if (day := today - timedelta(days=back)) >= began:
                    await self._write_day(subscription, day)

    async def _write_day(self, subscription: Subscription, day: date) -> bool:
        midnight = datetime.combine(day, time(), tzinfo=self._zone)
        period = Period(midnight, datetime.combine(day + timedelta(days=1), time(), tzinfo=self._zone))
        async with self._database.reading() as session:
            tally = await self._tally(session, subscription, period)
            existing = await store.bodies_of(session, subscription.id, What.DAYS, f"{What.DAYS}:{day.isoformat()}.")
        if existing and _same(tally, json.loads(existing[-1])):
            return False
        async with self._database.transaction() as session:
            await _append(session, subscription, [day_draft(day, tally, len(existing) + 1)], self._now())
        return True

    async def _tally(self, session: AsyncSession, subscription: Subscription, period: Period) -> Tally:
        only = () if subscription.everything else (reports.within(subscription.numbers, subscription.groups),)
        return await reports.tally(session, period, self._aims, *only)

    async def read_after(self, client: Identity, id_: str, after: str, limit: int) -> dict[str, Any]:
        """The records after a cursor, for the program whose subscription it is.

        Raises NotUsable for what is no cursor, LookupError when the program has no such subscription, PermissionError
        when it may not see what stands in it, OtherChain when the cursor does not belong to this chain.
        """
        seq, beginning = cursor_of(after)
        async with self._database.reading() as session:
            every = await store.subscriptions(session, ended=True)
            own = [subscription for subscription in every if client.client and subscription.client == client.client]
            if id_:
                own = [subscription for subscription in own if subscription.id == id_]
            if not own:
                raise LookupError("没有这个订阅，或这个令牌不是它的；请 12345 的管理员用 hotline feeds link 关联")
            if len(own) > 1:
                raise LookupError(f"这个令牌有几个订阅，请写明 subscription：{'、'.join(each.id for each in own)}")
            subscription = own[0]
            last, head = await store.head(session, subscription.id)
            await _require_same_chain(session, subscription.id, seq, beginning, last)
            records = await store.page(session, subscription.id, seq, limit)
        if any(record.full for record in records) and Right.FEED_NUMBERS not in client.rights:
            raise PermissionError(f"这些数据里有完整的来电号码，令牌没有权限（{Right.FEED_NUMBERS}）")
        newest = records[-1] if records else None
        return {
            "subscription": subscription.id,
            "name": subscription.name,
            "records": [shown(record) for record in records],
            "next": cursor(newest.seq, newest.hash) if newest else after or "0",
            "more": (newest.seq if newest else seq) < last,
            "head": {"seq": last, "hash": head},
        }

    async def backfill(self, id_: str, period: Period, progress: Callable[[datetime, int], None]) -> int:
        """Tell of a period that is over, as far as it is not told yet; how many records that made.

        ``progress`` hears how far it is and how many records there are. Raises LookupError, DatabaseError.
        """
        made, at = 0, period.since
        async with self._database.reading() as session:
            subscription = await store.subscription(session, id_)
        if subscription is None or subscription.ended_at is not None:
            raise LookupError(id_)
        while at < period.until:
            until = min(at + BACKFILL_STEP, period.until)
            async with self._database.reading() as session:
                facts = await facts_between(session, at, until)
            async with self._database.transaction() as session:
                made += await _write_records(session, [subscription], facts, self._now(), facts)
            at = until
            progress(at, made)
            await asyncio.sleep(0)
        if What.DAYS in subscription.what:
            day, today = period.since.astimezone(self._zone).date(), self._now().astimezone(self._zone).date()
            while day < min(period.until.astimezone(self._zone).date(), today):
                made += await self._write_day(subscription, day)
                day += timedelta(days=1)
            progress(at, made)
        return made

    async def replay(self, id_: str, first: int) -> int:
        """Push the records from this number on once more, in their order; how many there are."""
        count, after = 0, first - 1
        async with self._database.transaction() as session:
            await outbox.forget(session, target_of(id_), _key(id_, first))
            while records := await store.page(session, id_, after, PAGE):
                await outbox.enqueue(session, [_message(record) for record in records])
                count, after = count + len(records), records[-1].seq
        return count

    async def verify(self, id_: str) -> list[str]:
        """What is wrong with a chain, in Chinese; empty when it is whole."""
        problems: list[str] = []
        seq, previous = 0, "0" * 64
        async with self._database.reading() as session:
            last, head = await store.head(session, id_)
            while records := await store.page(session, id_, seq, PAGE):
                problems += faults(records, seq, previous)
                seq, previous = records[-1].seq, records[-1].hash
        if seq != last:
            problems.append(
                f"末尾的第 {seq + 1} 至 {last} 条不见了" if seq < last else f"第 {last + 1} 条起不是热线写的"
            )
        elif previous != head:
            problems.append(f"末条 {seq} 与登记的校验值不同")
        return problems


def target_of(id_: str) -> str:
    """The subscription's name in the outbox, and of its key."""
    return f"{TARGET}{id_}"


async def _write_records(
    session: AsyncSession,
    active: Collection[Subscription],
    facts: Iterable[Fact],
    now: datetime,
    stories: Iterable[Fact] | None = None,
) -> int:
    """Write the records of these facts into each subscription that they concern; how many there are.

    ``stories``: all facts of their calls, where they are known already.
    """
    by_call: dict[CallId, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact.kind in KINDS and fact.call != NO_CALL:
            by_call[fact.call].append(fact)
    stories_by_call: dict[CallId, list[Fact]] = defaultdict(list)
    for fact in stories or ():
        stories_by_call[fact.call].append(fact)
    full = {subscription.id: await _full(session, subscription) for subscription in active}
    drafts_by_subscription: dict[str, list[Draft]] = defaultdict(list)
    for call, new_facts in by_call.items():
        story = stories_by_call[call] if stories is not None else await facts_of(session, call)
        for unmasked in sorted(set(full.values())):
            record, made = drafts(new_facts, story, full=unmasked)
            for subscription in active:
                if (
                    record is not None
                    and full[subscription.id] is unmasked
                    and in_scope(subscription, record.number, record.group)
                ):
                    drafts_by_subscription[subscription.id] += [
                        draft for draft in made if draft.what in subscription.what
                    ]
    made_in_all = 0
    for subscription in sorted(
        active, key=lambda subscription: subscription.id
    ):  # always in this order, so that two nodes cannot block each other
        made_in_all += await _append(session, subscription, drafts_by_subscription[subscription.id], now)
    return made_in_all


async def _append(session: AsyncSession, subscription: Subscription, made: Sequence[Draft], now: datetime) -> int:
    records = await store.append(session, subscription.id, made, now) if made else []
    if subscription.url:
        await outbox.enqueue(session, [_message(record) for record in records])
    return len(records)


async def _full(session: AsyncSession, subscription: Subscription) -> bool:
    """Whether its program may be told callers' numbers unmasked."""
    row = await client_row(session, subscription.client) if subscription.client else None
    if row is None or row.revoked_at is not None or row.expires_at <= datetime.now(UTC):
        return False
    return Right.FEED_NUMBERS in client_of(row).rights


def _message(record: Record) -> outbox.Message:
    target = target_of(record.subscription)
    return outbox.Message(_key(record.subscription, record.seq), target, CallId(target), record.at, shown(record))


def _key(id_: str, seq: int) -> str:
    """The idempotency key: sorts like the numbers."""
    return f"{id_}-{seq:015d}"


async def _require_same_chain(session: AsyncSession, id_: str, seq: int, beginning: str, last: int) -> None:
    """Raises OtherChain."""
    advice = "数据源换过或恢复过备份，与已取的不是同一条链；请告诉 12345，核对后从头再取（after=0）"
    if seq > last:
        raise OtherChain(f"游标 {seq} 超过末条 {last}：{advice}")
    if seq and beginning:
        record = await store.record(session, id_, seq)
        if record is None or not record.hash.startswith(beginning):
            raise OtherChain(f"第 {seq} 条与已取的不同：{advice}")


def _same(tally: Tally, existing: Mapping[str, Any]) -> bool:
    return all(existing.get(name) == getattr(tally, name) for name in Tally.__dataclass_fields__)
