"""Which rows of a table are samples that nobody has touched, and what the table is without them.

One job: decide, pure. A row is a sample while it is word for word as it was shipped; whoever changed anything of it has
made it the city's own. What a remaining row still needs stays, and so does what nobody could do without: the lines to
the emergency centres and to the carrier, and agents and phones until the city has some of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from routing.drill_trunks import DRILL
from routing.labels_zh import row_words
from routing.lint import lint
from routing.model import Table
from routing.naming import PROMPTS, REFERS, names_of
from routing.table_rows import SETTINGS, VALUE, Key, Row, patched, rows_of
from telephony.model import OverflowTo

MARK: Final = "示例"
"""How the sample marks its rows, in a note or a name."""

KINDS: Final = (
    "numbers",
    "partners",
    "departments",
    "order_types",
    "wrap_up_codes",
    "announcements",
    "self_service",
    "callers",
    "never_called",
    "agents",
    "seats",
    "trunks",
    "groups",
    "schedules",
    "skills",
)
"""Kinds of rows that speak of a city. The others (keys, pauses, policies) are ways of working, good for any."""

LINES: Final = frozenset({"pstn", "emergency", "emergency-backup", DRILL})
"""Roles of trunks that stay: they are changed, never taken away."""

STAFF: Final = ("seats", "agents")

_LINE: Final = "来电和应急、演练线路不删；请改成真实的地址"
_STAFF: Final = {
    "seats": "还没有自己的话机，先留着，否则谁也不能签入",
    "agents": "还没有自己的座席人员，先留着，否则来电没有人接",
}

_NAMED: Final[Mapping[str, Mapping[str, str]]] = {
    kind: {
        field: other
        for (of, _, field), other in ((path.partition("."), other) for path, other in REFERS.items())
        if of == kind and other != PROMPTS and field != "key"
    }
    for kind in KINDS
}
"""Field of a kind -> the kind of row that it names."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """What taking the samples out comes to."""

    table: Table
    """Without them."""
    gone: tuple[Key, ...]
    kept: Mapping[Key, str]
    """Samples that stay, each with the reason, in Chinese."""


def samples(rows: Mapping[Key, Row], shipped: Sequence[Mapping[Key, Row]]) -> list[Key]:
    """The rows of the city's kinds that are still as they were shipped, in their order."""
    return [key for key, row in rows.items() if key[0] in KINDS and any(each.get(key) == row for each in shipped)]


def marked(rows: Mapping[Key, Row]) -> list[Key]:
    """The rows that say themselves that they are samples, changed or not."""
    return [key for key, row in rows.items() if any(MARK in str(row.get(name, "")) for name in ("note", "name"))]


def clear(table: Table, shipped: Sequence[Mapping[Key, Row]]) -> Clearing:
    """Take out every sample that can go. A table that was sound stays so."""
    rows = rows_of(table)
    found = samples(rows, shipped)
    kept = {key: _LINE for key in found if key[0] == "trunks" and rows[key]["role"] in LINES}
    had = {(fault.rule, fault.path) for fault in lint(table)}
    first = _without(table, rows, found, kept | _short_of(rows, found))
    if {(fault.rule, fault.path) for fault in lint(first.table)} <= had:
        return first
    return _without(table, rows, found, kept | {key: _STAFF[key[0]] for key in found if key[0] in STAFF})


def _short_of(rows: Mapping[Key, Row], found: Sequence[Key]) -> dict[Key, str]:
    """Agents and phones, when the city has none of its own."""
    return {key: _STAFF[key[0]] for key in found if key[0] in STAFF and not _own(key[0], rows, found)}


def _own(kind: str, rows: Mapping[Key, Row], found: Sequence[Key]) -> bool:
    mine = set(found)
    return any(key[0] == kind and key not in mine for key in rows)


def _without(table: Table, rows: Mapping[Key, Row], found: Sequence[Key], kept: Mapping[Key, str]) -> Clearing:
    stays, names = dict(kept), names_of(table)
    going = set(found) - stays.keys()
    asking = [key for key in rows if key not in going]
    while asking:
        asker = asking.pop()
        for needed in needs(asker, rows[asker]):
            if needed in going:
                going.remove(needed)
                stays[needed] = f"{row_words(asker, names)} 还在用它"
                asking.append(needed)
    gone = tuple(key for key in found if key in going)
    return Clearing(patched(table, dict.fromkeys(gone)), gone, {key: stays[key] for key in found if key in stays})


def needs(key: Key, row: Row) -> Iterator[Key]:
    """The rows that this one names."""
    kind, name = key
    for field, other in _NAMED.get(kind, {}).items():
        yield from ((other, one) for one in _names(row.get(field)))
    if kind == "groups":
        for way in row.get("overflow", ()):
            if way["to"] in (OverflowTo.GROUP, OverflowTo.SUBCENTRE):
                yield ("groups" if way["to"] == OverflowTo.GROUP else "trunks"), way["target"]
    elif kind == "auto_answer":
        yield "seats", name
    elif key == (SETTINGS, "default_group"):
        yield "groups", row[VALUE]
    elif key == (SETTINGS, "callback"):
        yield "trunks", row[VALUE]["trunk"]
        yield "schedules", row[VALUE]["schedule"]


def _names(value: Any) -> Iterable[str]:
    if not value:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
