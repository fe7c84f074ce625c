"""The engine: the rooms wired together, started in order, stopped in stages.

One job: composition and life cycle. What a call means is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from agi_scripts.questions import guarded, handler
from agi_scripts.server import FastAgiServer
from asterisk_conf.capacity import capacity
from callbacks.voicemail import Mailbox
from calls.admission import Admission
from calls.closed_groups import FILE as CLOSED_FILE
from calls.closed_groups import ClosedGroups
from calls.dispositions import Dispositions
from calls.drain import Drain
from calls.emergency_announcements import Announcements
from calls.ivr_backend import EngineCallBackend
from calls.model import LiveCall
from calls.playable_prompts import Repertoire
from calls.policy_from_table import policy_from_table, sign_in_event, skills_of
from calls.recent_callers import RecentCallers
from calls.registry import Calls
from calls.stuck_transfers import StandingStill
from calls.supervision import Supervision
from calls.switch.ami_events import AmiEventHandler
from calls.switch.consistency_check import ConsistencyChecker
from calls.switch.leg_fence import Fence
from calls.switch.recovery import Recovery
from calls.switch.resources import Resources
from calls.web_phones import WebPhones
from config.credentials import Credentials
from config.open_files import most_open_files
from config.settings import Settings
from config.steady_clock import ClockWatch, SteadyClock
from config.tasks import run_supervised
from console.screens.live_board import LiveBoard
from console.screens.rows import EngineScreens
from database.connection import Database
from engine.wiring.callbacks import callbacks
from engine.wiring.lost_calls import LostCallWatch
from engine.wiring.orders import orders
from engine.wiring.outbound import OurCalls, outbound
from ivr.prompts.catalogue import catalogue
from ledger.alarms import Alarms
from ledger.journal import Journal
from queues.acd import Acd
from queues.events import PolicyChanged, SignedOut
from queues.pins.service import Pins
from queues.service import QueueService
from queues.subcentre_seats import Sites
from routing.model import Snapshot
from routing.numbers import citizen
from setup.backup.state import BackupReminder
from telephony.ami_link import AmiLink
from telephony.events import Event
from telephony.model import NodeId
from transfers.commands import TransferCommands
from transfers.drills.service import Drills
from transfers.service import TransferWatch
from transfers.trunk_health import TrunkMonitor

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

DRAIN_SECONDS: Final = 3.0
"""How long open questions may take to end when the engine stops."""

FIRST_LOOK_SECONDS: Final = 2.0
"""How long the first callers are left to the fallback while we learn who is signed in."""


class Engine:
    """One node's engine. Everything it knows of calls can be thrown away and read back from the switch."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        snapshot: Snapshot,
        journal: Journal,
        database: Database | None = None,
    ) -> None:
        self.settings = settings
        self.snapshot = snapshot
        self.journal = journal
        self.calls = Calls(journal)
        self.callers = RecentCallers()
        self.calls.ended.append(self._over)
        self.clock = SteadyClock()
        self.pins = Pins(database, settings.data_dir, self.clock, seconds=settings.ask_seconds)
        self.switch = AmiLink(
            "127.0.0.1",
            settings.ami_port,
            "hotline",
            credentials.ami_secret,
            on_event=self._hear,
            on_up=self._reconcile,
            on_down=lambda: log.warning("switch out of reach"),
        )
        self.queues = QueueService(
            Acd(NodeId(settings.node), policy_from_table(snapshot)), self.switch, self.calls.record_fact, self.clock
        )
        self.live = LiveBoard(settings.aims, lambda: self.queues.acd, journal, self.clock)
        self.calls.fact_listeners.append(self.live.note)
        self.queues.listeners.append(self.live.effect)
        self.alarms = Alarms(journal, NodeId(settings.node))
        self.drain = Drain(settings.data_dir, self.alarms)
        self.admission = Admission(self.switch, self.alarms, self.clock, lambda: self.drain.now is not None)
        self.routes = TrunkMonitor(lambda: self.snapshot, self.alarms)
        self.drills = Drills(
            lambda: self.snapshot,
            lambda: self.queues.acd,
            self.switch,
            journal,
            self.alarms,
            NodeId(settings.node),
            self.clock,
        )
        self.repertoire = Repertoire(
            settings.data_dir, catalogue(snapshot, settings.city), self.calls, self.alarms, self.clock
        )
        self.transfers = TransferWatch(self.calls.record_fact, self.routes.reached, self._partner)
        self.press = TransferCommands(self.switch, self.transfers.on_event)
        self.standing = StandingStill(self.switch, self.calls, self.transfers, self.alarms)
        room = capacity(settings.rtp_end - settings.rtp_start + 1, most_open_files())
        self.resources = Resources(settings, room, lambda: len(self.calls.live), self.alarms)
        self.recovery = Recovery(
            NodeId(settings.node),
            lambda: self.snapshot,
            self.switch,
            self.queues,
            self.calls,
            self.transfers,
            self.clock,
            self.routes.look,
            self.clock.from_wall,
        )
        self.fence = Fence(lambda: self.snapshot, self.switch, self.alarms)
        self.callbacks = callbacks(
            lambda: self.snapshot,
            self.switch,
            self.queues,
            self.calls,
            journal,
            self.clock,
            lambda: self.drain.now is None,
        )
        self.outbound = outbound(
            lambda: self.snapshot,
            self.switch,
            self.queues,
            self.calls,
            journal,
            self.alarms,
            NodeId(settings.node),
            self.clock,
        )
        self.mailbox = Mailbox(self.calls.record_fact, journal.flush, lambda: self.snapshot.message.hours, self.clock)
        self.lost_calls = LostCallWatch(
            lambda: self.snapshot,
            self.calls,
            self.callbacks,
            self.mailbox,
            self.clock,
            lambda number: citizen(number, self.snapshot.area_code),
        )
        self.orders = orders(settings, lambda: self.snapshot, self.switch, self.calls, journal, self.alarms, self.clock)
        self.news = AmiEventHandler(
            lambda: self.snapshot,
            self.queues,
            self.calls,
            self.transfers,
            self.recovery.sent_away,
            self.routes,
            OurCalls(self.outbound, self.callbacks),
            self.mailbox,
            self.orders,
            self.drills,
            self.repertoire,
            self.resources.full,
        )
        self.supervision = Supervision(
            lambda: self.snapshot, self.queues, self.calls, self.switch, ClosedGroups(settings.data_dir / CLOSED_FILE)
        )
        self.wrap_ups = Dispositions(lambda: self.snapshot, self.calls)
        self.page_phones = WebPhones(
            lambda: self.snapshot,
            self.queues,
            self.calls,
            self.switch,
            port=settings.asterisk_http_port,
            enabled=settings.page_phones,
        )
        self.healing = ConsistencyChecker(
            self.switch,
            self.queues,
            self.calls,
            self.alarms,
            self.news.gone,
            lambda: frozenset((*self.snapshot.seats, *self.snapshot.page_phones)),
            self.clock,
        )
        self.sites = Sites(lambda: self.snapshot, self.queues)
        self.announcements = Announcements(settings.data_dir, lambda: self.snapshot, self.calls)
        self.screens = EngineScreens(self)
        self._looking: list[asyncio.Task[None]] = []
        self.desk = EngineCallBackend(
            lambda: self.snapshot,
            self.queues,
            self.calls,
            self.callbacks,
            self.mailbox,
            self.pins,
            self.supervision,
            self.clock,
            wait_seconds=settings.wait_slice_seconds,
            callers=self.callers,
            raised=self.announcements.prompts,
            from_wall=self.clock.from_wall,
            trial_number=lambda: self.page_phones.trial_number,
            repertoire=self.repertoire,
            outbound=self.outbound,
        )
        self.server = FastAgiServer(
            "127.0.0.1",
            settings.fastagi_port,
            guarded(credentials.agi_token, handler(self.desk, self.repertoire, self.admission.arrived)),
        )

    async def start(self) -> None:
        """The link, then the questions: who asks earlier is served by the dialplan alone.

        Raises AmiLoginRefused when the secret is not Asterisk's, OSError when the FastAGI port is taken.
        """
        self.announcements.load()
        self.drain.load()
        await self.pins.load()
        await self.repertoire.look()
        await self.switch.start()
        try:
            await asyncio.wait_for(self.recovery.looked.wait(), FIRST_LOOK_SECONDS)
        except TimeoutError:
            log.warning("switch not there yet, questions are answered all the same")
        await self.server.start()
        self.recovery.serving.set()
        self._looking = [
            run_supervised("admission", self.admission.run),
            run_supervised("callbacks", self.callbacks.run),
            run_supervised("outbound", self.outbound.run),
            run_supervised("lost-calls", self.lost_calls.run),
            run_supervised("healing", self.healing.run),
            run_supervised("orders", self.orders.run),
            run_supervised("prompts", self.repertoire.run),
            run_supervised("sites", self.sites.run),
            run_supervised("transfers", self.standing.run),
            run_supervised("resources", self.resources.run),
            run_supervised("clocks", ClockWatch(self.clock, self.alarms).run),
            run_supervised(
                "backups",
                BackupReminder(self.settings.data_dir, self.settings.backup_max_age_hours, self.alarms).run,
            ),
        ]
        log.info("engine ready", version=self.snapshot.version, seats=len(self.snapshot.seats))

    async def stop(self) -> None:
        """In stages: no new questions, open ones end, the link closes. Those who talk notice nothing."""
        self.recovery.stop()
        for task in self._looking:
            task.cancel()
        await _stage("callbacks", self.callbacks.stop(), 1)
        await _stage("outbound", self.outbound.stop(), 1)
        await _stage("orders", self.orders.stop(), 1)
        await _stage("questions", self.server.stop(DRAIN_SECONDS), DRAIN_SECONDS + 1)
        await _stage("queue", self.queues.stop(), 1)
        await _stage("supervision", self.supervision.stop(), 1)
        await _stage("link", self.switch.stop(), 2)
        self.pins.stop()

    def _partner(self, key: str) -> str:
        """Whose key this is."""
        return next((one.id for one in self.snapshot.partners.values() if one.key == key), "")

    def activate(self, new: Snapshot) -> None:
        """Put another version of the table in force: new calls are decided by it, those that are up keep theirs.

        Groups' times hold for the next offer and the next wrap-up; agents who are signed in serve what the new table
        says, and who is not in it any more is signed out, after a call at the latest.
        """
        old, self.snapshot = self.snapshot, new
        self.queues.apply(PolicyChanged(policy_from_table(new)))
        for agent, seat in list(self.queues.acd.seat_of.items()):
            if self.queues.acd.seats[seat].site:
                continue
            if agent not in new.agents:
                self.queues.apply(SignedOut(seat))
            elif agent not in old.agents or skills_of(new, agent) != skills_of(old, agent):
                self.queues.apply(sign_in_event(new, agent, seat))
        self.sites.look(datetime.now(UTC))
        self.screens.stirred.everything()

    # What the link calls; those who are meant need the link first.

    def _over(self, held: LiveCall, dropped: bool) -> None:
        self.callers.ended(held.caller, self.clock(), held.agent, dropped=dropped)

    def _hear(self, event: Event) -> None:
        self.fence.hear(event)
        self.news.hear(event)

    async def _reconcile(self) -> None:
        await self.recovery.reconcile()
        self.screens.stirred.everything()
        self.callbacks.on_reconnected()
        self.outbound.seen()
        self.orders.on_reconnected()
        await self.page_phones.seen()


def journal_folder(data_dir: Path) -> Path:
    """Where the facts are before the database has them."""
    return data_dir / "journal"


async def _stage(name: str, work: Awaitable[None], seconds: float) -> None:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.error("stage of the stop past its deadline", stage=name, seconds=seconds)
