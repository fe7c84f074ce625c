"""The engine: the rooms wired together, started in order, stopped in stages.

One job: composition and life cycle. What a call means is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from agi_scripts.questions import guarded, handler
from agi_scripts.server import FastAgiServer
from engine.calls import Calls, LiveCall
from engine.credentials import Credentials
from engine.desk import EngineDesk
from engine.news import SwitchNews
from engine.reconcile import Picture, look, seats, tickets, to_adopt
from engine.settings import Settings
from ivr.catalogue import catalogue
from ledger.journal import Journal
from queues.acd import Acd
from queues.model import GroupPolicy, Policy, TicketJoined, TicketPhase, TicketSeen
from queues.restore import restore
from queues.service import QueueService
from routing.model import Snapshot
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.events import Event
from telephony.model import CallId, NodeId, Stage
from transfers.service import TransferWatch

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

DRAIN_SECONDS: Final = 3.0
"""How long open questions may take to end when the engine stops."""

FIRST_LOOK_SECONDS: Final = 2.0
"""How long the first callers are left to the fallback while we learn who is signed in."""

RETURN_AGAIN_SECONDS: Final = 5.0
"""A caller whom the dialplan sent to app_queue more than once is brought back only after this long."""


class Engine:
    """One node's engine. Everything it knows of calls can be thrown away and read back from the switch."""

    def __init__(self, settings: Settings, credentials: Credentials, snapshot: Snapshot, journal: Journal) -> None:
        self.settings = settings
        self.snapshot = snapshot
        self.journal = journal
        self.calls = Calls(journal)
        self.clock = _clock()
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
            Acd(NodeId(settings.node), policy(snapshot)), self.switch, self.calls.note, self.clock
        )
        self.transfers = TransferWatch(self.calls.note)
        self.news = SwitchNews(lambda: self.snapshot, self.queues, self.calls, self.transfers, self._sent_away)
        self.desk = EngineDesk(lambda: self.snapshot, self.queues, self.calls, wait_seconds=settings.wait_slice_seconds)
        self.server = FastAgiServer(
            "127.0.0.1",
            settings.fastagi_port,
            guarded(credentials.agi_token, handler(self.desk, catalogue(snapshot, settings.city))),
        )
        self.looked = asyncio.Event()
        """The switch has been asked at least once what is."""
        self.serving = asyncio.Event()
        """Questions are answered: only now may a caller be taken out of app_queue."""
        self._returning: set[asyncio.Task[None]] = set()
        self.reconciled_at: datetime | None = None
        self.differences = 0
        """Seats and calls that a reconcile found other than we believed, since the start."""

    async def start(self) -> None:
        """Journal, link, then the questions: who asks earlier is served by the dialplan alone.

        Raises AmiLoginRefused when the secret is not Asterisk's, OSError when the FastAGI port is taken.
        """
        await self.switch.start()
        try:
            await asyncio.wait_for(self.looked.wait(), FIRST_LOOK_SECONDS)
        except TimeoutError:
            log.warning("switch not there yet, questions are answered all the same")
        await self.server.start()
        self.serving.set()
        log.info("engine ready", version=self.snapshot.version, seats=len(self.snapshot.seats))

    async def stop(self) -> None:
        """In stages: no new questions, open ones end, the link closes. Those who talk notice nothing."""
        self.serving.clear()
        for task in self._returning:
            task.cancel()
        await _stage("questions", self.server.stop(DRAIN_SECONDS), DRAIN_SECONDS + 1)
        await _stage("queue", self.queues.stop(), 1)
        await _stage("link", self.switch.stop(), 2)

    def _hear(self, event: Event) -> None:
        self.news.hear(event)

    async def _reconcile(self) -> None:
        """Make our memory what the switch says. Raises AmiError when it does not tell; the link then tries again."""
        began = self.clock()
        seen = await look(self.switch)
        before = self.queues.acd
        shown = tickets(seen, self.snapshot.default_group)
        listed = {one.ticket.call for one in shown}
        acd, effects = restore(
            NodeId(self.settings.node),
            policy(self.snapshot),
            seats(seen, self.snapshot),
            [*shown, *(one for one in _joined_since(before, began) if one.ticket.call not in listed)],
            self.clock(),
        )
        self._learn(seen)
        self.differences += _differences(before, acd) if self.looked.is_set() else 0
        self.queues.adopt(acd, effects)
        await self.queues.settle_roster(seen.members)
        for fault in seen.roster.faults:
            log.warning("sign-in on the switch not understood", fault=fault)
        self.reconciled_at = datetime.now(UTC)
        self.looked.set()
        log.info(
            "reconciled",
            calls=len(seen.callers),
            signed_in=len(seen.roster.sign_ins),
            seen_differences=self.differences,
        )
        if not self.serving.is_set():
            await self.serving.wait()
            seen = await look(self.switch)  # who was sent away meanwhile, too
        for caller in to_adopt(seen):
            held = self.calls.enter(caller.call, caller.channel, caller.stage)
            held.stage = Stage.FALLBACK
            await self._bring_back(held)

    def _learn(self, seen: Picture) -> None:
        for call in self.calls.vanished(caller.call for caller in seen.callers):
            # Over while we were not looking: the end is filled in from CEL, which knows its time and cause.
            self.transfers.forget(call)
            del self.calls.live[call]
        for caller in seen.callers:
            held = self.calls.enter(caller.call, caller.channel, caller.stage)
            held.recorded = held.recorded or caller.stage not in (Stage.RING, Stage.GREET, Stage.WAIT)
            held.human = held.human or caller.bridged or caller.stage in (Stage.CONFERENCE, Stage.AFTER)

    def _sent_away(self, call: CallId) -> None:
        """The dialplan did not get our answer in time and went on alone, but we are here: take the caller back."""
        if self.serving.is_set():
            task = asyncio.get_running_loop().create_task(self._take_back(call))
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)

    async def _take_back(self, call: CallId) -> None:
        held = self.calls.live.get(call)
        if held is not None and held.returns:
            await asyncio.sleep(RETURN_AGAIN_SECONDS)
            held = self.calls.live.get(call)
        if held is not None:
            await self._bring_back(held)

    async def _bring_back(self, held: LiveCall) -> None:
        """From app_queue into our own line, at the caller's age; not one who is on the way to a seat by now."""
        ticket = self.queues.acd.tickets.get(held.call)
        if held.stage is not Stage.FALLBACK or (ticket is not None and ticket.phase is not TicketPhase.WAITING):
            return
        held.returns += 1
        try:
            await self.switch.send(
                "Redirect", {"Channel": held.channel, "Context": "call", "Exten": "offer", "Priority": "1"}
            )
        except AmiError as error:
            log.warning("caller left to app_queue", call=held.call, error=str(error))


def policy(snapshot: Snapshot) -> Policy:
    """How the groups of the published table ring and rest."""
    return Policy(
        {group.id: GroupPolicy(group.ring_seconds, group.wrap_up_seconds) for group in snapshot.groups.values()}
    )


def journal_folder(data_dir: Path) -> Path:
    """Where the facts are before the database has them."""
    return data_dir / "journal"


def _joined_since(acd: Acd, began: int) -> list[TicketSeen]:
    """Who asked for a human while the switch was being asked: its lists may not show them, nor their seats."""
    return [
        TicketSeen(
            TicketJoined(ticket.call, ticket.group, ticket.since_ms, ticket.priority, ticket.overflow, ticket.channel),
            ticket.phase,
            ticket.seat,
            ticket.joined_ms,
        )
        for ticket in acd.tickets.values()
        if ticket.joined_ms >= began
    ]


def _differences(before: Acd, after: Acd) -> int:
    moved = sum(
        1
        for call, ticket in after.tickets.items()
        if (was := before.tickets.get(call)) is None or was.phase is not ticket.phase
    )
    gone = len(before.tickets.keys() - after.tickets.keys())
    agents = sum(
        1
        for seat_id, seat in after.seats.items()
        if (was_seat := before.seats.get(seat_id)) is None or was_seat.agent != seat.agent
    )
    return moved + gone + agents


def _clock() -> Any:
    """Unix ms that never step: one wall reading plus the monotonic clock."""
    offset_ns = time.time_ns() - time.monotonic_ns()
    return lambda: (time.monotonic_ns() + offset_ns) // 1_000_000


async def _stage(name: str, work: Awaitable[None], seconds: float) -> None:
    try:
        await asyncio.wait_for(work, seconds)
    except TimeoutError:
        log.error("stage of the stop past its deadline", stage=name, seconds=seconds)
