"""The messages of this node: taken, listed, closed.

One job: run callbacks/voicemail_rules.py. The sound itself is written by the switch; a file of which no fact tells,
because no engine lived when its caller hung up, is found by :meth:`Mailbox.found`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from callbacks.registry import REMEMBERED
from callbacks.voicemail_rules import LEAST_SECONDS, Voicemail, closed, length, reassigned, to_data
from ledger.journal import JournalStalled
from ledger.model import Kind
from queues.service import Clock, Note
from telephony.model import CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

DURABLE_SECONDS: Final = 1.5
"""How long a message may take to reach the disk: the caller waits for it, and the dialplan for 3 s at most."""


class Mailbox:
    """Of one node."""

    def __init__(
        self, note: Note, flush: Callable[[float], Awaitable[None]], hours: Callable[[], int], clock: Clock
    ) -> None:
        """``hours``: how long there is to deal with a message, by the published table."""
        self._note = note
        self._flush = flush
        self._hours = hours
        self._clock = clock
        self._all: dict[CallId, Voicemail] = {}

    def take(self, call: CallId, *, caller: str, line: str, group: str, size: int, at: datetime | None = None) -> bool:
        """A message of ``size`` bytes was left; False when it holds nothing. Telling twice is harmless."""
        if call in self._all:
            return True
        seconds = length(size)
        if seconds < LEAST_SECONDS:
            return False
        taken_at = at or self._now()
        due_at = taken_at + timedelta(hours=self._hours())
        self._set(Voicemail(call, caller, line, group, round(seconds, 1), taken_at, due_at))
        return True

    async def durable(self) -> bool:
        """Whether what was taken is on the disk. If not, the message is kept all the same, but not promised."""
        try:
            await self._flush(DURABLE_SECONDS)
        except JournalStalled:
            return False
        return True

    def close(self, call: CallId, by: str, note: str) -> Voicemail:
        """Somebody has dealt with it. Raises KeyError for an unknown one, ValueError for one closed before."""
        message = closed(self._all[call], by, note, self._now())
        self._set(message)
        return message

    def reassign(self, call: CallId, group: str, holder: str) -> Voicemail:
        """Somebody else is to deal with it. Raises KeyError for an unknown one, ValueError for one that is closed."""
        message = reassigned(self._all[call], group, holder)
        self._set(message)
        return message

    def load(self, messages: Iterable[Voicemail]) -> None:
        """Take what was read from storage; what is known already is newer."""
        for message in messages:
            self._all.setdefault(message.id, message)

    def get(self, call: CallId) -> Voicemail | None:
        return self._all.get(call)

    def all(self) -> list[Voicemail]:
        """Those that are open, and those of the last day: open ones by when they are due, then the latest first."""
        open_ones = sorted((one for one in self._all.values() if one.open), key=lambda one: (one.due_at, one.id))
        done = sorted((one for one in self._all.values() if not one.open), key=lambda one: (one.taken_at, one.id))
        return open_ones + done[::-1]

    def overdue(self) -> list[Voicemail]:
        """Open ones whose time is over."""
        now = self._now()
        return [one for one in self._all.values() if one.open and one.overdue(now)]

    def _set(self, message: Voicemail) -> None:
        self._all[message.id] = message
        self._note(Kind.MESSAGE, message.id, **to_data(message))
        self._forget(self._now())

    def _forget(self, now: datetime) -> None:
        """Let go of what was closed more than a day ago; the ledger has it."""
        for one in list(self._all.values()):
            if one.closed_at is not None and now - one.closed_at > REMEMBERED:
                del self._all[one.id]

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)
