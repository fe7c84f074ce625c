"""One table of rows per topic for all who watch it, and the frames that keep their copies the same.

One job: make each row and each frame once. Nothing is made for topics that nobody watches, and nothing at all while
nobody looks. What changed is told within a step; whatever nobody told of is found by a look at everything at each
pulse. A watcher that does not keep up is let go: it comes again and gets everything anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from console.screens.topics import Row, Rows, Screens, Topic, change, delta, pulse, whole
from telephony.model import AgentId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

STEP_SECONDS: Final = 0.1
"""At most one frame per topic and step."""

GATHER_SECONDS: Final = 0.005
"""What belongs to one turn of a call comes within so long of its first event."""

PULSE_SECONDS: Final = 5.0

MAX_BEHIND_BYTES: Final = 1 << 20
"""So much may wait for a slow reader beyond what its network holds: several times everything that there is to see."""


class Transport(Protocol):
    """Where frames go: an asyncio transport."""

    def write(self, data: bytes) -> None: ...

    def get_write_buffer_size(self) -> int: ...

    def abort(self) -> None: ...

    def is_closing(self) -> bool: ...


@dataclass(eq=False, slots=True)
class Subscriber:
    """One page that looks."""

    wire: Transport
    topics: frozenset[Topic]
    agent: AgentId | None = None
    """Whose desk ``me`` is; None for somebody without one."""

    def take(self, data: bytes) -> bool:
        """Send it. False when this one does not keep up and was let go."""
        if self.wire.is_closing():
            return False
        if self.wire.get_write_buffer_size() > MAX_BEHIND_BYTES:
            log.warning("live page let go, it does not keep up")
            self.wire.abort()
            return False
        self.wire.write(data)
        return True


@dataclass(eq=False, slots=True)
class _Table:
    """One topic, or one desk, as its watchers have it."""

    topic: Topic
    rows: dict[str, Row]
    watchers: set[Subscriber] = field(default_factory=set)
    told: bytes = b""
    """The whole of it as a frame, until it changes."""

    def send(self, data: bytes) -> None:
        for one in [one for one in self.watchers if not one.take(data)]:
            self.watchers.discard(one)


class Hub:
    """Everybody who looks."""

    def __init__(self, screens: Screens, now_ms: Callable[[], int]) -> None:
        self._screens = screens
        self._now_ms = now_ms
        self._watchers: set[Subscriber] = set()
        self._topics: dict[Topic, _Table] = {}
        self._desks: dict[AgentId, _Table] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._stepped_at = 0.0
        self._pulsing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._watchers)

    def subscribe(self, watcher: Subscriber) -> None:
        """Everything first, then what changes."""
        if not self._watchers:
            self._screens.watch(self._wake)
            self._pulsing = asyncio.get_running_loop().create_task(self._heartbeat())
        self._watchers.add(watcher)
        for topic in Topic:
            if topic not in watcher.topics:
                continue
            table = self._table(topic, watcher)
            if not table.told:
                table.told = whole(topic, self._now_ms(), table.rows)
            if watcher.take(table.told):
                table.watchers.add(watcher)

    async def stop(self) -> None:
        """Nobody looks any more, and the pulse has ended."""
        pulsing = self._pulsing
        for watcher in tuple(self._watchers):
            self.unsubscribe(watcher)
        if pulsing is not None:
            await asyncio.gather(pulsing, return_exceptions=True)

    def unsubscribe(self, watcher: Subscriber) -> None:
        """This one looks no more."""
        self._watchers.discard(watcher)
        for table in (*self._topics.values(), *self._desks.values()):
            table.watchers.discard(watcher)
        self._topics = {topic: table for topic, table in self._topics.items() if table.watchers}
        self._desks = {agent: table for agent, table in self._desks.items() if table.watchers}
        if self._watchers:
            return
        self._screens.watch(None)
        if self._pulsing is not None:
            self._pulsing.cancel()
        if self._timer is not None:
            self._timer.cancel()
        self._pulsing = self._timer = None

    def _table(self, topic: Topic, watcher: Subscriber) -> _Table:
        if topic is not Topic.ME:
            if topic not in self._topics:
                self._topics[topic] = _Table(topic, dict(self._screens.rows(topic)))
            return self._topics[topic]
        if watcher.agent is None:
            return _Table(topic, {})
        if watcher.agent not in self._desks:
            self._desks[watcher.agent] = _Table(topic, dict(self._screens.desk(watcher.agent)))
        return self._desks[watcher.agent]

    def _wake(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            wait = max(GATHER_SECONDS, self._stepped_at + STEP_SECONDS - loop.time())
            self._timer = loop.call_later(wait, self._step)

    def _step(self) -> None:
        self._timer = None
        self._stepped_at = asyncio.get_running_loop().time()
        for topic, keys in self._screens.changed().items():
            if topic is Topic.ME:
                desks = self._desks if keys is None else [AgentId(key) for key in keys if key in self._desks]
                self._look_at_desks(desks)
            elif topic in self._topics:
                self._refresh(self._topics[topic], keys)

    def _look_at_desks(self, agents: Iterable[AgentId]) -> None:
        for agent in tuple(agents):
            self._publish(self._desks[agent], self._screens.desk(agent))

    def _refresh(self, table: _Table, keys: Set[str] | None) -> None:
        if keys is None:
            self._publish(table, self._screens.rows(table.topic))
        else:
            found = {key: row for key in keys if (row := self._screens.row(table.topic, key)) is not None}
            self._publish(table, found, keys)

    def _publish(self, table: _Table, after: Rows, keys: Set[str] | None = None) -> None:
        new, gone = change(table.rows, after, keys)
        if not new and not gone:
            return
        table.rows.update(new)
        for key in gone:
            del table.rows[key]
        table.told = b""
        table.send(delta(table.topic, self._now_ms(), new, gone))

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                for table in tuple(self._topics.values()):
                    self._refresh(table, None)
                self._look_at_desks(self._desks)
            except Exception:  # a row that cannot be made must not silence all the others
                log.exception("live rows not made")
            data = pulse(self._now_ms())
            for watcher in tuple(self._watchers):
                watcher.take(data)
