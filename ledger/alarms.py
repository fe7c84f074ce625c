"""What stands in alarm now: told to the log, to the ledger and to whoever asks; raised once, cleared once.

One job: remember. Who raises and why is others' business.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from ledger.journal import Journal
from ledger.model import Kind
from telephony.model import CallId, NodeId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that somebody must see to."""

    key: str
    text: str
    """In Chinese, with what to do."""
    since: datetime
    grave: bool
    """The whole is not well while it stands; otherwise it is only to be looked at."""


class Alarms:
    """The alarms of one node."""

    def __init__(self, journal: Journal, node: NodeId) -> None:
        self._journal = journal
        self._line = line_of(node)
        self.standing: dict[str, Alarm] = {}
        self.changed: Callable[[], None] = lambda: None

    def put(self, key: str, text: str, *, grave: bool = True) -> None:
        """Raise it, unless it stands already."""
        if key in self.standing:
            return
        alarm = self.standing[key] = Alarm(key, text, datetime.now(UTC), grave)
        self.changed()
        log.error("alarm raised", alarm=key, text=text)
        self._journal.note(Kind.ALARM, self._line, {"alarm": key, "raised": True, "text": text}, at=alarm.since)

    def renew(self, key: str, text: str, *, grave: bool = True) -> None:
        """Raise it, or say anew what it is about when that has changed."""
        standing = self.standing.get(key)
        if standing is not None and (standing.text, standing.grave) != (text, grave):
            self.clear(key)
        self.put(key, text, grave=grave)

    def clear(self, key: str) -> None:
        """It is over; nothing happens when it did not stand."""
        alarm = self.standing.pop(key, None)
        if alarm is not None:
            self.changed()
            log.warning("alarm cleared", alarm=key)
            self._journal.note(Kind.ALARM, self._line, {"alarm": key, "raised": False, "text": alarm.text})


def line_of(node: str) -> CallId:
    """The node's own line in the ledger: facts that belong to no call."""
    return CallId(f"{node}-0000000000.0")
