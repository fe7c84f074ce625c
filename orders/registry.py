"""The orders of this node that are in memory: all that are open, and those of the last week.

One job: hold and find. It decides nothing, reads no clock and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from orders.model import Order
from telephony.model import CallId

REMEMBERED = timedelta(days=7)
"""How long an order that is over is still listed, and counts against the key that raised it."""


class OrderRegistry:
    """Orders by their number."""

    def __init__(self) -> None:
        self._all: dict[str, Order] = {}
        self._keys: dict[str, str] = {}
        self._ringing: dict[CallId, str] = {}

    def put(self, order: Order) -> None:
        """Keep what is known of an order from now on."""
        before = self._all.get(order.number)
        if before is not None and before.ringing is not None:
            self._ringing.pop(before.ringing.call, None)
        if order.ringing is not None:
            self._ringing[order.ringing.call] = order.number
        self._all[order.number] = order
        self._keys[order.key] = order.number

    def learn(self, orders: Iterable[Order]) -> None:
        """Take what was read from storage; what is known already is newer."""
        for order in orders:
            if order.number not in self._all:
                self.put(order)

    def get(self, number: str) -> Order | None:
        return self._all.get(number)

    def of_key(self, key: str) -> Order | None:
        """The order that was raised with this key."""
        number = self._keys.get(key)
        return None if number is None else self._all.get(number)

    def of_attempt(self, call: CallId) -> Order | None:
        """The order for which this call to a duty phone runs."""
        number = self._ringing.get(call)
        return None if number is None else self._all.get(number)

    def open(self) -> list[Order]:
        """Those that are not over, oldest first."""
        return sorted((one for one in self._all.values() if one.open), key=_age)

    def all(self) -> list[Order]:
        """Everything in memory, oldest first."""
        return sorted(self._all.values(), key=_age)

    def forget(self, now: datetime) -> None:
        """Let go of what was over more than a week ago."""
        for one in list(self._all.values()):
            if one.over_at is not None and now - one.over_at > REMEMBERED:
                del self._all[one.number]
                self._keys.pop(one.key, None)


def _age(order: Order) -> tuple[datetime, str]:
    return order.raised_at, order.number
