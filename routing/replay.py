"""Calls that really came in, asked again with another table: what would have gone elsewhere.

One job: the comparison. Where the calls come from is the caller's business; it knows no ledger and no database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.model import CallFacts, Snapshot
from routing.rules import decide
from routing.simulate import Outcome, outcome_of


@dataclass(frozen=True, slots=True)
class Past:
    """What routing knew of one call when it came in."""

    call: str
    number: str
    caller: str
    at: datetime
    version: int | None = None
    """Of the table that it was routed by; None when the engine never saw it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Calls to one number that would have gone from one place to another."""

    number: str
    before: Outcome
    after: Outcome
    calls: tuple[str, ...]
    """Their ids, oldest first."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A day asked again."""

    calls: int
    moved: tuple[Moved, ...]
    """Most calls first."""
    places: Mapping[tuple[str, str], int]
    """Calls by where they went and where they would go, kept and moved ones."""
    unknown_versions: int = 0
    """Calls whose own version could not be asked; the present one stood in for it."""

    @property
    def elsewhere(self) -> int:
        """Calls that would have met something else."""
        return sum(len(one.calls) for one in self.moved)


def replay(
    calls: Iterable[Past], then: Callable[[int | None], Snapshot | None], present: Snapshot, wanted: Snapshot
) -> Replay:
    """Ask each call again, by the table it was routed by and by the wanted one, at the moment it came in.

    ``then`` gives a version's table; for one that is not to be had, ``present`` stands in, and that is counted.
    """
    moved: dict[tuple[str, Outcome, Outcome], list[str]] = {}
    places: Counter[tuple[str, str]] = Counter()
    total = strange = 0
    for past in sorted(calls, key=lambda past: (past.at, past.call)):
        total += 1
        table = then(past.version)
        strange += table is None
        facts = CallFacts(past.number, past.caller)
        was = decide(facts, table or present, past.at)
        becomes = decide(facts, wanted, past.at)
        before, after = outcome_of(was), outcome_of(becomes)
        places[before.target.id, after.target.id] += 1
        if before != after:
            moved.setdefault((was.number or past.number, before, after), []).append(past.call)
    found = [Moved(number, before, after, tuple(ids)) for (number, before, after), ids in moved.items()]
    found.sort(key=lambda one: (-len(one.calls), one.number))
    return Replay(total, tuple(found), dict(places), strange)
