"""What can be watched over the live WebSocket, who may watch it, and what goes over the wire.

One job: words and bytes. It knows no sockets and no engine.

A topic is a table: rows by key. It is told whole once, then what changed:

* ``{"topic": T, "at": unix_ms, "whole": {key: row, …}}``
* ``{"topic": T, "at": unix_ms, "set": {key: row}, "gone": [key]}``
* ``{"topic": "pulse", "at": unix_ms}`` every few seconds, so that a page knows how old its data is.

Times in rows are unix milliseconds of when something began, never ages: a row in which nothing happened stays the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Set
from enum import StrEnum
from typing import Any, Final, Protocol

from telephony.model import AgentId
from users.model import Right

Row = Mapping[str, Any]
Rows = Mapping[str, Row]

PULSE: Final = "pulse"


class Topic(StrEnum):
    """One table."""

    ME = "me"
    """The asker's own desk: ``seat``, ``call``, ``transfer``, and the call's urgent ``orders`` by number."""
    AGENTS = "agents"
    """Everybody signed in, by agent id (工号)."""
    CALLS = "calls"
    """Calls that wait, ring or talk, by call id; numbers masked."""
    GROUPS = "groups"
    """How many wait, ring, talk and work, by group, and ``all``."""
    MEASURES = "measures"
    """The last 24 hours, by group, and ``all`` with the city's aims."""
    ROUTES = "routes"
    """Trunks of emergency centres and partners, by trunk id."""
    ALARMS = "alarms"
    """What stands in alarm now, by alarm."""
    ANNOUNCEMENTS = "announcements"
    """Announcements of the table, and which of them are raised."""
    WORK = "work"
    """How many callbacks, messages and urgent orders are open."""
    DRILLS = "drills"
    """Drills that go on, and the last ones, step by step, by drill; phones that ring for one, by ``ring-`` and seat."""


NEEDS: Final[Mapping[Topic, Right]] = {
    Topic.ME: Right.LIVE_READ,
    Topic.AGENTS: Right.STATUS_READ,
    Topic.CALLS: Right.CALLS_READ,
    Topic.GROUPS: Right.LIVE_READ,
    Topic.MEASURES: Right.STATUS_READ,
    Topic.ROUTES: Right.LIVE_READ,
    Topic.ALARMS: Right.STATUS_READ,
    Topic.ANNOUNCEMENTS: Right.LIVE_READ,
    Topic.WORK: Right.LIVE_READ,
    Topic.DRILLS: Right.DRILLS_READ,
}
"""The right for each topic, which has to go further than one's own things (``me`` is one's own by its nature)."""


Changed = Mapping[Topic, Set[str] | None]
"""Keys by topic whose rows may be others now; None: any of them."""


class Screens(Protocol):
    """What is shown; the engine's."""

    def watch(self, wake: Callable[[], None] | None) -> None:
        """Somebody looks: call ``wake`` at the first change after each :meth:`changed`. None: nobody looks any more."""

    def changed(self) -> Changed:
        """What may have changed since the last time."""

    def rows(self, topic: Topic) -> Rows:
        """All of a topic, but of ``me``."""

    def row(self, topic: Topic, key: str) -> Row | None:
        """One row; None when there is none, or no more."""

    def desk(self, agent: AgentId) -> Rows:
        """The topic ``me`` of this agent."""


_SHORT: Final = 126
_MIDDLE: Final = 1 << 16
_TEXT: Final = 0x81


def change(before: Rows, after: Rows, keys: Set[str] | None = None) -> tuple[dict[str, Row], list[str]]:
    """Rows that are new or different, and keys that are gone; of ``keys`` only when they are given."""
    looked = after.keys() if keys is None else keys & after.keys()
    new = {key: after[key] for key in looked if before.get(key) != after[key]}
    gone = sorted((before.keys() if keys is None else keys & before.keys()) - after.keys())
    return new, gone


def whole(topic: Topic, at_ms: int, rows: Rows) -> bytes:
    """The frame that a watcher gets first."""
    return frame({"topic": topic, "at": at_ms, "whole": rows})


def delta(topic: Topic, at_ms: int, new: Rows, gone: list[str]) -> bytes:
    """The frame that tells what changed."""
    return frame({"topic": topic, "at": at_ms, "set": new, "gone": gone})


def pulse(at_ms: int) -> bytes:
    """The frame that says that we are here."""
    return frame({"topic": PULSE, "at": at_ms})


def frame(value: Any) -> bytes:
    """A whole text frame of a server (RFC 6455, 5.2: not masked), made once for all who get it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    size = len(text)
    if size < _SHORT:
        return bytes((_TEXT, size)) + text
    if size < _MIDDLE:
        return bytes((_TEXT, 126)) + size.to_bytes(2, "big") + text
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big") + text
