"""``hotline serve``: the engine as a process, from settings to SIGTERM.

One job: bring up and take down, in named stages with deadlines.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from asterisk_conf.plan import messages_home, recordings_home, switch_home
from calls.notes_recovery import restore_notes
from calls.recent_callers import MOST_CALLERS
from calls.switch.password_guesses import GuessWatch
from config.credentials import credentials
from config.open_files import raise_open_files
from config.settings import Settings
from config.tasks import run_supervised
from console.api.reports import namer, other_names
from console.api.setup import setup_routes
from console.control_api import application
from console.health import Health
from console.listener import Listener
from console.screens.half_hours import HalfHours
from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import upgrade
from engine.background import BackgroundJobs
from engine.call_archive import CallArchive
from engine.control import Control
from engine.engine import Engine, journal_folder
from engine.publish_target import RunningEngineTarget
from engine.website import Website
from engine.wiring.orders import receivers_of
from feeds.service import Feeds
from ivr.prompts.service import Prompts
from ledger.journal import Journal
from ledger.measures import Outcome, outcome
from ledger.model import Kind
from ledger.push import Receiver
from ledger.push_rules import secret_of
from ledger.reader import calls_now, kind_between, stories_between
from ledger.reports.schedule import Named, ReportSchedule
from ledger.reports.service import Reports
from ledger.store import CallFilter
from routing.holiday_alarm import CalendarWatch
from routing.model import Snapshot
from routing.numbers import citizen
from routing.publish import Publisher, ensure_published
from routing.snapshot import SnapshotMissing, load_snapshot
from routing.tables import Tables
from setup.backup.restore import require_restored
from setup.checklist import SetupChecklist
from setup.instance import InstanceDiagnostics
from setup.lint_context import lint_context
from setup.process.notify import beat, notify
from setup.sample_data import SampleData
from telephony.model import CallId
from transfers.drills.reminder import DrillReminder
from users.accounts import Accounts

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)


DESCRIPTORS: Final = 8192
"""Open sockets and files the engine may have."""

SWITCH_SECONDS: Final = 0.001
"""How long a thread that publishes or simulates may keep the one that answers calls waiting; Python's own is 5 ms."""


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises what stops a start: no table at all, a port taken, a refused secret."""
    raise_open_files(DESCRIPTORS)  # peers that connect and say nothing must not use up what calls need
    sys.setswitchinterval(SWITCH_SECONDS)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    database = open_database(settings.database_url, must_exist=True)
    require_restored(settings.data_dir)
    snapshot = await published(settings, database)
    secrets = credentials(settings.data_dir, snapshot.seats)
    journal = Journal(journal_folder(settings.data_dir))
    journal.start()
    engine = Engine(settings, secrets, snapshot, journal, database)

    def live() -> frozenset[CallId] | None:
        return frozenset(engine.calls.live) if engine.switch.up and engine.recovery.looked.is_set() else None

    async def past(since: datetime, until: datetime) -> list[Outcome]:
        stories = await stories_between(database, journal.folder, settings.node, since, until)
        return [call for story in stories if (call := outcome(story))]

    cel_folder = switch_home(settings.data_dir) / "cel"
    centres = {
        target: Receiver(url, secret_of(secrets.push_secret, target)) for target, url in settings.push_urls.items()
    }
    feeds = Feeds(database, settings.aims, settings.zone, lambda target: secret_of(secrets.push_secret, target))
    books = BackgroundJobs(
        settings,
        database,
        journal,
        cel_folder,
        recordings_home(settings.data_dir),
        live,
        frozenset(centres),
        lambda: {**centres, **receivers_of(engine.snapshot, secrets.push_secret), **feeds.receivers},
        engine.callbacks,
        engine.mailbox,
        engine.pins.load,
        engine.orders,
        engine.outbound,
        feeds,
    )
    folder = journal_folder(settings.data_dir)
    engine.lost_calls.records = lambda since: calls_now(
        database, folder, settings.node, CallFilter(since=since, limit=MOST_CALLERS)
    )
    books.citizen = lambda number: citizen(number, engine.snapshot.area_code)
    books.alarm, books.settled = engine.alarms.put, engine.alarms.clear
    field = RunningEngineTarget(settings, engine)
    publisher = Publisher(database, settings.data_dir, partial(lint_context, settings), field)
    publisher.remember(snapshot)
    tables = Tables(publisher, approval=settings.publish_approval)
    control = Control(engine, books, tables, secrets.push_secret)
    archive = CallArchive(
        database, journal.folder, settings.node, recordings_home(settings.data_dir), messages_home(settings.data_dir)
    )
    half_hours = HalfHours(past, settings.aims)
    care = InstanceDiagnostics(settings, database, lambda: engine.snapshot)

    def set_up(accounts: Accounts) -> SetupChecklist:
        samples = SampleData(tables, accounts, engine.pins, lambda: engine.queues.acd, settings.data_dir)
        return SetupChecklist(
            settings,
            lambda: engine.snapshot,
            lambda: engine.queues.acd,
            accounts,
            engine.pins,
            archive,
            samples,
        )

    reports = Reports(database, journal.folder, settings.node, settings.aims, settings.zone)
    schedule = ReportSchedule(
        reports,
        lambda: Named(namer(engine.snapshot), other_names(engine.snapshot)),
        settings.report_plan,
        lambda key, text: engine.alarms.put(key, text, grave=False),
        engine.alarms.clear,
    )
    website = Website(
        settings,
        control,
        database,
        archive,
        engine.alarms,
        engine.screens,
        engine.page_phones,
        half_hours,
        reports,
        feeds,
        care,
        Prompts(settings.data_dir, settings.city, lambda: engine.snapshot, database),
        set_up,
    )
    more = setup_routes(website.set_up)
    runner = Listener(application(control, secrets.api_token, more))
    reminding = run_supervised("calendar", CalendarWatch(lambda: engine.snapshot, engine.alarms).run)
    scheduled = run_supervised("reports", schedule.run)
    watching = run_supervised("guesses", GuessWatch(switch_home(settings.data_dir) / "log", engine.alarms).run)
    drilling = run_supervised("drills", DrillReminder(books.drills, books.began, engine.alarms, settings.zone).run)
    health = Health(settings.health_bind, settings.health_port, partial(_readiness, engine), engine.alarms)
    recalling: asyncio.Task[None] | None = None
    following: asyncio.Task[None] | None = None
    beating: asyncio.Task[None] | None = None
    try:
        await engine.start()
        books.start()
        engine.live.start(past)
        recalling = asyncio.get_running_loop().create_task(_quietly(_recall(engine, database)))
        following = run_supervised("routing table", partial(_follow, books, field, tables))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.control_port).start()
        await website.start()
        log.info("serving", control_port=settings.control_port, fastagi_port=settings.fastagi_port)
        await health.start()
        notify("READY=1")
        beating = run_supervised("service manager", beat)
        await stopping.wait()
    finally:
        notify("STOPPING=1")
        await _quietly(health.stop())
        if beating is not None:
            beating.cancel()
        reminding.cancel()
        drilling.cancel()
        watching.cancel()
        scheduled.cancel()
        if recalling is not None:
            recalling.cancel()
        await _quietly(website.stop())
        await _quietly(runner.cleanup())
        if following is not None:
            following.cancel()
        await _quietly(field.stop())
        await _quietly(engine.stop())
        await _quietly(engine.live.stop())
        await _quietly(journal.flush())
        await _quietly(books.stop())
        left = await journal.stop()
        await _quietly(database.close())
        log.info("stopped", facts_not_written=left)


def _readiness(engine: Engine) -> dict[str, bool]:
    """Each condition of serving calls as they should be."""
    return {
        "switch": engine.switch.up,
        "calls-known": engine.recovery.looked.is_set(),
        "journal": not engine.journal.state.alarm,
        "open": engine.drain.now is None,
    }


async def _recall(engine: Engine, database: Database) -> None:
    """Who called lately, and what was noted of calls that are up, is in the ledger: a restart makes nobody a stranger.

    Without a database it stays unknown.
    """
    settings, minutes = engine.settings, engine.snapshot.repeat_minutes
    wanted = CallFilter(since=datetime.now(UTC) - timedelta(minutes=minutes), limit=MOST_CALLERS)
    folder = journal_folder(settings.data_dir)
    try:
        records = await calls_now(database, folder, settings.node, wanted)
        code = engine.snapshot.area_code
        engine.callers.recall([replace(one, caller=citizen(one.caller, code)) for one in records])
    except (DatabaseError, SQLAlchemyError) as error:
        log.warning("callers of the last minutes not known", reason=str(error))
    await engine.recovery.looked.wait()
    noted = partial(kind_between, database, folder, settings.node, Kind.NOTED)
    await restore_notes(engine.calls, noted, engine.screens.stirred.fact)


async def _follow(books: BackgroundJobs, field: RunningEngineTarget, tables: Tables) -> None:
    """The table and its switch kept at what the database says, from the moment it can be asked."""
    await field.converge_at_start()
    await books.ready.wait()
    await tables.prepare()
    gc.freeze()  # what lives as long as the engine need not be looked through for garbage again and again
    await tables.run()


async def published(settings: Settings, database: Database) -> Snapshot:
    """The published table: of the database, or, when that is out of reach, the last one on disk.

    Whoever has a table on disk has had a database: one that is missing now is out of reach, and an empty new one would
    put the sample table in the place of the real one.
    """
    try:
        await upgrade(settings.database_url, may_create=not settings.snapshot_file.exists())
        return await ensure_published(database, settings.data_dir)
    except (DatabaseError, OSError) as error:
        try:
            snapshot = load_snapshot(settings.snapshot_file)
        except SnapshotMissing:
            raise error from None
        log.error("database out of reach, serving the table on disk", reason=str(error), version=snapshot.version)
        return snapshot


async def _quietly(work: Any) -> None:
    """One stage of the stop; a fault in it must not keep the others from running."""
    try:
        await work
    except Exception:
        log.exception("stage of the stop failed")
