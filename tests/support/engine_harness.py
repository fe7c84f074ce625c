"""The engine's rooms without a switch: the same wiring, a link that only remembers, a ledger in a list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from callbacks.voicemail import Mailbox
from calls.emergency_announcements import Announcements
from calls.ivr_backend import EngineCallBackend
from calls.playable_prompts import Repertoire
from calls.policy_from_table import policy_from_table
from calls.registry import Calls
from calls.supervision import Supervision
from calls.switch.ami_events import AmiEventHandler
from calls.web_phones import WebPhones
from console.screens.live_board import LiveBoard
from console.screens.rows import EngineScreens
from engine.wiring.callbacks import callbacks
from engine.wiring.outbound import OurCalls, outbound
from ivr.model import Question, Script
from ivr.prompts.catalogue import catalogue
from ledger.alarms import Alarms
from ledger.journal import Journal, JournalStalled
from ledger.measures import Aims
from ledger.model import Kind
from orders.labels_zh import spoken
from orders.model import Order
from orders.order_numbers import OrderNumberRegister
from orders.service import DutyTrunks, Orders
from outbound.lost import LostCalls
from queues.acd import Acd
from queues.pins.service import Pins
from queues.service import QueueService
from queues.states import AgentState
from routing.model import Snapshot
from routing.sample_table import sample_snapshot
from telephony.ami_link import AmiLink
from telephony.events import Event, Headers, OriginateOutcome
from telephony.model import CallId, NodeId, SeatId
from tests.support.leaks import close_with_the_loop
from transfers.drills.service import Drills
from transfers.service import TransferWatch
from transfers.trunk_health import TrunkMonitor

TABLE = sample_snapshot()
NOW = 1_795_351_330_000


def call_id(serial: int) -> CallId:
    return CallId(f"hl1-1795351322.{serial}")


def channel(serial: int) -> str:
    return f"PJSIP/pstn-{serial:08x}"


def seat_channel(seat: str) -> str:
    return f"PJSIP/{seat}-0000000b"


def event(name: str, **headers: str | list[str]) -> Event:
    return Event(name, Headers({"Event": name, **headers}))


@dataclass
class Link:
    """What would have been sent to Asterisk, and the lists it would give."""

    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lists: dict[str, list[Event]] = field(default_factory=dict)
    up: bool = True
    during: Callable[[str], None] = lambda action: None
    originate: Any = None
    """Replaced by tests that care how a call to a phone ends."""

    def __post_init__(self) -> None:
        self.originate = self.originate or self._originate

    async def _originate(self, channel: str, **told: Any) -> OriginateOutcome:
        self.sent.append(("Originate", {"Channel": channel, **told}))
        return OriginateOutcome(True, 4, channel, None)

    async def send(self, action: str, headers: Iterable[tuple[str, str]] | Mapping[str, str] = (), **_: Any) -> None:
        self.sent.append((action, dict(headers)))

    async def collect(self, action: str, headers: Any = (), **_: Any) -> list[Event]:
        self.during(action)
        return self.lists.get(action, [])


@dataclass
class Ledger:
    """A journal in memory."""

    facts: list[tuple[Kind, CallId, dict[str, Any]]] = field(default_factory=list)
    stalled: bool = False

    def note(
        self, kind: Kind, call: CallId, data: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> None:
        self.facts.append((kind, call, dict(data or {})))

    async def flush(self, seconds: float = 5.0) -> None:
        if self.stalled:
            raise JournalStalled("3 条流水尚未写入磁盘")

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        return [data for found, _, data in self.facts if found is kind]

    def kinds(self) -> list[Kind]:
        return [kind for kind, _, _ in self.facts]


@dataclass
class Paper:
    """What orders would leave in the data folder."""

    sheets: list[Order] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    hushed: list[str] = field(default_factory=list)

    def write_sheet(self, order: Order) -> Path:
        self.sheets.append(order)
        return Path(order.number)

    def synthesise(self, order: Order) -> None:
        self.said.append(spoken(order))

    def remove_audio(self, order: Order) -> None:
        self.hushed.append(order.number)


class House:
    """Desk, queue, news and ledger of one node."""

    def __init__(self, table: Snapshot = TABLE, folder: Path = Path("/nonexistent")) -> None:
        """``folder``: where numbers of orders are kept, for tests that raise any."""
        self.table = table
        self.now = NOW
        self.link = Link()
        self.ledger = Ledger()
        self.calls = Calls(cast("Journal", self.ledger))
        self.queues = QueueService(
            Acd(NodeId("hl1"), policy_from_table(table)),
            cast("AmiLink", self.link),
            self.calls.record_fact,
            lambda: self.now,
        )
        self.live = LiveBoard(Aims(), lambda: self.queues.acd, cast("Journal", self.ledger), lambda: self.now)
        self.calls.fact_listeners.append(self.live.note)
        self.queues.listeners.append(self.live.effect)
        self.sent_away: list[CallId] = []
        self.alarms = Alarms(cast("Journal", self.ledger), NodeId("hl1"))
        self.routes = TrunkMonitor(lambda: self.table, self.alarms)
        self.repertoire = Repertoire(folder, catalogue(table, "揭阳"), self.calls, self.alarms, lambda: self.now)
        self.transfers = TransferWatch(self.calls.record_fact, self.routes.reached)
        self.callbacks = callbacks(
            lambda: self.table,
            cast("AmiLink", self.link),
            self.queues,
            self.calls,
            cast("Journal", self.ledger),
            lambda: self.now,
        )
        self.outbound = outbound(
            lambda: self.table,
            cast("AmiLink", self.link),
            self.queues,
            self.calls,
            cast("Journal", self.ledger),
            self.alarms,
            NodeId("hl1"),
            lambda: self.now,
        )
        self.lost_calls = LostCalls()
        self.mailbox = Mailbox(
            self.calls.record_fact, self.ledger.flush, lambda: self.table.message.hours, lambda: self.now
        )
        self.paper = Paper()
        self.orders = Orders(
            cast("AmiLink", self.link),
            self.calls.record_fact,
            self.ledger.flush,
            OrderNumberRegister(folder / "numbers.json", "hl1"),
            lambda: DutyTrunks(("pstn",), 25),
            self.paper,
            self.alarms,
            lambda: self.now,
        )
        self.drills = Drills(
            lambda: self.table,
            lambda: self.queues.acd,
            cast("AmiLink", self.link),
            cast("Journal", self.ledger),
            self.alarms,
            NodeId("hl1"),
            lambda: self.now,
        )
        self.news = AmiEventHandler(
            lambda: self.table,
            self.queues,
            self.calls,
            self.transfers,
            self.sent_away.append,
            self.routes,
            OurCalls(self.outbound, self.callbacks),
            self.mailbox,
            self.orders,
            self.drills,
            self.repertoire,
        )
        self.pins = Pins(None, Path("/nonexistent"), lambda: self.now, seconds=20)
        self.supervision = Supervision(lambda: self.table, self.queues, self.calls, cast("AmiLink", self.link))
        self.announcements = Announcements(folder, lambda: self.table, self.calls)
        self.screens = EngineScreens(self)
        self.page_phones = WebPhones(
            lambda: self.table, self.queues, self.calls, cast("AmiLink", self.link), port=9, enabled=True
        )
        self.desk = EngineCallBackend(
            lambda: self.table,
            self.queues,
            self.calls,
            self.callbacks,
            self.mailbox,
            self.pins,
            self.supervision,
            lambda: self.now,
            wait_seconds=10,
            repertoire=self.repertoire,
            outbound=self.outbound,
        )
        close_with_the_loop(self.close)

    async def close(self) -> None:
        """As the engine stops."""
        await self.callbacks.stop()
        await self.orders.stop()
        await self.queues.stop()
        await self.supervision.stop()
        self.pins.stop()

    @property
    def snapshot(self) -> Snapshot:
        return self.table

    def state(self, seat: str) -> AgentState:
        return self.queues.acd.seats[SeatId(seat)].state

    def question(self, script: Script, serial: int = 1, **more: Any) -> Question:
        given: dict[str, Any] = {"group": "general", "since_ms": NOW - 5_000} | more
        return Question(script, channel(serial), call_id(serial), **given)

    def dial(self, name: str, serial: int, seat: str, **more: str) -> None:
        """DialBegin or DialEnd of a caller's Dial to a seat or a trunk."""
        call = call_id(serial)
        self.news.hear(
            event(
                name,
                Channel=channel(serial),
                Uniqueid=call,
                Linkedid=call,
                DestChannel=seat_channel(seat),
                DestUniqueid="hl1-1795351329.99",
                DestLinkedid=call,
                DialString=seat,
                **more,
            )
        )

    def hangup(self, serial: int, cause: str = "16") -> None:
        call = call_id(serial)
        self.news.hear(event("Hangup", Channel=channel(serial), Uniqueid=call, Linkedid=call, Cause=cause))

    def seat_hangup(self, seat: str, serial: int) -> None:
        self.news.hear(
            event(
                "Hangup",
                Channel=seat_channel(seat),
                Uniqueid="hl1-1795351329.99",
                Linkedid=call_id(serial),
                Cause="16",
            )
        )

    async def settle(self) -> None:
        """Let what was started run."""
        for _ in range(5):
            await asyncio.sleep(0)
