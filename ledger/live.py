"""The measures as they are this minute: counters that every fact moves by one, and a window of 24 hours.

One job: count. Fed by the same facts that the journal gets, and by the states of agents; it asks nobody and knows no
clock. A call costs a few additions here; what a screen or a scrape wants is worked out when it asks. Definitions are
those of ledger/measures.py; a call counts in the minute in which it rang. Times are unix milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ledger.measures import WRAP_UP_STATE, AgentTime, Aims, Outcome
from ledger.model import TRIAL, Kind
from telephony.model import AgentId, CallId, GroupId, made_by_us

MINUTE_MS: Final = 60_000
HALF_HOUR_MS: Final = 30 * MINUTE_MS
WINDOW_MINUTES: Final = 24 * 60
"""GB/T 33358-2016 speaks of any continuous 24 h."""

WAIT_BOUNDS: Final = (5, 10, 15, 20, 30, 60, 120, 300)
"""Upper bounds of the classes in which waits are counted, s; the last class has none."""

SIGNED_OUT: Final = "signed-out"


@dataclass(slots=True)
class Counts:
    """Sums over some calls; ms are of the answered ones."""

    calls: int = 0
    answered: int = 0
    in_time_from_ring: int = 0
    in_time_from_prompt: int = 0
    wait_ms: int = 0
    wait_after_prompt_ms: int = 0
    abandoned: int = 0
    short_abandoned: int = 0

    def take(self, other: Counts, sign: int = 1) -> None:
        """Add, or with -1 take away."""
        self.calls += sign * other.calls
        self.answered += sign * other.answered
        self.in_time_from_ring += sign * other.in_time_from_ring
        self.in_time_from_prompt += sign * other.in_time_from_prompt
        self.wait_ms += sign * other.wait_ms
        self.wait_after_prompt_ms += sign * other.wait_after_prompt_ms
        self.abandoned += sign * other.abandoned
        self.short_abandoned += sign * other.short_abandoned


@dataclass(slots=True)
class Window:
    """The last 24 hours, minute by minute."""

    whole: Counts = field(default_factory=Counts)
    _minutes: deque[tuple[int, Counts]] = field(default_factory=deque)
    """(minute, its counts), rising; minutes without calls are not there."""

    def of(self, minute: int) -> Counts | None:
        """The counts of one minute, to be added to with :meth:`add`; None for one that is over and gone."""
        minutes = self._minutes
        if not minutes or minutes[-1][0] < minute:
            minutes.append((minute, Counts()))
            return minutes[-1][1]
        place = bisect_left(minutes, minute, key=lambda one: one[0])
        if minutes[place][0] != minute:
            minutes.insert(place, (minute, Counts()))
        return minutes[place][1]

    def add(self, minute: int, counts: Counts) -> None:
        """Count one more call in the minute in which it rang."""
        found = self.of(minute)
        if found is not None:
            found.take(counts)
            self.whole.take(counts)

    def forget(self, now_minute: int) -> None:
        """What is older than the window counts no more."""
        while self._minutes and self._minutes[0][0] <= now_minute - WINDOW_MINUTES:
            self.whole.take(self._minutes.popleft()[1], -1)


@dataclass(slots=True)
class _Up:
    """A call that is up."""

    entered_ms: int
    group: str
    asked_ms: int | None = None
    answered: bool = False
    trial: bool = False
    """A test call, which counts nowhere."""


@dataclass(slots=True)
class _Worker:
    """One agent in the half-hour that runs."""

    groups: tuple[GroupId, ...]
    state: str
    since_ms: int
    began_ms: int
    """When the state began, perhaps in an earlier half-hour."""
    state_ms: dict[str, int] = field(default_factory=dict)
    wrap_ups: int = 0
    wrap_up_ms: int = 0


class Live:
    """All counters of one engine."""

    def __init__(self, aims: Aims, now_ms: int) -> None:
        self.aims = aims
        self.window = Window()
        self.groups: dict[str, Window] = {}
        self.since_start = Counts()
        """Never shrinks: for a monitoring system that takes differences."""
        self.waits = [0] * (len(WAIT_BOUNDS) + 1)
        """Answered calls since the start, by class of wait from ring."""
        self.half_hour_ms = now_ms // HALF_HOUR_MS * HALF_HOUR_MS
        self._short_ms = round(aims.short_seconds * 1000)
        self._in_time_ms = round(aims.answer_seconds * 1000)
        self._up: dict[CallId, _Up] = {}
        self._workers: dict[AgentId, _Worker] = {}
        self._over: list[AgentTime] = []

    # Calls

    def hear(self, kind: Kind, call: CallId, data: Mapping[str, Any], now_ms: int) -> None:
        """One fact, as it is written down. What does not concern the measures costs one look-up."""
        if made_by_us(call):
            return
        match kind:
            case Kind.ENTERED:
                if not str(data.get("rule", "")).startswith("emergency"):
                    self._up[call] = _Up(now_ms, str(data.get("group", "")), trial=data.get("mode") == TRIAL)
            case Kind.WAITING | Kind.OFFERED:
                held = self._up.setdefault(call, _Up(now_ms, ""))
                if held.asked_ms is None:
                    held.asked_ms = now_ms
                held.group = str(data.get("group", "")) or held.group
            case Kind.ANSWERED:
                self._answered(call, data, now_ms)
            case Kind.ENDED:
                self._ended(call, now_ms)
            case _:
                pass

    def _answered(self, call: CallId, data: Mapping[str, Any], now_ms: int) -> None:
        held = self._up.get(call)
        if held is None or held.answered or held.trial or data.get("by") == "emergency":
            return
        held.answered = True
        held.group = str(data.get("group", "")) or held.group
        told = data.get("waited_ms")
        waited = told if isinstance(told, int) else now_ms - held.entered_ms
        after_prompt = now_ms - (held.entered_ms if held.asked_ms is None else held.asked_ms)
        self.waits[bisect_left(WAIT_BOUNDS, waited / 1000)] += 1
        in_time = self._in_time_ms
        self._count(held, Counts(1, 1, waited <= in_time, after_prompt <= in_time, waited, after_prompt))

    def _ended(self, call: CallId, now_ms: int) -> None:
        held = self._up.pop(call, None)
        if held is not None and not held.answered and not held.trial:
            short = now_ms - held.entered_ms <= self._short_ms
            self._count(held, Counts(1, abandoned=not short, short_abandoned=short))

    def _count(self, held: _Up, counts: Counts) -> None:
        minute = held.entered_ms // MINUTE_MS
        self.since_start.take(counts)
        self.window.add(minute, counts)
        self._group(held.group).add(minute, counts)

    def _group(self, group: str) -> Window:
        window = self.groups.get(group)
        if window is None:
            window = self.groups[group] = Window()
        return window

    def learn(self, past: Iterable[Outcome]) -> None:
        """Calls of the last 24 hours that were over before this engine began to listen."""
        for call in past:
            if not call.settled or call.call in self._up:
                continue
            waited, after_prompt = (
                None if s is None else round(s * 1000) for s in (call.wait_seconds, call.wait_after_prompt_seconds)
            )
            if waited is not None and after_prompt is not None:
                in_time = self._in_time_ms
                counts = Counts(1, 1, waited <= in_time, after_prompt <= in_time, waited, after_prompt)
            else:
                short = (call.held_on_seconds or 0) * 1000 <= self._short_ms
                counts = Counts(1, abandoned=not short, short_abandoned=short)
            minute = round(call.entered_at.timestamp() * 1000) // MINUTE_MS
            self.window.add(minute, counts)
            self._group(call.group).add(minute, counts)

    def forget(self, now_ms: int) -> None:
        """Let what is older than 24 hours go; before anything is read."""
        for window in (self.window, *self.groups.values()):
            window.forget(now_ms // MINUTE_MS)

    # Agents

    def moved(self, agent: AgentId, groups: tuple[GroupId, ...], state: str, now_ms: int) -> None:
        """An agent is in another state, or is seen in one."""
        if now_ms >= self.half_hour_ms + HALF_HOUR_MS:
            self.turn(now_ms)
        worker = self._workers.get(agent)
        if worker is not None and worker.state == state:
            return
        if worker is None:
            if state != SIGNED_OUT:
                self._workers[agent] = _Worker(groups, state, now_ms, now_ms)
            return
        self._spent(worker, now_ms)
        if worker.state == WRAP_UP_STATE:
            worker.wrap_ups += 1
            worker.wrap_up_ms += now_ms - worker.began_ms
        worker.groups = groups or worker.groups
        worker.state, worker.began_ms = state, now_ms

    def turn(self, now_ms: int) -> None:
        """End the half-hour, when it is over; what each agent did in it is ready for :meth:`over`."""
        while now_ms >= (end := self.half_hour_ms + HALF_HOUR_MS):
            self._close(end)
            self.half_hour_ms = end

    def stop(self, now_ms: int) -> None:
        """The engine stops: the half-hour so far is told, too."""
        self.turn(now_ms)
        self._close(now_ms)

    def over(self) -> list[AgentTime]:
        """What agents did in the half-hours that are over, once."""
        over, self._over = self._over, []
        return over

    def _close(self, end_ms: int) -> None:
        start = datetime.fromtimestamp(self.half_hour_ms / 1000, UTC)
        for agent, worker in list(self._workers.items()):
            self._spent(worker, end_ms)
            if worker.state_ms:
                self._over.append(
                    AgentTime(agent, start, worker.groups, worker.state_ms, worker.wrap_ups, worker.wrap_up_ms)
                )
            worker.state_ms, worker.wrap_ups, worker.wrap_up_ms = {}, 0, 0
            if worker.state == SIGNED_OUT:
                del self._workers[agent]

    def _spent(self, worker: _Worker, now_ms: int) -> None:
        if worker.state != SIGNED_OUT and now_ms > worker.since_ms:
            worker.state_ms[worker.state] = worker.state_ms.get(worker.state, 0) + now_ms - worker.since_ms
        worker.since_ms = now_ms


def shown(counts: Counts) -> dict[str, Any]:
    """Counts as a screen wants them: how many, and the shares of ledger/measures.py."""
    calls, answered = counts.calls, counts.answered
    not_short = calls - counts.short_abandoned

    def share(some: int, of: int) -> float | None:
        return round(some / of, 4) if of else None

    def mean(ms: int) -> float | None:
        return round(ms / answered / 1000, 1) if answered else None

    return {
        "calls": calls,
        "answered": answered,
        "connection_rate": share(answered, calls),
        "connection_rate_without_short": share(answered, not_short),
        "in_time_from_ring": share(counts.in_time_from_ring, calls),
        "in_time_from_prompt": share(counts.in_time_from_prompt, calls),
        "speed_of_answer": mean(counts.wait_ms),
        "speed_of_answer_after_prompt": mean(counts.wait_after_prompt_ms),
        "abandoned": counts.abandoned,
        "short_abandoned": counts.short_abandoned,
    }


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What has changed, as a JSON merge patch (RFC 7396): objects by key, everything else whole, null is gone."""
    patch: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if key not in before:
            patch[key] = value
        elif isinstance(value, Mapping) and isinstance(before[key], Mapping):
            if part := merge_patch(before[key], value):
                patch[key] = part
        elif value != before[key]:
            patch[key] = value
    return patch
