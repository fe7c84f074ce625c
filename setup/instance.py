"""The instance as who looks after it sees it: the audit looked through, the doctor's lines, a phone's way in.

One job: what console/api/instance.py asks, from database, files and settings. What takes long runs in a thread, one at
a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import ip_address

from audit.anchors import FILE, anchors
from audit.rules import verify
from audit.store import entries
from config.credentials import credentials
from config.settings import Settings
from console.api.instance import Diagnosis, Line, Verified
from database.connection import Database
from routing.model import Snapshot
from setup.doctor import examine
from telephony.model import SeatId


class InstanceDiagnostics:
    """One instance's."""

    def __init__(self, settings: Settings, database: Database, table: Callable[[], Snapshot]) -> None:
        self._settings = settings
        self._database = database
        self._table = table
        self._turn = asyncio.Lock()

    async def verified(self) -> Verified:
        """Raises DatabaseError."""
        async with self._turn:
            async with self._database.reading() as session:
                found = await entries(session)
            noted = await asyncio.to_thread(anchors, self._settings.data_dir / FILE)
            wrong = await asyncio.to_thread(partial(verify, filed=True), found, noted)
        last = f"{found[-1].seq}:{found[-1].hash}" if found else ""
        return Verified(len(found), len({one.seq for one in noted}), [*map(str, wrong)], last)

    async def diagnosed(self) -> Sequence[Diagnosis]:
        """The doctor's lines, as ``hotline doctor`` says them."""
        async with self._turn:
            found = await asyncio.to_thread(lambda: list(examine(self._settings)))
        return [Diagnosis(one.subject, str(one.level), one.message) for one in found]

    async def line(self, seat: SeatId) -> Line | None:
        """What to type into the seat's phone; None for one that the table in force does not have."""
        if seat not in self._table().seats:
            return None
        held = await asyncio.to_thread(credentials, self._settings.data_dir)
        password = held.seat_passwords.get(seat)
        server = "" if ip_address(self._settings.bind).is_unspecified else self._settings.bind
        return None if password is None else Line(server, self._settings.seat_sip_port, password)
