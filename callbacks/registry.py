"""The promises of this node that are in memory: all that are open, and those of the last day.

One job: hold and find. It decides nothing, reads no clock and does no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from callbacks.model import Callback
from telephony.model import CallId

REMEMBERED = timedelta(days=1)
"""How long a closed promise counts against the number that asked for it."""


class CallbackRegistry:
    """Callbacks by the call that they were promised in, and by the call of their current attempt."""

    def __init__(self) -> None:
        self._all: dict[CallId, Callback] = {}
        self._attempts: dict[CallId, CallId] = {}

    def __contains__(self, call: CallId) -> bool:
        return call in self._all

    def put(self, callback: Callback) -> None:
        """Keep what is known of a promise from now on."""
        before = self._all.get(callback.id)
        if before is not None:
            self._attempts.pop(before.call, None)
        self._all[callback.id] = callback
        if callback.open:
            self._attempts[callback.call] = callback.id

    def learn(self, callbacks: Iterable[Callback]) -> None:
        """Take what was read from storage; what is known already is newer."""
        for callback in callbacks:
            if callback.id not in self._all:
                self.put(callback)

    def get(self, call: CallId) -> Callback | None:
        return self._all.get(call)

    def of_attempt(self, call: CallId) -> Callback | None:
        """The open promise whose attempt this call is."""
        made_in = self._attempts.get(call)
        return None if made_in is None else self._all[made_in]

    def open(self) -> list[Callback]:
        """Those that are still to be kept, oldest first."""
        return sorted((one for one in self._all.values() if one.open), key=lambda one: (one.since_ms, one.id))

    def all(self) -> list[Callback]:
        """Everything in memory, oldest promise first."""
        return sorted(self._all.values(), key=lambda one: (one.promised_at, one.id))

    def of_number(self, number: str) -> list[Callback]:
        return [one for one in self._all.values() if one.number == number]

    def forget(self, now: datetime) -> None:
        """Let go of what was closed more than a day ago."""
        for one in list(self._all.values()):
            if one.closed_at is not None and now - one.closed_at > REMEMBERED:
                del self._all[one.id]
