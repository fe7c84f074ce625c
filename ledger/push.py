"""From the outbox to centres' and departments' data interfaces, in the background: in order by call, at least once.

One job: deliver. A receiver that is down, slow or broken is waited for with a back-off; the others go on. What
a receiver keeps refusing, or nobody took for a day, is put aside for people to look at.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from sqlalchemy.exc import SQLAlchemyError

from database.connection import Database
from database.errors import DatabaseError
from ledger import outbox_store as outbox
from ledger.push_address import Allowed, fault, forbidden
from ledger.push_rules import MAX_AGE_SECONDS, Outcome, delay_seconds, given_up, outcome, signature

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

POLL_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5.0
"""A receiver that takes longer has not taken it."""

Post = Callable[[str, Mapping[str, str], bytes], Awaitable[int]]
"""Send to an address and give the HTTP status; 0 when there was no answer."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """The data interface of a centre or a department."""

    url: str
    secret: str
    in_order: bool = False
    """Its messages are one row, not one for each call, and are kept elsewhere: one that was taken leaves the outbox."""
    max_age_seconds: float = MAX_AGE_SECONDS
    """A message that could not be delivered for so long is put aside."""


class GuardedResolver(AbstractResolver):
    """Names to addresses, without those that :func:`ledger.push_address.forbidden` names."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = [each for each in await self._inner.resolve(host, port, family) if not forbidden(each["host"])]
        if not addresses:
            raise OSError(f"{host} has no address to which anything may be pushed")
        return addresses

    async def close(self) -> None:
        await self._inner.close()


class Pusher:
    """Brings messages to every receiver."""

    def __init__(
        self,
        database: Database,
        receivers: Callable[[], Mapping[str, Receiver]],
        *,
        allowed: Allowed = Allowed(),  # noqa: B008 frozen
        post: Post | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``receivers`` are those of this moment, by the outbox's target: a published table may change them."""
        self._database = database
        self._receivers = receivers
        self._allowed = allowed
        self._post = post or partial(_post, allowed)
        self._sleep = sleep
        self._now = now

    async def run(self) -> None:
        """Deliver for ever; ends only by cancellation."""
        served: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as receivers:
            while True:
                for target in self._receivers():
                    if target not in served or served[target].done():
                        served[target] = receivers.create_task(self._serve(target))
                await self._sleep(POLL_SECONDS)

    async def step(self, target: str) -> int:
        """Try what is due for one receiver, until it does not answer. How many messages it took or refused."""
        receiver = self._receivers().get(target)
        if receiver is None:
            return 0
        async with self._database.reading() as session:
            due = [row for row in await outbox.heads(session, target, receiver.in_order) if row.next_at <= self._now()]
        done = 0
        for row in due:
            ended = await self._try(target, receiver, row)
            if ended is Outcome.UNREACHABLE:
                break
            done += 1
        return done

    async def _serve(self, target: str) -> None:
        while target in self._receivers():
            try:
                moved = await self.step(target)
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.warning("outbox out of reach", target=target, reason=str(error))
                moved = 0
            if not moved:
                await self._sleep(POLL_SECONDS)

    async def _try(self, target: str, receiver: Receiver, row: outbox.OutboxRow) -> Outcome:
        body, now = row.body.encode(), self._now()
        stamp = int(now.timestamp())
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": row.id,
            "X-Hotline-Timestamp": str(stamp),
            "X-Hotline-Signature": signature(receiver.secret, stamp, row.id, body),
        }
        wrong = fault(receiver.url, self._allowed)
        status = 0 if wrong else await self._post(receiver.url, headers, body)
        ended = outcome(status)
        row.tries += 1
        row.refusals += ended is Outcome.REFUSED
        row.trouble = "" if ended is Outcome.DELIVERED else f"HTTP {status}" if status else wrong[:200] or "没有应答"
        row.next_at = now + timedelta(seconds=delay_seconds(row.tries) * random.uniform(0.5, 1.0))
        if ended is Outcome.DELIVERED:
            row.state = outbox.SENT
        elif given_up(row.refusals, (now - row.at).total_seconds(), receiver.max_age_seconds):
            row.state = outbox.DEAD
            log.error("message put aside", target=target, call=row.call_id, id=row.id, trouble=row.trouble)
        else:
            log.warning("message not taken", target=target, call=row.call_id, tries=row.tries, trouble=row.trouble)
        async with self._database.transaction() as session:
            if row.state == outbox.SENT and receiver.in_order:
                await outbox.drop(session, row)
            else:
                await outbox.keep(session, row)
        return ended


async def _post(allowed: Allowed, url: str, headers: Mapping[str, str], body: bytes) -> int:
    resolver = None if allowed.local else GuardedResolver(ThreadedResolver())
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver), timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            ) as session,
            session.post(url, headers=dict(headers), data=body, allow_redirects=False) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0
