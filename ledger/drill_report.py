"""Drills (演练): each folded from its facts, a month's report, and who is overdue.

One job: read what the facts of kind ``drill`` say. Pure: no table, no clock. Times since the key are milliseconds,
as the switch itself measured them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from enum import StrEnum
from statistics import median
from typing import Any, Final

from ledger.model import Fact, Kind
from ledger.records import ordered, whole, word


class DrillState(StrEnum):
    """What a fact of a drill says."""

    ASKED = "asked"
    """The key was pressed."""
    DIALLING = "dialling"
    INVITED = "invited"
    """The INVITE leaves."""
    ANSWERED = "answered"
    MISSED = "missed"
    """This trunk did not answer, or dropped the call at once: the next one is dialled."""
    FAILED = "failed"
    """No trunk answered."""
    LEFT = "left"
    """The far end is gone; so many packets of sound came from it."""
    ENDED = "ended"
    """The agent has hung up."""


PUSHED: Final = frozenset({DrillState.ASKED, DrillState.ANSWERED, DrillState.FAILED, DrillState.ENDED})
"""What a centre's data interface is told of, when it takes part in drills."""


@dataclass(frozen=True, slots=True)
class DrillAttempt:
    """One trunk that was dialled."""

    trunk: str
    invited_ms: int | None = None
    """From the key to the INVITE; None when none left, because the trunk was known to be down."""
    answered_ms: int | None = None
    """From the key to the answer."""
    missed: str = ""
    """Asterisk's DIALSTATUS; empty for the trunk that was reached."""
    received: int | None = None
    """Packets of sound that came from there; None while not known."""

    @property
    def reached(self) -> bool:
        return self.answered_ms is not None and not self.missed

    @property
    def answer_ms(self) -> int | None:
        """From the INVITE to the answer."""
        if self.invited_ms is None or self.answered_ms is None:
            return None
        return self.answered_ms - self.invited_ms


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill."""

    id: str
    target: str
    at: datetime
    """When the key was pressed."""
    seat: str = ""
    agent: str = ""
    """Who was signed in there."""
    by: str = ""
    """Who asked for it, when it was not the key."""
    tries: tuple[DrillAttempt, ...] = ()
    ended: bool = False

    @property
    def reached(self) -> DrillAttempt | None:
        """The trunk that answered."""
        return next((one for one in self.tries if one.reached), None)

    @property
    def success(self) -> bool:
        return self.reached is not None

    @property
    def key_to_invite_ms(self) -> int | None:
        return next((one.invited_ms for one in self.tries if one.invited_ms is not None), None)

    @property
    def backup_used(self) -> bool:
        return self.reached is not None and self.tries[0] is not self.reached

    @property
    def heard(self) -> bool | None:
        """Whether any sound came from the far end; None when that is not known."""
        received = self.reached.received if self.reached is not None else None
        return None if received is None else received > 0


def drills(facts: Iterable[Fact]) -> list[Drill]:
    """Every drill of these facts, in the order in which they began."""
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in ordered(facts):
        if fact.kind is Kind.DRILL:
            found[word(fact.data, "drill")].append(fact)
    return sorted((_fold(drill, line) for drill, line in found.items()), key=lambda drill: (drill.at, drill.id))


def _fold(drill: str, line: Sequence[Fact]) -> Drill:
    one = Drill(drill, word(line[0].data, "target"), line[0].at)
    tries: dict[str, DrillAttempt] = {}
    for fact in line:
        data, state = fact.data, word(fact.data, "state")
        if state == DrillState.ASKED:
            one = replace(
                one, at=fact.at, seat=word(data, "seat"), agent=word(data, "agent"), by=word(data, "by")
            )  # fmt: skip
        elif state == DrillState.ENDED:
            one = replace(one, ended=True)
        elif trunk := word(data, "trunk"):
            tries[trunk] = _step(tries.get(trunk, DrillAttempt(trunk)), state, data)
    return replace(one, tries=tuple(tries.values()))


def _step(one: DrillAttempt, state: str, data: Mapping[str, Any]) -> DrillAttempt:
    match state:
        case DrillState.INVITED:
            return replace(one, invited_ms=whole(data, "ms"))
        case DrillState.ANSWERED:
            return replace(one, answered_ms=whole(data, "ms"))
        case DrillState.MISSED:
            return replace(one, missed=word(data, "status") or "CONGESTION")
        case DrillState.LEFT:
            return replace(one, received=whole(data, "received"))
        case _:
            return one


@dataclass(frozen=True, slots=True)
class TrunkFigures:
    """One drill trunk in one month."""

    target: str
    trunk: str
    tries: int = 0
    reached: int = 0
    last_at: datetime | None = None
    last_missed: str = ""
    """Why its last try failed; empty when it was reached."""
    key_to_invite_ms: int | None = None
    """Median; of first trunks only, for later ones it holds the wait for those before."""
    invite_to_answer_ms: int | None = None
    """Median."""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """A month of drills."""

    month: str
    """``2026-11``."""
    lines: tuple[TrunkFigures, ...]
    """Every drill trunk of the table, and those of the month's drills that are not in it any more."""
    drills: tuple[Drill, ...] = field(default=())
    missing: tuple[str, ...] = field(default=())
    """Centres that no drill of the month has reached."""


def month_of(moment: datetime, zone: tzinfo) -> str:
    """The month on the city's clock, ``2026-11``."""
    return f"{moment.astimezone(zone):%Y-%m}"


def month_before(month: str) -> str:
    """``2026-12`` for ``2027-01``."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year:04}-{number - 1:02}" if number > 1 else f"{year - 1:04}-12"


def report(month: str, held: Iterable[Drill], trunks: Mapping[str, Sequence[str]], zone: tzinfo) -> DrillReport:
    """What was drilled in a month. ``trunks``: each centre with its drill trunks, in their order."""
    mine = tuple(drill for drill in held if month_of(drill.at, zone) == month)
    pairs = [(target, trunk) for target, names in trunks.items() for trunk in names]
    pairs += sorted({(drill.target, one.trunk) for drill in mine for one in drill.tries} - set(pairs))
    lines = tuple(_line(target, trunk, mine) for target, trunk in pairs)
    good = {drill.target for drill in mine if drill.success}
    return DrillReport(month, lines, mine, tuple(target for target in trunks if target not in good))


def _line(target: str, trunk: str, mine: Iterable[Drill]) -> TrunkFigures:
    tried = [(drill, one) for drill in mine for one in drill.tries if (drill.target, one.trunk) == (target, trunk)]
    if not tried:
        return TrunkFigures(target, trunk)
    last, how = tried[-1]
    return TrunkFigures(
        target, trunk, len(tried), sum(one.reached for _, one in tried), last.at,
        "" if how.reached else how.missed or "CANCEL",
        _median(one.invited_ms for drill, one in tried if one is drill.tries[0]),
        _median(one.answer_ms for _, one in tried),
    )  # fmt: skip


def _median(values: Iterable[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(median(known)) if known else None


def overdue(
    held: Iterable[Drill], targets: Iterable[str], began: datetime | None, now: datetime, zone: tzinfo
) -> list[str]:
    """Centres that no drill has reached in the whole last month, nor yet in this one.

    ``began``: the ledger's first fact. A month that the hotline did not see from its first day is not asked about.
    """
    this = month_of(now, zone)
    last = month_before(this)
    if began is None or month_of(began, zone) >= last:
        return []
    good = {drill.target for drill in held if drill.success and month_of(drill.at, zone) in (last, this)}
    return [target for target in targets if target not in good]


def as_json(one: DrillReport) -> dict[str, Any]:
    """A report for programs. Times are ISO 8601; ms since the key."""
    return {
        "month": one.month,
        "missing": list(one.missing),
        "trunks": [
            {
                "target": line.target, "trunk": line.trunk, "tries": line.tries, "reached": line.reached,
                "failed": line.tries - line.reached, "last_at": line.last_at.isoformat() if line.last_at else None,
                "last_missed": line.last_missed, "key_to_invite_ms": line.key_to_invite_ms,
                "invite_to_answer_ms": line.invite_to_answer_ms,
            }
            for line in one.lines
        ],
        "drills": [told(drill) for drill in one.drills],
    }  # fmt: skip


def told(drill: Drill) -> dict[str, Any]:
    """One drill for programs."""
    reached = drill.reached
    return {
        "drill": drill.id, "target": drill.target, "at": drill.at.isoformat(), "seat": drill.seat,
        "agent": drill.agent, "by": drill.by, "success": drill.success, "ended": drill.ended,
        "trunk": reached.trunk if reached else "", "backup_used": drill.backup_used,
        "key_to_invite_ms": drill.key_to_invite_ms, "invite_to_answer_ms": reached.answer_ms if reached else None,
        "heard": drill.heard,
        "failures": [{"trunk": one.trunk, "why": one.missed} for one in drill.tries if one.missed],
    }  # fmt: skip
