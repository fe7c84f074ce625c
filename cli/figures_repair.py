"""Past figures set right: calls that we made and the ledger took for citizens' lost calls.

One job: find them, say what each day's figures were and will be, and take them out of the count, in one transaction
with the audit's entry. No fact is changed: one is added that says what the channel was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from audit.model import Act, Actor
from audit.store import append
from database.connection import Database
from ledger.model import TRIAL, Fact, Kind
from ledger.records import CallRecord
from ledger.store import CallFilter, add_facts, list_calls, taken_for_calls
from telephony.model import CallId

MOST_OF_A_DAY = 1_000_000


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the city's, before and after."""

    day: date
    calls: int
    calls_after: int
    answered: int
    answered_after: int

    def __str__(self) -> str:
        rates = (_rate(self.answered, self.calls), _rate(self.answered_after, self.calls_after))
        return f"{self.day}：来电 {self.calls} → {self.calls_after}，接通率 {rates[0]} → {rates[1]}"


@dataclass(frozen=True, slots=True)
class Repair:
    """What is wrong, or was."""

    calls: tuple[CallId, ...]
    days: tuple[Day, ...]


async def repair(database: Database, zone: tzinfo, actor: Actor | None, reason: str) -> Repair:
    """Take out what never was a call; without an ``actor`` only say what would be. Raises DatabaseError."""
    async with database.transaction() as session:
        wrong = await taken_for_calls(session)
        by_day: dict[date, list[CallRecord]] = defaultdict(list)
        for record in wrong:
            by_day[record.entered_at.astimezone(zone).date()].append(record)
        days = []
        for day, records in sorted(by_day.items()):
            start = datetime(day.year, day.month, day.day, tzinfo=zone)
            rows = await list_calls(session, CallFilter(start, start + timedelta(days=1), limit=MOST_OF_A_DAY))
            days.append(_day(day, rows, {record.call for record in records}))
        found = Repair(tuple(record.call for record in wrong), tuple(days))
        if actor is not None and wrong:
            now = datetime.now(UTC)
            told = {"by": actor.name, "reason": reason}
            await add_facts(session, [Fact(f"ours-{one.call}", Kind.OURS, one.call, now, told) for one in wrong])
            detail = {"calls": list(found.calls), "days": [str(day) for day in days]}
            act = Act("calls.repair", f"{len(wrong)} 通系统呼出不再计为来电", reason, detail)
            await append(session, actor, act, now)
    return found


def _day(day: date, rows: Iterable[CallRecord], wrong: set[CallId]) -> Day:
    counted = [
        row
        for row in rows
        if row.mode != TRIAL and row.answered_by != "emergency" and (row.answered_at or row.ended_at)
    ]
    right = [row for row in counted if row.call not in wrong]
    answered, after = (sum(1 for row in some if row.answered_at) for some in (counted, right))
    return Day(day, len(counted), len(right), answered, after)


def _rate(some: int, of: int) -> str:
    return f"{some / of:.1%}" if of else "无来电"
