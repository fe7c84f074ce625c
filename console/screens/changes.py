"""Which rows of the screens may be others now: marked by what the engine does anyway, taken by who shows them.

One job: remember keys. A mark costs a set's add, and nothing but one comparison while nobody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from calls.model import LiveCall
from calls.registry import Calls
from console.screens.topics import Changed, Topic
from ledger.model import NO_CALL, Kind
from queues.acd import Acd
from queues.effects import Effect
from telephony.model import AgentId, CallId

_WORK: Final = frozenset({Kind.CALLBACK, Kind.MESSAGE, Kind.ORDER})
_COUNTED: Final = frozenset({Kind.ANSWERED, Kind.ENDED})


class ChangeTracker:
    """What has changed since somebody looked last."""

    def __init__(self, acd: Callable[[], Acd], calls: Calls) -> None:
        self._acd = acd
        self._calls = calls
        self._wake: Callable[[], None] | None = None
        self._marks: dict[Topic, set[str] | None] = {}

    def watch(self, wake: Callable[[], None] | None) -> None:
        """Call this at the first mark after each :meth:`take`; None: nobody looks."""
        self._wake = wake
        self._marks = {}

    def take(self) -> Changed:
        """The marks, once."""
        taken, self._marks = self._marks, {}
        return taken

    def mark(self, topic: Topic, key: str | None = None) -> None:
        """One row of a topic, or (None) any of them."""
        if self._wake is None:
            return
        if not self._marks:
            self._wake()
        keys = self._marks.setdefault(topic, set())
        if key is None:
            self._marks[topic] = None
        elif keys is not None:
            keys.add(key)

    def everything(self) -> None:
        """The table or the memory is another one."""
        for topic in Topic:
            self.mark(topic)

    # What tells of changes

    def effect(self, effect: Effect) -> None:
        """The ACD did something."""
        if self._wake is None:
            return
        self.mark(Topic.GROUPS)
        if (agent := getattr(effect, "agent", None)) is not None:
            self._agent(agent)
        if (call := getattr(effect, "call", None)) is not None:
            self.call(call)

    def fact(self, kind: Kind, call: CallId, data: Mapping[str, Any]) -> None:
        """Something was written down."""
        if self._wake is None:
            return
        if call != NO_CALL:
            self.call(call)
        if kind in _COUNTED:
            self.mark(Topic.MEASURES)
        elif kind in _WORK:
            self.mark(Topic.WORK)
        elif kind is Kind.OPERATOR_ACTION:
            self.mark(Topic.ANNOUNCEMENTS)
            self.mark(Topic.GROUPS)

    def call(self, call: CallId) -> None:
        """Whatever concerns this call: its row, and the desks that have it."""
        if self._wake is None:
            return
        self.mark(Topic.CALLS, call)
        acd = self._acd()
        ticket = acd.tickets.get(call)
        seat = acd.seats.get(ticket.seat) if ticket is not None and ticket.seat is not None else None
        if seat is not None and seat.agent is not None:
            self._agent(seat.agent)
        held = self._calls.live.get(call)
        if held is not None and held.agent is not None:
            self._agent(held.agent)
        elif held is None:  # over, and perhaps still somebody's wrap-up
            for agent, last in self._calls.last_call_of.items():
                if last.call == call:
                    self._agent(agent)

    def ended(self, held: LiveCall, dropped: bool) -> None:
        """A call is over."""
        self.mark(Topic.CALLS, held.call)
        if held.agent is not None:
            self._agent(held.agent)

    def transfer(self, call: CallId) -> None:
        """A transfer went on."""
        self.mark(Topic.ROUTES)
        self.call(call)

    def _agent(self, agent: AgentId) -> None:
        self.mark(Topic.AGENTS, agent)
        self.mark(Topic.ME, agent)
