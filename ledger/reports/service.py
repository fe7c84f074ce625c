"""A report made: rows of before are measured first, then the database adds up.

One job: the order of the questions. What is still only in the journal is counted, not read: it is in the database
seconds later, or when that is back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import tzinfo
from pathlib import Path
from typing import Final

from database.connection import Database
from ledger.measures import Aims
from ledger.model import NO_CALL
from ledger.reader import undrained
from ledger.reports import store
from ledger.reports.model import By, Line, Period, Report, Tally, Work
from ledger.reports.periods import before, by_time, worst_day

Names = Callable[[By, str], str]
"""What people call the number, group or agent of this id; empty for one that nobody knows any more."""

WHOLE: Final = "合计"


class Reports:
    """Of one database."""

    def __init__(self, database: Database, journal: Path, node: str, aims: Aims, zone: tzinfo) -> None:
        self._database = database
        self._journal = journal
        self._node = node
        self.aims = aims
        self.zone = zone

    async def settle(self, period: Period, progress: Callable[[int], None] = lambda done: None) -> int:
        """Measure the calls of the period whose rows are older than reports; how many there were.

        ``progress`` hears how many are done after each step. Raises DatabaseError.
        """
        done = 0
        while True:
            async with self._database.reading() as session:  # nearly always there are none: keep nobody from writing
                if not await store.unmeasured(session, period):
                    return done
            async with self._database.transaction() as session:
                calls = await store.unmeasured(session, period)
                await store.measure(session, calls)
            done += len(calls)
            progress(done)

    async def report(self, period: Period, by: By, names: Names) -> Report:
        """The report of a period, and the figures of the period before. Raises DatabaseError."""
        earlier = before(period)
        for part in (period, earlier):
            await self.settle(part)
        pending = await undrained(self._database, self._journal, self._node)
        async with self._database.reading() as session:
            if by.is_time:
                slots = await store.slots(session, period, self.aims, self.zone)
                tallies = by_time(slots, by, period)
            else:
                slots = await store.answered_slots(session, period, self.zone)
                tallies = await store.tallies(session, period, by, self.aims)
            whole_before = await store.tally(session, earlier, self.aims)
            states = await store.agent_states(session, period)
            states_before = await store.agent_states(session, earlier)
            missed = await store.not_answered(session, period) if by is By.AGENT else {}
            transfers = await store.transfers(session, period)
            codes = await store.wrap_up_codes(session, period)
        return Report(
            period=period,
            before=earlier,
            by=by,
            lines=_lines(by, tallies, states, missed, names),
            whole=Line("", WHOLE, Tally.total(tallies.values()), Work.of(_all(states))),
            whole_before=Line("", WHOLE, whole_before, Work.of(_all(states_before))),
            worst_day=worst_day(slots, period),
            transfers=dict(transfers.most_common()),
            wrap_up_codes=dict(codes.most_common()),
            pending=len({fact.call for fact in pending} - {NO_CALL}),
        )


def _all(states: Mapping[str, Counter[str]]) -> Counter[str]:
    return sum(states.values(), Counter())


def _lines(
    by: By, tallies: Mapping[str, Tally], states: Mapping[str, Counter[str]], missed: Mapping[str, int], names: Names
) -> tuple[Line, ...]:
    """Times in their order, the rest by the number of calls; agents who only worked or missed offers are there, too."""
    work = states if by is By.AGENT else {}
    keys = [key for key in {**tallies, **dict.fromkeys(work), **dict.fromkeys(missed)} if key or by is not By.AGENT]
    lines = [
        Line(
            key,
            key if by.is_time else names(by, key) or key or "（无）",
            tallies.get(key, Tally()),
            Work.of(work[key]) if key in work else None,
            missed.get(key, 0) if by is By.AGENT else None,
        )
        for key in keys
    ]
    if by.is_time:
        return tuple(sorted(lines, key=lambda line: line.key))
    return tuple(sorted(lines, key=lambda line: (-line.tally.calls, line.key)))
