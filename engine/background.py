"""What goes on behind the calls: the journal drained into the database, gaps filled in from CEL, recordings checked.

One job: keep the database following, whatever state it is in. Nothing on the call path waits for any of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from asterisk_conf.plan import messages_home
from audit.ledger_projection import project_operator_actions
from callbacks.orphaned_voicemail import recover_orphans
from callbacks.queries import open_callbacks, open_voicemails
from callbacks.registry import REMEMBERED
from callbacks.service import Callbacks
from callbacks.store import follow as promises_follow
from callbacks.voicemail import Mailbox
from config.settings import Settings
from config.tasks import run_supervised
from database.connection import Database
from database.errors import DatabaseError
from database.schema import upgrade
from feeds.service import Feeds
from ledger.cel_backfill import CelBackfill
from ledger.drill_report import Drill, drills
from ledger.journal import Journal
from ledger.journal_replicator import JournalReplicator
from ledger.lease import RENEW_SECONDS, LeaseTaken, lease_of
from ledger.model import drill_line
from ledger.push import Pusher, Receiver
from ledger.reader import facts_now
from ledger.records import CallRecord, fold
from ledger.store import first_at
from orders import registry as order_book
from orders.queries import raised
from orders.service import Orders
from orders.store import follow as orders_follow
from outbound.history import KEPT
from outbound.queries import calls_since
from outbound.service import OutboundCalls
from outbound.store import follow as outbound_follow
from recordings.service import Recordings
from telephony.model import CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 5.0
LAST_WORK_SECONDS: Final = 3.0


class BackgroundJobs:
    """One node's background work."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        journal: Journal,
        cel_folder: Path,
        recordings_folder: Path,
        live: Callable[[], frozenset[CallId] | None],
        centres: frozenset[str],
        receivers: Callable[[], Mapping[str, Receiver]],
        callbacks: Callbacks,
        mailbox: Mailbox,
        load_pins: Callable[[], Coroutine[Any, Any, None]],
        orders: Orders,
        outbound: OutboundCalls,
        feeds: Feeds,
    ) -> None:
        """``centres`` are told of transfers, ``receivers`` are all whom the outbox serves, ``load_pins`` reads again
        what an engine that started without its database could not.
        """
        self._load_pins = load_pins
        self.alarm: Callable[[str, str], None] = lambda _key, _text: None
        """Told of what a person must see to, and of its end (:attr:`settled`)."""
        self.settled: Callable[[str], None] = lambda _key: None
        self._url = settings.database_url
        self._live = live
        self._database = database
        self._node = settings.node
        self._callbacks = callbacks
        self._mailbox = mailbox
        self._orders = orders
        self._outbound = outbound
        self._messages = messages_home(settings.data_dir)
        self.drainer = JournalReplicator(
            database,
            journal.folder,
            settings.node,
            push_to=centres,
            push_drills_to=settings.push_drills,
            followers=(promises_follow, orders_follow, outbound_follow, project_operator_actions, feeds.follow),
        )
        self.pusher = Pusher(database, receivers, allowed=settings.push_allowed)
        self._feeds = feeds
        self.citizen: Callable[[str], str] = lambda number: number
        """The one form of a caller's number."""
        self.fill_in = CelBackfill(journal, database, cel_folder, settings.node, citizen=self._in_one_form)
        self.recordings = Recordings(database, recordings_folder, node=settings.node)
        self._tasks: list[asyncio.Task[None]] = []
        self._schema = asyncio.Event()
        self._lease = lease_of(settings.node, settings.data_dir)
        self._ours = asyncio.Event()

    @property
    def ready(self) -> asyncio.Event:
        """Set when the database is there with the newest schema."""
        return self._schema

    def start(self) -> None:
        """Begin; the database may come later."""
        followers = {
            "promises": self._load_promises,
            "orders": self._load_orders,
            "outbound": self._load_outbound,
            "pins": self._load_pins,
            "drain": self.drainer.run,
            "fill-in": self._fill_in,
            "recordings": self.recordings.run,
            "push": self.pusher.run,
            "feeds": self._feeds.run,
        }
        self._tasks.append(run_supervised("schema", self._bring_schema))
        self._tasks.append(run_supervised("lease", partial(self._when_schema, self._keep_lease)))
        for name, work in followers.items():
            self._tasks.append(run_supervised(name, partial(self._when_ready, work)))

    async def stop(self) -> None:
        """Bring over what is there, for a bounded time, and end. What is left waits in the journal."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._ours.is_set():
            try:
                await asyncio.wait_for(self.drainer.drain(), LAST_WORK_SECONDS)
                await asyncio.wait_for(self._lease.give_back(self._database), LAST_WORK_SECONDS)
            except (TimeoutError, DatabaseError, OSError) as error:
                log.warning("facts left in the journal for the next start", reason=str(error))

    async def record_of(self, call: CallId) -> CallRecord | None:
        """A call, by the ledger; None for one that it does not know, or when it cannot be asked."""
        try:
            return fold(await facts_now(self._database, self.drainer.folder, self._node, call))
        except (DatabaseError, SQLAlchemyError, OSError) as error:
            log.warning("past call not known", call=call, reason=str(error))
            return None

    async def caller_of(self, call: CallId) -> str | None:
        """Who called; None as for :meth:`record_of`."""
        record = await self.record_of(call)
        return record.caller if record is not None else None

    async def drills(self) -> list[Drill]:
        """Every drill that the ledger knows. Raises DatabaseError and its kin."""
        return drills(await facts_now(self._database, self.drainer.folder, self._node, drill_line(self._node)))

    async def began(self) -> datetime | None:
        """When the ledger begins. Raises DatabaseError and its kin."""
        async with self._database.reading() as session:
            return await first_at(session)

    async def _bring_schema(self) -> None:
        while not self._schema.is_set():
            try:
                await upgrade(self._url, may_create=False)
            except (DatabaseError, OSError) as error:
                log.error("database not there, facts stay in the journal", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self._schema.set()

    async def _keep_lease(self) -> None:
        """The node's books are ours, or nothing is written into them and a person is told."""
        while True:
            try:
                await self._lease.take(self._database)
            except LeaseTaken as taken:
                self.alarm("lease", str(taken))
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.info("lease not renewed", reason=str(error))
            else:
                self.settled("lease")
                self._ours.set()
            await asyncio.sleep(RENEW_SECONDS)

    async def _when_schema(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await self._schema.wait()
        await work()

    async def _when_ready(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        await self._schema.wait()
        await self._ours.wait()
        await work()

    async def _load_promises(self) -> None:
        """Learn what was promised before this start; until then nobody is called back, lest twice."""
        while not self._callbacks.loaded:
            try:
                since = datetime.now(UTC) - REMEMBERED
                known = await open_callbacks(self._database, self.drainer.folder, self._node, since)
                messages = await open_voicemails(self._database, self.drainer.folder, self._node, since)
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.error("promises not read yet, nobody is called back", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._callbacks.book.learn(known)
            self._callbacks.loaded = True
            self._mailbox.load(messages)
            await self._take_found()
            log.info("promises read", open=len(self._callbacks.book.open()))

    async def _load_orders(self) -> None:
        """Learn which urgent orders were open before this start, and go on with them."""
        while not self._orders.loaded:
            try:
                since = datetime.now(UTC) - order_book.REMEMBERED
                known = await raised(self._database, self.drainer.folder, self._node, since)
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.error("urgent orders of before not read yet", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._orders.learn(known)
            log.info("urgent orders read", open=len(self._orders.book.open()))

    def _in_one_form(self, number: str) -> str:
        return self.citizen(number)

    async def _load_outbound(self) -> None:
        """Learn what agents called before this start: it counts for the caps, and what was open is over."""
        while not self._outbound.loaded:
            try:
                since = datetime.now(UTC) - KEPT
                known = await calls_since(self._database, self.drainer.folder, self._node, since)
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                log.error("agents' calls of before not read yet", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._outbound.learn(known)
            log.info("agents' calls read", calls=len(known))

    async def _take_found(self) -> None:
        try:
            await recover_orphans(self._mailbox, self._messages, self._database, self.drainer.folder, self._node)
        except (DatabaseError, SQLAlchemyError, OSError) as error:
            log.error("messages of which no fact tells were not looked for", reason=str(error))

    async def _fill_in(self) -> None:
        async def live() -> frozenset[CallId] | None:
            return self._live()

        await self.fill_in.run(live)
