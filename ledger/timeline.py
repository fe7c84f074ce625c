"""Who was in the call when: a call's facts as bars, one lane for each party, and as marks on its recording.

One job: facts to stretches of time, pure. Words are ledger/labels_zh.py's; the caller's number is nobody's business
here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger import labels_zh
from ledger.model import Fact, Kind
from ledger.records import ordered, whole, word

Data = Mapping[str, Any]

CALLER: Final = "caller"
OPEN_TRANSFER: Final = frozenset({"asked", "requested", "dialling", "early-media", "ringing", "aside", "waiting"})
JOINED: Final = frozenset({"consulting", "answered", "joined", "agent-left"})
TOGETHER: Final = frozenset({"answered", "joined", "agent-left"})
"""The caller talks, whatever it heard before."""

MARKED: Final = frozenset({"asked", "answered", "joined", "agent-left", "centre-left", "failed", "returned"})
"""States of a transfer that somebody who listens wants to find."""


@dataclass(slots=True)
class Bar:
    """Somebody did the same for a while. Seconds since the call rang; ``until`` None: it goes on."""

    lane: str
    """caller, or agent or centre with its name, e.g. ``agent 1001``."""
    who: str
    phase: str
    """greeted, waiting, ringing, talking, held, after; the words are :data:`words.PHASES_OF_CALL`."""
    since: float
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment worth jumping to."""

    seconds: float
    """Since the call rang."""
    kind: str
    """transfer, party, hold or rating."""
    text: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """One call drawn."""

    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    seconds: float
    """How long all of it is: up to its end, or to the last that is known of it."""
    recorded_at: float | None
    """Where the recording begins; None: there is none."""


def draw(facts: Iterable[Fact]) -> Timeline:
    """The timeline of one call, whatever order its facts come in."""
    line = ordered(facts)
    if not line:
        return Timeline((), (), 0.0, None)
    start = next((fact.at for fact in line if fact.kind is Kind.ENTERED), line[0].at)
    pen = _Pen(start)
    for fact in line:
        pen.take(fact)
    # What is dealt with later is no part of it.
    last = next((fact for fact in line if fact.kind is Kind.ENDED), line[-1])
    end = max(0.0, (last.at - start).total_seconds())
    return Timeline(tuple(pen.bars), tuple(pen.marks), end, pen.recorded_at)


class _Pen:
    """Draws one fact after the other."""

    def __init__(self, start: datetime) -> None:
        self.bars: list[Bar] = []
        self.marks: list[Mark] = []
        self.recorded_at: float | None = None
        self._start = start
        self._open: dict[str, Bar] = {}
        self._over = False
        self._strokes: Mapping[Kind, Callable[[Data, float], None]] = {
            Kind.ENTERED: self._entered,
            Kind.WAITING: self._waiting,
            Kind.LAST_RESORT: self._waiting,
            Kind.FALLBACK: self._waiting,
            Kind.OFFERED: self._offered,
            Kind.NOT_ANSWERED: self._not_answered,
            Kind.ANSWERED: self._answered,
            Kind.RECORDING: self._recording,
            Kind.TRANSFER: self._transfer,
            Kind.PARTY: self._party,
            Kind.HELD: self._held,
            Kind.RESUMED: self._resumed,
            Kind.TALK_ENDED: self._talk_ended,
            Kind.RATED: self._rated,
            Kind.ENDED: self._ended,
        }

    def take(self, fact: Fact) -> None:
        draws = self._strokes.get(fact.kind)
        if draws is not None and not self._over:  # later facts: a message dealt with, an order closed
            draws(fact.data, max(0.0, (fact.at - self._start).total_seconds()))

    def _entered(self, data: Data, at: float) -> None:
        self._caller("greeted", at)

    def _waiting(self, data: Data, at: float) -> None:
        self._caller("waiting", at)

    def _offered(self, data: Data, at: float) -> None:
        self._begin(_agent(data), _agent_name(data), "ringing", at)

    def _not_answered(self, data: Data, at: float) -> None:
        self._end(_agent(data), at)

    def _answered(self, data: Data, at: float) -> None:
        self._caller("talking", at)
        self._begin(_agent(data), _agent_name(data), "talking", at)

    def _recording(self, data: Data, at: float) -> None:
        self.recorded_at = at if self.recorded_at is None else self.recorded_at

    def _held(self, data: Data, at: float) -> None:
        self._caller("held", at)
        self.marks.append(Mark(at, "hold", "保持：市民听等待音乐"))

    def _resumed(self, data: Data, at: float) -> None:
        self._taken_up(at)
        self.marks.append(Mark(at, "hold", "恢复通话"))

    def _talk_ended(self, data: Data, at: float) -> None:
        self._leave("agent", at)
        self._caller("after", at)

    def _rated(self, data: Data, at: float) -> None:
        if level := whole(data, "level"):
            self.marks.append(Mark(at, "rating", f"评价：{labels_zh.LEVELS.get(level, level)}"))

    def _ended(self, data: Data, at: float) -> None:
        for lane in list(self._open):
            self._end(lane, at)
        self._over = True

    def _transfer(self, data: Data, at: float) -> None:
        target, state = word(data, "target"), word(data, "state")
        lane = f"centre {target}"
        if state in OPEN_TRANSFER:
            self._begin(lane, target, "ringing", at)
        elif state in JOINED:
            self._begin(lane, target, "talking", at)
            if state == "agent-left":
                self._leave("agent", at)
            if state in TOGETHER:
                self._taken_up(at)
        else:
            self._end(lane, at)
        if state in MARKED:
            self.marks.append(Mark(at, "transfer", f"{target} {labels_zh.TRANSFER_STATES.get(state, state)}"))

    def _party(self, data: Data, at: float) -> None:
        party, action = word(data, "party"), word(data, "action")
        if action in ("left", "leave") and party in ("agent", "centre"):
            self._leave(party, at)
        text = f"{labels_zh.PARTIES.get(party, party)}{labels_zh.ACTIONS.get(action, action)}"
        self.marks.append(Mark(at, "party", text))

    def _leave(self, party: str, at: float) -> None:
        """Whoever of this party talks, talks no more."""
        for lane, bar in list(self._open.items()):
            if lane.startswith(f"{party} ") and bar.phase == "talking":
                self._end(lane, at)

    def _taken_up(self, at: float) -> None:
        """A caller who was on hold is not any more."""
        held = self._open.get(CALLER)
        if held is not None and held.phase == "held":
            self._caller("talking", at)

    def _caller(self, phase: str, at: float) -> None:
        self._begin(CALLER, labels_zh.PARTIES["caller"], phase, at)

    def _begin(self, lane: str, who: str, phase: str, at: float) -> None:
        held = self._open.get(lane)
        if held is not None and held.phase == phase:
            return
        self._end(lane, at)
        self._open[lane] = bar = Bar(lane, who, phase, at)
        self.bars.append(bar)

    def _end(self, lane: str, at: float) -> None:
        held = self._open.pop(lane, None)
        if held is not None:
            held.until = at


def _agent(data: Data) -> str:
    return f"agent {word(data, 'agent') or word(data, 'seat') or word(data, 'by')}"


def _agent_name(data: Data) -> str:
    agent, seat, by = word(data, "agent"), word(data, "seat"), word(data, "by")
    if agent and (name := word(data, "agent_name")):
        return f"{name}（工号 {agent}）"
    return f"工号 {agent}" if agent else f"话机 {seat}" if seat else labels_zh.WAYS_OUT.get(by, by) or "座席"
