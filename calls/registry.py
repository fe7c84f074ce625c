"""The calls that are up, as far as the engine has heard; a cache of the switch, thrown away at will."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from calls.model import LiveCall
from ledger.journal import Journal
from ledger.model import Kind
from telephony.model import AgentId, CallId, Stage


@dataclass(slots=True)
class Calls:
    """Every live call by id, and the one way to write a fact about it."""

    journal: Journal
    live: dict[CallId, LiveCall] = field(default_factory=dict)
    last_call_of: dict[AgentId, LiveCall] = field(default_factory=dict)
    """The call that each agent answered last, until the next: what wrap-up is about."""
    fact_listeners: list[Callable[[Kind, CallId, Mapping[str, Any]], None]] = field(default_factory=list)
    """Who else hears of every fact."""
    ended: list[Callable[[LiveCall, bool], None]] = field(default_factory=list)
    """Who wants to know of a call that is over, and whether a talk broke off."""

    def record_fact(self, kind: Kind, call: CallId, **data: Any) -> None:
        """Write a fact into the journal; never blocks. A call that was told to have entered does not enter again."""
        held = self.live.get(call)
        if held is None and kind is Kind.NOT_ANSWERED:
            return  # an agent who is rung first for a callback: there is no call yet, the promise's own facts tell
        if held is not None and kind is Kind.ENTERED:
            if held.entered:
                return
            held.entered = True
        self.journal.note(kind, call, data)
        for hear in self.fact_listeners:
            hear(kind, call, data)

    def get_or_create(self, call: CallId, channel: str, stage: Stage = Stage.RING) -> LiveCall:
        """The call, known or new."""
        held = self.live.get(call)
        if held is None:
            held = self.live[call] = LiveCall(call, channel, stage)
        held.channel = held.channel or channel  # a citizen who is called back has one only from the first sign of it on
        return held

    def find_recent(self, call: CallId) -> LiveCall | None:
        """A call that is up, or the last of some agent; None for others of the past."""
        return self.live.get(call) or next((held for held in self.last_call_of.values() if held.call == call), None)

    def record(self, call: CallId, file: str) -> None:
        """Recording is arranged, before any media; told once per call."""
        held = self.live.get(call)
        if held is not None and not held.recorded:
            held.recorded = True
            self.record_fact(Kind.RECORDING, call, file=file)

    def remove(self, call: CallId, cause: str, by: str, *, dropped: bool = False) -> bool:
        """The caller's channel is gone, ``dropped`` in the middle of a talk. False when the call was not known."""
        held = self.live.pop(call, None)
        if held is None:
            return False
        for listener in self.ended:
            listener(held, dropped)
        self.record_fact(Kind.ENDED, call, cause=cause, by=by)
        return True

    def has_calls_before(self, version: int) -> bool:
        """Whether a call lives that began under an earlier version."""
        return any(held.table is not None and held.table.version < version for held in self.live.values())

    def missing_from(self, seen: Iterable[CallId]) -> list[CallId]:
        """Live calls that the switch no longer has."""
        return sorted(self.live.keys() - set(seen))
