"""One call as one row: facts folded together.

One job: the fold. It does not depend on the order in which facts arrive, nor on how often; it knows
no table and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ledger.model import NO_CALL, Fact, Kind
from telephony.model import CallId, made_by_us

MAX_WORD: Final = 64
MAX_WHOLE: Final = 2**53

OF_NO_CALL: Final = frozenset({Kind.ALARM, Kind.DRILL, Kind.OUTBOUND})
"""Facts that make no call: those on a line of the node's own, and an agent's wish to call, which may be refused."""

ENGINE: Final = "engine"
CEL: Final = "cel"
MIXED: Final = "mixed"


@dataclass(frozen=True, slots=True)
class TransferRecord:
    """Where one one-key transfer got to."""

    target: str
    state: str


@dataclass(frozen=True, slots=True)
class CallRecord:
    """通话流水: the outline of one call. Whose value is None has not happened, or is not known."""

    call: CallId
    number: str
    caller: str
    entered_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    group: str
    """Who waited for it last, or answered."""
    agent: str
    """The first human who answered."""
    seat: str
    answered_by: str
    """agent, subcentre, duty-phone, fallback or emergency; empty when nobody did."""
    mode: str
    rule: str
    version: int | None
    rating_level: int | None
    """1 to 5; 0 when asked for and not given; None when not asked for."""
    talk_ms: int | None
    waited_ms: int | None
    """From ring to the human, or to the end when none came."""
    end_cause: str
    ended_by: str
    transfers: tuple[TransferRecord, ...]
    source: str
    """engine, cel, or mixed: who told us."""
    wrap_up_code: str = ""
    """处理结果, the last that was said; empty when nobody has."""

    @property
    def wrap_up_missing(self) -> bool:
        """未填: over, an agent of ours had it, and nobody said what it came to."""
        return self.answered_by == "agent" and self.ended_at is not None and not self.wrap_up_code


def ordered(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once, in the order of the call."""
    return sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: (fact.at, fact.id))


def fold(facts: Iterable[Fact]) -> CallRecord | None:
    """The outline of the one call that these facts are about; None without facts of a call."""
    of_calls = [fact for fact in ordered(facts) if fact.call != NO_CALL and fact.kind not in OF_NO_CALL]
    line = without_ours(of_calls)
    if not line:
        return None
    entered = _first(line, Kind.ENTERED)
    answered = _first(line, Kind.ANSWERED)
    ended = _first(line, Kind.ENDED)
    told = entered.data if entered else {}
    answer = answered.data if answered else {}
    end = ended.data if ended else {}
    entered_at = entered.at if entered else line[0].at
    sources = {fact.source for fact in line}
    return CallRecord(
        call=line[0].call,
        number=word(told, "number"),
        caller=word(told, "caller"),
        entered_at=entered_at,
        answered_at=answered.at if answered else None,
        ended_at=ended.at if ended else None,
        group=word(answer, "group") or _last_word(line, "group"),
        agent=word(answer, "agent"),
        seat=word(answer, "seat"),
        answered_by=(word(answer, "by") or "agent") if answered else "",
        mode=word(told, "mode"),
        rule=word(told, "rule"),
        version=whole(told, "version"),
        rating_level=_rating(line),
        talk_ms=_talk_ms(line, answered, ended),
        waited_ms=_waited_ms(entered_at, answered, ended),
        end_cause=word(end, "cause"),
        ended_by=word(end, "by"),
        transfers=_transfers(line),
        source=sources.pop() if len(sources) == 1 else MIXED,
        wrap_up_code=next((word(f.data, "code") for f in reversed(line) if f.kind is Kind.WRAP_UP), ""),
    )


def without_ours(line: list[Fact]) -> list[Fact]:
    """Without what was filled in of a channel that we called ourselves as if a citizen had called on it."""
    if line and (made_by_us(line[0].call) or any(fact.kind is Kind.OURS for fact in line)):
        return [fact for fact in line if fact.source != CEL and fact.kind is not Kind.OURS]
    return line


def word(data: Mapping[str, Any], key: str) -> str:
    """A short text of a fact's data; empty when it is not there."""
    value = data.get(key)
    return "" if value is None or isinstance(value, dict | list) else str(value)[:MAX_WORD]


def whole(data: Mapping[str, Any], key: str) -> int | None:
    """A whole number of a fact's data, from 0 up; None when it is not there or is none."""
    value = data.get(key)
    try:
        number = int(value) if isinstance(value, int | float | str) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= MAX_WHOLE else None


def _first(line: list[Fact], kind: Kind) -> Fact | None:
    """The first of its kind; what the engine saw itself goes before what was filled in."""
    of_kind = [fact for fact in line if fact.kind is kind]
    return min(of_kind, key=lambda fact: fact.source != ENGINE, default=None)


def _last_word(line: list[Fact], key: str) -> str:
    return next((found for fact in reversed(line) if (found := word(fact.data, key))), "")


def _rating(line: list[Fact]) -> int | None:
    level = next((whole(fact.data, "level") for fact in reversed(line) if fact.kind is Kind.RATED), None)
    if level is not None:
        return level if level <= 5 else 0
    return 0 if any(fact.kind in (Kind.RATED, Kind.RATING_ASKED) for fact in line) else None


def _talk_ms(line: list[Fact], answered: Fact | None, ended: Fact | None) -> int | None:
    if answered is None:
        return None
    parts = [whole(fact.data, "talk_ms") or 0 for fact in line if fact.kind is Kind.TALK_ENDED]
    told = whole(ended.data, "talk_ms") if ended else None
    if told is not None and told >= sum(parts):
        return told
    if parts:
        return sum(parts)
    return _milliseconds(answered.at, ended.at) if ended else None


def _waited_ms(entered_at: datetime, answered: Fact | None, ended: Fact | None) -> int | None:
    told = whole(answered.data, "waited_ms") if answered else None
    if told is not None:
        return told
    last = answered or ended
    return _milliseconds(entered_at, last.at) if last else None


def _milliseconds(start: datetime, end: datetime) -> int:
    return max(0, round((end - start).total_seconds() * 1000))


def _transfers(line: list[Fact]) -> tuple[TransferRecord, ...]:
    """Each transfer once, with the last state it reached, in the order they began."""
    states: dict[str, TransferRecord] = {}
    for fact in line:
        if fact.kind is Kind.TRANSFER:
            target = word(fact.data, "target")
            key = word(fact.data, "id") or target
            target = target or (states[key].target if key in states else "")
            states[key] = TransferRecord(target, word(fact.data, "state"))
    return tuple(states.values())
