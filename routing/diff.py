"""What changed between two routing tables, in words that an admin reads before publishing.

One job: two tables in, changes out. Pure: the same two tables always give the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from routing.labels_zh import field_words, row_words, value_words
from routing.model import LegacyNumber, MergeMode, Table
from routing.naming import NO_NAMES, Names, names_of
from routing.table_rows import Key, Row, changed_rows, kinds

_NOT_ROUTING: Final = frozenset({"name", "note"})
"""Fields of a number that change no call."""

_TWO: Final = 2
"""Rules for 12345 itself and for a number that the table does not know."""


class Action(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field, before and after, as plain values."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One row that is not what it was."""

    key: Key
    action: Action
    fields: tuple[FieldChange, ...]
    rules: int
    """Routing rules that go through this row: a number has one for each phase of its transition and, with a schedule,
    for open and closed; a group, schedule or trunk has those of the numbers that name it."""
    names: Names = field(default=NO_NAMES, compare=False, repr=False)
    """What the rows of both tables are called."""

    def __str__(self) -> str:
        return sentence(self)


def diff(old: Table, new: Table) -> tuple[Change, ...]:
    """Every row that was added, removed or changed, in the table's order."""
    before, after = changed_rows(old, new)
    if not before and not after:
        return ()
    rules, names = _Rules(old, new), names_of(new).over(names_of(old))
    found = [
        Change(key, Action.CHANGED if key in before else Action.ADDED, fields, rules.through(key, fields), names)
        for key, row in after.items()
        if (was := before.get(key)) != row
        for fields in [tuple(_fields(key, was, row))]
    ]
    for key, row in before.items():
        if key not in after:
            fields = tuple(_fields(key, row, None))
            found.append(Change(key, Action.REMOVED, fields, rules.through(key, fields), names))
    order = {name: place for place, name in enumerate(kinds())}
    return tuple(sorted(found, key=lambda change: order[change.key[0]]))


def sentence(change: Change) -> str:
    """``12315：由整体并入改为双号并行，影响 3 条规则``."""
    touched = f"，影响 {change.rules} 条规则" if change.rules else ""
    match change.action:
        case Action.ADDED:
            return f"新增{_named(change)}{_contents(change, ((one.field, one.new) for one in change.fields))}{touched}"
        case Action.REMOVED:
            return f"删去{_named(change)}{_contents(change, ((one.field, one.old) for one in change.fields))}{touched}"
        case Action.CHANGED:
            row = row_words(change.key, change.names)
            return f"{row}：{'；'.join(_changed(change, one) for one in change.fields)}{touched}"


def as_json(change: Change) -> dict[str, Any]:
    """The change as plain data for ``json.dumps``; the keys are stable."""
    return {
        "kind": change.key[0],
        "key": change.key[1],
        "action": str(change.action),
        "name": row_words(change.key, change.names),
        "fields": [
            {"field": one.field, "name": field_words(change.key[0], one.field), "old": one.old, "new": one.new}
            for one in change.fields
        ],
        "rules": change.rules,
        "sentence": sentence(change),
    }


def rules_of(row: LegacyNumber) -> int:
    """How many rules decide about a number: each phase that its dates make possible, open and closed apart."""
    phases = 1 + (row.first_day is not None) + (row.last_day is not None)
    return phases * (2 if row.schedule and row.mode is not MergeMode.FULL else 1)


class _Rules:
    """Which rules go through which row, over both tables."""

    def __init__(self, old: Table, new: Table) -> None:
        numbers = {row.number: row for row in (*new.numbers, *old.numbers)}  # as it was, where it was
        self._all = sum(map(rules_of, numbers.values())) + _TWO
        self._of: dict[Key, int] = {}
        for row in numbers.values():
            count = rules_of(row)
            self._add(("numbers", row.number), count)
            for group in {row.group, row.overflow_group} - {None}:
                self._add(("groups", str(group)), count)
            if row.schedule:
                self._add(("schedules", row.schedule), count)
            if row.trunk:
                self._add(("trunks", row.trunk), count)
        self._scheduled = sum(rules_of(row) for row in numbers.values() if row.schedule)
        for table in (old, new):
            if ("groups", table.default_group) not in self._of:
                self._add(("groups", table.default_group), _TWO)

    def through(self, key: Key, fields: Iterable[FieldChange]) -> int:
        match key[0]:
            case "numbers" if not {one.field for one in fields} - _NOT_ROUTING:
                return 0
            case "settings":
                return _TWO if key[1] == "greeting" else self._all
            case "holidays" | "known_years":
                return self._scheduled
            case _:
                return self._of.get(key, 0)

    def _add(self, key: Key, count: int) -> None:
        self._of[key] = self._of.get(key, 0) + count


def _fields(key: Key, old: Row | None, new: Row | None) -> Iterator[FieldChange]:
    before, after = old or {}, new or {}
    for name in kinds()[key[0]].fields:
        if before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))


def _named(change: Change) -> str:
    return f" {change.key[1]}" if change.key[0] == "numbers" else row_words(change.key, change.names)


def _contents(change: Change, fields: Iterable[tuple[str, Any]]) -> str:
    kind = change.key[0]
    shown = [f"{field_words(kind, name)} {_words(change, name, value)}" for name, value in fields if _told(value)]
    return f"（{'，'.join(shown)}）" if shown else ""


def _words(change: Change, name: str, value: Any) -> str:
    kind, key = change.key
    return value_words(kind, name, value, change.names, key)


def _told(value: Any) -> bool:
    return value not in (None, "", [], {}, False)


def _changed(change: Change, one: FieldChange) -> str:
    kind, (old, new) = change.key[0], (_words(change, one.field, value) for value in (one.old, one.new))
    named = "" if (kind, one.field) == ("numbers", "mode") or kind == "settings" else field_words(kind, one.field)
    before = f" {old} " if old[:1].isascii() else old
    after = f" {new}" if new[:1].isascii() else new
    return f"{named}由{before}改为{after}"


def summary(changes: Mapping[Key, Any] | tuple[Change, ...]) -> str:
    """``共 3 处改动``."""
    return f"共 {len(changes)} 处改动" if changes else "没有改动"
