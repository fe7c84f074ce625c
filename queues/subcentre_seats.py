"""Sub-centres (分中心) that answer for groups: their places in the ACD, open in their hours and closed out of them.

One job: make the signed-in places those of the table at this hour. Offering, resting and counting are the ACD's, as for
any seat; dialling is the dialplan's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from queues.events import AgentSignedIn, SeatSeen, SignedOut
from queues.model import SignIn
from queues.service import QueueService
from routing.model import Snapshot
from routing.remote_seats import Place, open_groups, places
from telephony.model import AgentId

LOOK_SECONDS: Final = 2.0
"""How late a sub-centre may open or close."""


def seen_places(table: Snapshot, now: datetime) -> Iterator[SeatSeen]:
    """Every place of the table, as after a start: taken by its people when it is open."""
    opened = open_groups(table, now)
    for place in places(table.groups.values(), table.trunks):
        sign_in = SignIn(AgentId(place.seat), place.seat, (place.group,), None) if place.group in opened else None
        yield SeatSeen(place.seat, sign_in, site=place.trunk)


class Sites:
    """Of one node."""

    def __init__(self, snapshot: Callable[[], Snapshot], queues: QueueService) -> None:
        self._snapshot = snapshot
        self._queues = queues

    async def run(self) -> None:
        """For ever; ends only by cancellation."""
        while True:
            self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, now: datetime) -> None:
        """Open what is in its hours, close what is not; a call that is there goes on."""
        table = self._snapshot()
        opened = open_groups(table, now)
        wanted = {place.seat: place for place in places(table.groups.values(), table.trunks) if place.group in opened}
        acd = self._queues.acd
        for seat in list(acd.seats.values()):
            if seat.site and seat.agent is not None and not seat.leaving and seat.id not in wanted:
                self._queues.apply(SignedOut(seat.id))
        for place in wanted.values():
            known = acd.seats.get(place.seat)
            if known is None or known.agent is None or known.leaving or known.groups != (place.group,):
                self._queues.apply(_opens(place))


def _opens(place: Place) -> AgentSignedIn:
    return AgentSignedIn(AgentId(place.seat), place.seat, (place.group,), site=place.trunk)
