"""The calls that are up, as far as the engine has heard; a cache of the switch, thrown away at will."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.queue_announcements import Told
from ledger.journal import Journal
from ledger.model import Kind
from queues.effects import LastResort
from routing.model import CallerList, Snapshot, WaitingAction
from telephony.model import AgentId, CallId, OverflowTo, SeatId, Stage


@dataclass(frozen=True, slots=True)
class Said:
    """A wrap-up code, and a remark of the agent's own."""

    code: str = ""
    remark: str = ""


@dataclass(slots=True)
class LiveCall:
    """One call that is up."""

    call: CallId
    channel: str
    stage: Stage
    entered: bool = False
    """Its entering is in the ledger."""
    told_to_wait: bool = False
    told: Told | None = None
    """What it was told last of its place and the expected wait."""
    promised: SeatId | None = None
    """The seat that the last answer named: the caller gets there by that answer alone, no redirect is on its way."""
    recorded: bool = False
    human: bool = False
    """Somebody answered: there is somebody to be rated."""
    talked_ms: int | None = None
    """How long agents have talked with the caller so far; None before the first such talk is over."""
    rated: bool = False
    caller: str = ""
    """Who calls, as far as we were told."""
    number: str = ""
    """What the citizen dialled."""
    since_ms: int = 0
    """When it rang."""
    group: str = ""
    """Who was asked for it last."""
    priority: int = 0
    pressed: tuple[WaitingAction, ...] = ()
    """What the caller pressed keys for while waiting."""
    origin: str = ""
    """The number of the centre whose trunk it came in by."""
    reference: str = ""
    """That centre's own reference."""
    address: str = ""
    summary: str = ""
    """What the agent has taken down so far."""
    said: dict[AgentId, Said] = field(default_factory=dict)
    """What it came to (处理结果), as each agent who had it says."""
    agent: AgentId | None = None
    """Who talked with the caller last."""
    preferred: AgentId | None = None
    """Who is to be waited for at first."""
    language: str = ""
    """The language asked for."""
    caller_list: CallerList | None = None
    """The list that the caller was on when it rang."""
    heard: tuple[str, ...] = ()
    """Prompts of its entry and announcements since."""
    trial: bool = False
    """An admin's test call (试打)."""
    table: Snapshot | None = None
    """The version of the routing table that it began under, and keeps; None when we were not there."""
    taken_by: SeatId | None = None
    """A supervisor's seat to which the caller is on its way, out of a talk."""
    returns: int = 0
    """Times it was brought back from app_queue."""
    ways: list[LastResort] = field(default_factory=list)
    """Ways out of the line that have come due and were not taken yet."""
    tried: set[tuple[OverflowTo, str]] = field(default_factory=set)
    """Ways out that it has taken, or came from."""


@dataclass(slots=True)
class Calls:
    """Every live call by id, and the one way to write a fact about it."""

    journal: Journal
    live: dict[CallId, LiveCall] = field(default_factory=dict)
    last_of: dict[AgentId, LiveCall] = field(default_factory=dict)
    """The call that each agent answered last, until the next: what wrap-up is about."""
    hearers: list[Callable[[Kind, CallId, Mapping[str, Any]], None]] = field(default_factory=list)
    """Who else hears of every fact."""
    ended: list[Callable[[LiveCall, bool], None]] = field(default_factory=list)
    """Who wants to know of a call that is over, and whether a talk broke off."""

    def note(self, kind: Kind, call: CallId, **data: Any) -> None:
        """Write a fact into the journal; never blocks. A call that was told to have entered does not enter again."""
        held = self.live.get(call)
        if held is None and kind is Kind.NOT_ANSWERED:
            return  # an agent who is rung first for a callback: there is no call yet, the promise's own facts tell
        if held is not None and kind is Kind.ENTERED:
            if held.entered:
                return
            held.entered = True
        self.journal.note(kind, call, data)
        for hear in self.hearers:
            hear(kind, call, data)

    def enter(self, call: CallId, channel: str, stage: Stage = Stage.RING) -> LiveCall:
        """The call, known or new."""
        held = self.live.get(call)
        if held is None:
            held = self.live[call] = LiveCall(call, channel, stage)
        held.channel = held.channel or channel  # a citizen who is called back has one only from the first sign of it on
        return held

    def known(self, call: CallId) -> LiveCall | None:
        """A call that is up, or the last of some agent; None for others of the past."""
        return self.live.get(call) or next((held for held in self.last_of.values() if held.call == call), None)

    def record(self, call: CallId, file: str) -> None:
        """Recording is arranged, before any media; told once per call."""
        held = self.live.get(call)
        if held is not None and not held.recorded:
            held.recorded = True
            self.note(Kind.RECORDING, call, file=file)

    def end(self, call: CallId, cause: str, by: str, *, dropped: bool = False) -> bool:
        """The caller's channel is gone, ``dropped`` in the middle of a talk. False when the call was not known."""
        held = self.live.pop(call, None)
        if held is None:
            return False
        for listener in self.ended:
            listener(held, dropped)
        self.note(Kind.ENDED, call, cause=cause, by=by)
        return True

    def before(self, version: int) -> bool:
        """Whether a call lives that began under an earlier version."""
        return any(held.table is not None and held.table.version < version for held in self.live.values())

    def vanished(self, seen: Iterable[CallId]) -> list[CallId]:
        """Live calls that the switch no longer has."""
        return sorted(self.live.keys() - set(seen))
