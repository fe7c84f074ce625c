"""What the hotline is measured by: each measure defined once, as a function over what the ledger tells.

One job: definitions. Pure: no table, no clock. An :class:`RequestOutcome` is one call, folded from its facts; an
:class:`AgentTime` is what one agent did in one half-hour. Shares are 0 to 1, times are seconds, and what nobody can say
(no calls, nobody on duty) is None. A call counts in the half-hour in which it rang.

Which calls count: those that came in to be answered by 12345, i.e. all but those to an emergency number dialled
directly, test calls (试打) and calls that we make ourselves, and only once they are answered or
over, so that one that still rings spoils no share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from statistics import fmean
from typing import Any, Final

from ledger.model import TRIAL, Fact, Kind
from ledger.records import fold, ordered, whole, word
from telephony.model import AgentId, CallId, GroupId, made_by_us

HALF_HOUR: Final = timedelta(minutes=30)

BUSY_STATES: Final = frozenset({"reserved", "ringing", "talking", "hold", "wrap-up"})
"""At work on a call, from being offered it to the end of its wrap-up; states of a seat as the ACD names them."""

WRAP_UP_STATE: Final = "wrap-up"
READY_STATE: Final = "ready"


@dataclass(frozen=True, slots=True)
class Aims:
    """What the city aims at; settings, with the numbers of GB/T 33358-2016 to start with."""

    answer_seconds: float = 15.0
    """GB/T 33358-2016 asks for an answer within 15 s. Whether from ring or from the end of the prompt it does not say:
    both are measured."""
    percent: float = 95.0
    """GB/T 33358-2016 asks for a connection rate of at least 95 % over any 24 h; also our aim for the 15 s."""
    short_seconds: float = 5.0
    """Who hangs up within so many seconds of ringing dialled wrongly or thought better of it. Ours, no standard's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call, as far as it is measured. Times are aware; None has not happened."""

    call: CallId
    number: str
    group: GroupId
    """Who answered, or who was waited for last."""
    asked_group: GroupId
    """Who was to answer at first."""
    agent: AgentId
    """The first human who answered; empty when none did, or none of ours."""
    answered_by: str
    """agent, subcentre, duty-phone, fallback or emergency; empty when nobody did."""
    entered_at: datetime
    asked_at: datetime | None
    """The prompt was over and the caller asked for an agent."""
    answered_at: datetime | None
    ended_at: datetime | None
    talk_ms: int | None
    wrap_up_code: str = ""
    """处理结果; empty when nobody has said."""

    @property
    def settled(self) -> bool:
        """Answered or over."""
        return self.answered_at is not None or self.ended_at is not None

    @property
    def wait_seconds(self) -> float | None:
        """From ring to the human; None when none came."""
        return None if self.answered_at is None else _seconds(self.entered_at, self.answered_at)

    @property
    def wait_after_prompt_seconds(self) -> float | None:
        """From the end of the prompt to the human; without a prompt, from ring. None when none came."""
        if self.answered_at is None:
            return None
        return _seconds(self.asked_at or self.entered_at, self.answered_at)

    @property
    def prompt_seconds(self) -> float | None:
        """From ring to the end of the prompts; None for who hung up in them, or was answered without."""
        return None if self.asked_at is None else _seconds(self.entered_at, self.asked_at)

    @property
    def held_on_seconds(self) -> float | None:
        """How long a caller who reached nobody held the line; None for others."""
        if self.answered_at is not None or self.ended_at is None:
            return None
        return _seconds(self.entered_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class AgentTime:
    """One agent in one half-hour: milliseconds in each state, and the wrap-ups that ended in it."""

    agent: AgentId
    start: datetime
    groups: tuple[GroupId, ...]
    state_ms: Mapping[str, int]
    wrap_ups: int = 0
    wrap_up_ms: int = 0


def outcome(facts: Iterable[Fact]) -> Outcome | None:
    """The outcome of the one call that these facts are about; None when there is none, or it is not ours to answer.

    An emergency number that was dialled directly never asks for an agent of 12345; nobody in need made a test call.
    """
    line = ordered(facts)
    record = fold(line)
    if record is None:
        return None
    entered = next((fact for fact in line if fact.kind is Kind.ENTERED), None)
    asked = next((fact for fact in line if fact.kind in (Kind.WAITING, Kind.OFFERED)), None)
    if record.mode == TRIAL or made_by_us(record.call):
        return None
    if record.answered_by == "emergency" or (asked is None and record.rule.startswith("emergency")):
        return None
    return Outcome(
        call=record.call,
        number=record.number,
        group=GroupId(record.group),
        asked_group=GroupId((word(entered.data, "group") if entered else "") or record.group),
        agent=AgentId(record.agent),
        answered_by=record.answered_by,
        entered_at=record.entered_at,
        asked_at=None if asked is None else asked.at,
        answered_at=record.answered_at,
        ended_at=record.ended_at,
        talk_ms=record.talk_ms,
        wrap_up_code=record.wrap_up_code,
    )


def agent_time(fact: Fact) -> AgentTime | None:
    """What a fact of that kind says; None for any other, or one that cannot be read."""
    if fact.kind is not Kind.AGENT_TIME:
        return None
    try:
        start = datetime.fromisoformat(word(fact.data, "start"))
    except ValueError:
        return None
    states, groups = fact.data.get("state_ms"), fact.data.get("groups")
    if not isinstance(states, Mapping) or start.tzinfo is None:
        return None
    return AgentTime(
        AgentId(word(fact.data, "agent")),
        start,
        tuple(GroupId(str(group)) for group in groups) if isinstance(groups, Sequence) else (),
        {str(state): whole(states, state) or 0 for state in states},
        whole(fact.data, "wrap_ups") or 0,
        whole(fact.data, "wrap_up_ms") or 0,
    )


def told(time: AgentTime) -> dict[str, Any]:
    """The data of the fact that says this."""
    return {
        "agent": time.agent,
        "start": time.start.isoformat(),
        "groups": list(time.groups),
        "state_ms": dict(time.state_ms),
        "wrap_ups": time.wrap_ups,
        "wrap_up_ms": time.wrap_up_ms,
    }


# The measures


def connection_rate(calls: Sequence[Outcome]) -> float | None:
    """接通率: calls that a human answered, of all calls. Source: GB/T 33358-2016, at least 95 % over any 24 h.

    The strictest reading: who hangs up while the prompt is still playing counts as not connected, too.
    """
    return _share(calls, lambda call: call.answered_at is not None)


def connection_rate_without_short(calls: Sequence[Outcome], aims: Aims) -> float | None:
    """The connection rate without short abandons; ours, beside the strict one and never in its place."""
    return connection_rate([call for call in calls if not _short(call, aims)])


def in_time_from_ring(calls: Sequence[Outcome], aims: Aims) -> float | None:
    """Answered within the aim's seconds of ringing, of all calls. Source: GB/T 33358-2016 (15 s), read strictly: the
    greeting counts, and so do callers who gave up."""
    return _share(calls, lambda call: call.wait_seconds is not None and call.wait_seconds <= aims.answer_seconds)


def in_time_from_prompt(calls: Sequence[Outcome], aims: Aims) -> float | None:
    """Answered within the aim's seconds of the end of the prompt, of all calls. Source: GB/T 33358-2016, the other
    reading: the greeting does not count."""

    def in_time(call: Outcome) -> bool:
        waited = call.wait_after_prompt_seconds
        return waited is not None and waited <= aims.answer_seconds

    return _share(calls, in_time)


def speed_of_answer(calls: Sequence[Outcome]) -> float | None:
    """ASA: mean seconds from ring to the human, of the calls that were answered. Source: the usual definition of
    contact centres."""
    return _mean([call.wait_seconds for call in calls if call.wait_seconds is not None])


def speed_of_answer_after_prompt(calls: Sequence[Outcome]) -> float | None:
    """ASA from the end of the prompt."""
    waits = [call.wait_after_prompt_seconds for call in calls]
    return _mean([wait for wait in waits if wait is not None])


def abandoned(calls: Sequence[Outcome], aims: Aims) -> int:
    """放弃: calls that ended without a human, short ones apart."""
    return sum(1 for call in calls if call.held_on_seconds is not None and not _short(call, aims))


def short_abandoned(calls: Sequence[Outcome], aims: Aims) -> int:
    """短放弃: calls that ended without a human within the aim's short seconds of ringing."""
    return sum(1 for call in calls if _short(call, aims))


def talk_seconds(calls: Sequence[Outcome]) -> float | None:
    """Mean length of the talks that are over, s."""
    return _mean([call.talk_ms / 1000 for call in calls if call.talk_ms is not None and call.answered_by == "agent"])


def occupancy(times: Sequence[AgentTime]) -> float | None:
    """占用率: time at work on calls (reserved, ringing, talking, wrap-up), of that and the time ready for one.

    Pause, not responding and a phone out of reach are neither. Source: the usual definition of contact centres.
    """
    busy = sum(ms for time in times for state, ms in time.state_ms.items() if state in BUSY_STATES)
    free = sum(time.state_ms.get(READY_STATE, 0) for time in times)
    return busy / (busy + free) if busy + free else None


def wrap_up_seconds(times: Sequence[AgentTime]) -> float | None:
    """话后整理: mean length of the wrap-ups that ended, s."""
    ended = sum(time.wrap_ups for time in times)
    return sum(time.wrap_up_ms for time in times) / 1000 / ended if ended else None


def wrap_up_codes(calls: Sequence[Outcome]) -> dict[str, int]:
    """处理结果: how many calls came to what, the most frequent first."""
    counts = Counter(call.wrap_up_code for call in calls if call.answered_by == "agent" and call.ended_at is not None)
    return dict(counts.most_common())


# All of them, for some calls and some agents


@dataclass(frozen=True, slots=True)
class Measures:
    """Every measure of some calls. A None is not known, or means nothing here."""

    calls: int
    answered: int
    connection_rate: float | None
    connection_rate_without_short: float | None
    in_time_from_ring: float | None
    in_time_from_prompt: float | None
    speed_of_answer: float | None
    speed_of_answer_after_prompt: float | None
    abandoned: int
    short_abandoned: int
    talk_seconds: float | None
    wrap_up_seconds: float | None
    occupancy: float | None
    wrap_up_codes: Mapping[str, int] = field(default_factory=dict)
    """处理结果: calls of our agents that are over, by code; under the empty code those of which nobody said (未填)."""


def measures(calls: Iterable[Outcome], aims: Aims, times: Sequence[AgentTime] = ()) -> Measures:
    """All measures of the settled ones of these calls, and of these agents' time."""
    counted = [call for call in calls if call.settled]
    return Measures(
        calls=len(counted),
        answered=sum(1 for call in counted if call.answered_at is not None),
        connection_rate=connection_rate(counted),
        connection_rate_without_short=connection_rate_without_short(counted, aims),
        in_time_from_ring=in_time_from_ring(counted, aims),
        in_time_from_prompt=in_time_from_prompt(counted, aims),
        speed_of_answer=speed_of_answer(counted),
        speed_of_answer_after_prompt=speed_of_answer_after_prompt(counted),
        abandoned=abandoned(counted, aims),
        short_abandoned=short_abandoned(counted, aims),
        talk_seconds=talk_seconds(counted),
        wrap_up_seconds=wrap_up_seconds(times),
        occupancy=occupancy(times),
        wrap_up_codes=wrap_up_codes(counted),
    )


class By(StrEnum):
    """What calls are told apart by."""

    GROUP = "group"
    NUMBER = "number"
    AGENT = "agent"
    HALF_HOUR = "half-hour"


@dataclass(frozen=True, slots=True)
class _Lot:
    calls: list[Outcome] = field(default_factory=list)
    times: list[AgentTime] = field(default_factory=list)


def told_apart(
    calls: Iterable[Outcome], times: Iterable[AgentTime], by: By, aims: Aims, zone: tzinfo
) -> dict[str, Measures]:
    """The measures of each group, number, agent or half-hour (``08:30``, on the city's clock), in their order.

    An agent of several groups counts with all its time in each: occupancy by group is that of its people. By agent,
    calls that nobody answered are nobody's; by number, nobody's time is.
    """
    lots: dict[str, _Lot] = defaultdict(_Lot)
    for call in calls:
        for key in _keys_of_call(call, by, zone):
            lots[key].calls.append(call)
    for time in times:
        for key in _keys_of_time(time, by, zone):
            lots[key].times.append(time)
    return {key: measures(lot.calls, aims, lot.times) for key, lot in sorted(lots.items())}


def half_hour(moment: datetime) -> datetime:
    """The beginning of its half-hour. Every time zone in use begins its hours at a multiple of 15 minutes; those of
    half-hours and hours agree with ours."""
    return moment.replace(minute=moment.minute // 30 * 30, second=0, microsecond=0)


def _keys_of_call(call: Outcome, by: By, zone: tzinfo) -> tuple[str, ...]:
    match by:
        case By.GROUP:
            return (call.group,)
        case By.NUMBER:
            return (call.number,)
        case By.AGENT:
            return (call.agent,) if call.agent else ()
        case By.HALF_HOUR:
            return (f"{half_hour(call.entered_at.astimezone(zone)):%H:%M}",)


def _keys_of_time(time: AgentTime, by: By, zone: tzinfo) -> tuple[str, ...]:
    match by:
        case By.GROUP:
            return time.groups
        case By.NUMBER:
            return ()
        case By.AGENT:
            return (time.agent,)
        case By.HALF_HOUR:
            return (f"{half_hour(time.start.astimezone(zone)):%H:%M}",)


def _short(call: Outcome, aims: Aims) -> bool:
    return call.held_on_seconds is not None and call.held_on_seconds <= aims.short_seconds


def _share(calls: Sequence[Outcome], true: Callable[[Outcome], bool]) -> float | None:
    return sum(1 for call in calls if true(call)) / len(calls) if calls else None


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _seconds(start: datetime, end: datetime) -> float:
    return max(0.0, (end - start).total_seconds())
