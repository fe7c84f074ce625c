"""What the screens read of the engine."""

from __future__ import annotations

from typing import Protocol

from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from calls.emergency_announcements import Announcements
from calls.registry import Calls
from calls.supervision import Supervision
from console.screens.live_board import LiveBoard
from ledger.alarms import Alarms
from orders.service import Orders
from queues.service import QueueService
from routing.model import Snapshot
from transfers.drills.service import Drills
from transfers.service import TransferWatch
from transfers.trunk_health import TrunkMonitor


class ScreenSources(Protocol):
    """What is shown of the engine."""

    queues: QueueService
    calls: Calls
    live: LiveBoard
    alarms: Alarms
    routes: TrunkMonitor
    transfers: TransferWatch
    callbacks: Callbacks
    mailbox: Mailbox
    orders: Orders
    supervision: Supervision
    announcements: Announcements
    drills: Drills

    @property
    def snapshot(self) -> Snapshot: ...
