"""Urgent orders as this engine raises them: levels from the published table, sheets and sounds in the data folder.

One job: join orders/service.py to the other rooms. What may become of an order is decided there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from calls.registry import Calls
from config.settings import Settings
from ivr.prompts import audio
from ivr.prompts.build import speak_once
from ivr.prompts.catalogue import MANDARIN
from ledger.alarms import Alarms
from ledger.journal import Journal
from ledger.push import Receiver
from ledger.push_rules import secret_of
from orders.labels_zh import sheet, spoken
from orders.model import EscalationStep, Order
from orders.order_numbers import OrderNumberRegister
from orders.serialisation import target_of
from orders.service import DutyTrunks, Orders
from queues.service import Clock
from routing.calendar import city_time
from routing.model import OrderType, Snapshot
from routing.pstn_trunks import outward
from telephony.ami_link import AmiLink

FOLDER: Final = "orders"
REGISTER: Final = "numbers.json"


def orders_home(data_dir: Path) -> Path:
    """Where the register, the sheets and the sounds of orders lie."""
    return data_dir / FOLDER


def steps_of(table: Snapshot, kind: OrderType) -> tuple[EscalationStep, ...]:
    """The levels of this type, as the table has them now."""
    rows = (table.departments[name] for name in kind.departments if name in table.departments)
    return tuple(EscalationStep(row.id, row.name, row.phones, bool(row.url), row.rounds) for row in rows)


def receivers_of(table: Snapshot, master: str) -> Mapping[str, Receiver]:
    """The departments' data interfaces, by the outbox's target."""
    return {
        target_of(row.id): Receiver(row.url, secret_of(master, target_of(row.id)))
        for row in table.departments.values()
        if row.url
    }


class DocumentsInFolder:
    """Sheets by day, ``orders/YYYY/MM/DD/NUMBER.html``, and sounds beside the register, ``orders/NUMBER.alaw``."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._zone = settings.zone
        self._said: dict[str, str] = {}

    def write_sheet(self, order: Order) -> Path:
        """Write the page to print. Raises OSError."""
        path = self._folder / f"{city_time(order.raised_at):%Y/%m/%d}" / f"{order.number}.html"
        audio.replace(path, sheet(order, self._zone).encode())
        return path

    def synthesise(self, order: Order) -> None:
        """Make the sound that duty phones hear, unless it is there. Raises OSError, ToolFailed, Unreadable."""
        text, path = spoken(order), self._folder / f"{order.number}.alaw"
        if self._said.get(order.number) != text or not path.exists():
            speak_once(text, MANDARIN, path)
            self._said[order.number] = text

    def remove_audio(self, order: Order) -> None:
        """The sound is not needed any more."""
        self._said.pop(order.number, None)
        (self._folder / f"{order.number}.alaw").unlink(missing_ok=True)


def orders(
    settings: Settings,
    snapshot: Callable[[], Snapshot],
    switch: AmiLink,
    calls: Calls,
    journal: Journal,
    alarms: Alarms,
    clock: Clock,
) -> Orders:
    """The urgent orders of this node, wired."""
    folder = orders_home(settings.data_dir)

    def lines() -> DutyTrunks:
        trunks = outward(snapshot())
        return DutyTrunks(tuple(one.id for one in trunks), settings.duty_ring_seconds)

    return Orders(
        switch,
        calls.record_fact,
        journal.flush,
        OrderNumberRegister(folder / REGISTER, settings.node),
        lines,
        DocumentsInFolder(folder, settings),
        alarms,
        clock,
    )
