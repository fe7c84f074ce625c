"""The routing table as rows: what is edited, locked, compared and stored one by one.

One job: :class:`~routing.model.Table` to rows and back. It is driven by Table's own declaration: a sequence of
dataclasses is a kind of row whose first field is the key, a plain sequence or a mapping is one row for each item, and
everything else is a row of the kind ``settings``. A new field of the table, or of one of its rows, is declared in
routing/model.py and named in routing/labels_zh.py, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, Final, get_args, get_origin

from routing.codec import Misfit, build, field_types, is_text, plain
from routing.faults import Fault, TableInvalid
from routing.model import Table

SETTINGS: Final = "settings"
VALUE: Final = "value"

Row = Mapping[str, Any]
"""Field name to plain value (text, number, truth, None, lists and mappings of these)."""

Key = tuple[str, str]
"""Kind of row, and the row's own key: ``("numbers", "12315")``."""


class Shape(StrEnum):
    """How a kind's rows lie in the table."""

    VALUE = "value"
    """A setting."""
    RECORDS = "records"
    """A sequence of dataclasses; the first field is the key."""
    KEYS = "keys"
    """A sequence of plain values: the key is all there is."""
    PAIRS = "pairs"
    """A mapping from the key to a plain value."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row."""

    name: str
    shape: Shape
    declared: Any
    """Type of a row (records), of a key (keys) or of a value (settings, pairs)."""
    key: str = ""
    """Field that is the key (records)."""
    key_type: Any = str

    @property
    def fields(self) -> tuple[str, ...]:
        """What can be edited in such a row; a record's key is not among it."""
        if self.shape is Shape.RECORDS:
            return tuple(name for name in field_types(self.declared) if name != self.key)
        return () if self.shape is Shape.KEYS else (VALUE,)


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of row by its name, in the table's order; the kind ``settings`` stands for all settings."""
    found: dict[str, Kind] = {}
    for name, declared in field_types(Table).items():
        origin, arguments = get_origin(declared), get_args(declared)
        if origin is tuple and is_dataclass(arguments[0]):
            key = fields(arguments[0])[0].name
            found[name] = Kind(name, Shape.RECORDS, arguments[0], key, field_types(arguments[0])[key])
        elif origin is tuple:
            found[name] = Kind(name, Shape.KEYS, arguments[0], key_type=arguments[0])
        elif origin is not None and issubclass(origin, Mapping):
            found[name] = Kind(name, Shape.PAIRS, arguments[1], key_type=arguments[0])
        else:
            found.setdefault(SETTINGS, Kind(SETTINGS, Shape.VALUE, None))
    return found


@cache
def settings() -> Mapping[str, Any]:
    """Name to type of the table's single values."""
    return {name: declared for name, declared in field_types(Table).items() if name not in kinds()}


def rows_of(table: Table) -> dict[Key, Row]:
    """The table's rows in its order. Raises TableInvalid when a key is there twice."""
    rows: dict[Key, Row] = {}
    twice: list[Fault] = []
    for kind in kinds().values():
        for key, row in _rows(table, kind):
            if (kind.name, key) in rows:
                twice.append(Fault(f"{kind.name}.{key}", "", "出现了两次；请删去一个"))
            rows[kind.name, key] = row
    if twice:
        raise TableInvalid(twice)
    return rows


def changed_rows(old: Table, new: Table) -> tuple[dict[Key, Row], dict[Key, Row]]:
    """The rows that differ, as they were and as they are; one that is not there is missing in its half.

    Values are compared before anything is made plain: most rows of a large table are the same.
    """
    before: dict[Key, Row] = {}
    after: dict[Key, Row] = {}
    for kind in kinds().values():
        if kind.shape is not Shape.VALUE and getattr(old, kind.name) == getattr(new, kind.name):
            continue
        if kind.shape is Shape.RECORDS:
            was, now = ({getattr(row, kind.key): row for row in getattr(table, kind.name)} for table in (old, new))
            differing = {key for key in was.keys() | now.keys() if was.get(key) != now.get(key)}
            old_part, new_part = (
                _only(table, kind.name, tuple(row for key, row in rows.items() if key in differing))
                for table, rows in ((old, was), (new, now))
            )
        else:
            old_part, new_part = old, new
        was_rows, now_rows = (
            {(kind.name, key): row for key, row in _rows(part, kind)} for part in (old_part, new_part)
        )
        before |= {key: row for key, row in was_rows.items() if now_rows.get(key) != row}
        after |= {key: row for key, row in now_rows.items() if was_rows.get(key) != row}
    return before, after


def patched(table: Table, changes: Mapping[Key, Row | None]) -> Table:
    """The table with these rows put in, or taken out (None); new ones come last. Raises Misfit."""
    parts: dict[str, Any] = {}
    for kind in kinds().values():
        mine = {key: row for (name, key), row in changes.items() if name == kind.name}
        if not mine:
            continue
        values = {key: value_of(kind.name, key, row) for key, row in mine.items() if row is not None}
        if kind.shape is Shape.VALUE:
            parts |= values
            continue
        held = getattr(table, kind.name)
        match kind.shape:
            case Shape.RECORDS:
                former = {str(plain(getattr(row, kind.key), kind.key_type)): row for row in held}
            case Shape.KEYS:
                former = {str(plain(item, kind.declared)): item for item in held}
            case _:
                former = dict(held)
        merged = {key: value for key, value in {**former, **values}.items() if mine.get(key, values) is not None}
        parts[kind.name] = merged if kind.shape is Shape.PAIRS else tuple(merged.values())
    return replace(table, **parts)


def _only(table: Table, name: str, rows: tuple[Any, ...]) -> Table:
    parts: dict[str, Any] = {name: rows}
    return replace(table, **parts)


def table_of(rows: Mapping[Key, Row]) -> Table:
    """The table that the rows make up, in their order. Raises TableInvalid with every row that is none."""
    parts: dict[str, list[tuple[str, Any]]] = {name: [] for name in kinds()}
    faults: list[Fault] = []
    for (name, key), row in rows.items():
        try:
            parts[name].append((key, value_of(name, key, row)))
        except Misfit as misfit:
            faults.append(Fault(misfit.path, repr(misfit.value), f"应为{misfit.wanted}"))
    single = dict(parts.pop(SETTINGS))
    faults += [
        Fault(each.name, "", "缺少这一项")
        for each in fields(Table)
        if each.name in settings() and each.name not in single and not _has_default(each)
    ]
    if faults:
        raise TableInvalid(faults)
    made: dict[str, Any] = dict(single)
    for name, items in parts.items():
        made[name] = dict(items) if kinds()[name].shape is Shape.PAIRS else tuple(value for _, value in items)
    return Table(**made)


def value_of(name: str, key: str, row: Row) -> Any:
    """What the row stands for in the table. Raises Misfit, also for an unknown kind."""
    if name not in kinds():
        raise Misfit(name, key, f" {'、'.join(kinds())} 之一")
    kind, path = kinds()[name], f"{name}.{key}"
    match kind.shape:
        case Shape.VALUE:
            if key not in settings():
                raise Misfit(path, key, f" {'、'.join(settings())} 之一")
            return build(settings()[key], _value(row, path), path)
        case Shape.RECORDS:
            if kind.key in row and row[kind.key] != key:
                raise Misfit(f"{path}.{kind.key}", row[kind.key], f"这一行的键 {key}")
            return build(kind.declared, {kind.key: key, **row}, path)
        case Shape.KEYS:
            if row:
                raise Misfit(path, dict(row), "只有键的一行")
            return _key(kind, key, path)
        case Shape.PAIRS:
            _key(kind, key, path)
            return build(kind.declared, _value(row, path), path)


def plain_text(name: str, field: str, text: str) -> Any:
    """What somebody typed for a field, as its plain value. Raises ValueError in Chinese."""
    kind = kinds()[name]
    declared = field_types(kind.declared)[field] if kind.shape is Shape.RECORDS else kind.declared
    inner = [each for each in get_args(declared) if each is not type(None)]
    optional = type(None) in get_args(declared)
    if optional and not text:
        return None
    if kind.shape is Shape.VALUE or is_text(inner[0] if optional else declared):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError(f'{field}={text}：应为数字、true、false 或列表，例如 20、["general", "market"]') from None


def _rows(table: Table, kind: Kind) -> Iterable[tuple[str, Row]]:
    if kind.shape is Shape.VALUE:
        yield from ((name, {VALUE: plain(getattr(table, name), declared)}) for name, declared in settings().items())
        return
    held = getattr(table, kind.name)
    match kind.shape:
        case Shape.RECORDS:
            for record in held:
                row = plain(record, kind.declared)
                yield str(row.pop(kind.key)), row
        case Shape.KEYS:
            yield from ((str(plain(item, kind.declared)), {}) for item in held)
        case _:
            yield from (
                (str(plain(key, kind.key_type)), {VALUE: plain(value, kind.declared)}) for key, value in held.items()
            )


def _value(row: Row, path: str) -> Any:
    if set(row) != {VALUE}:
        raise Misfit(path, dict(row), f"只有 {VALUE} 的一行")
    return row[VALUE]


def _key(kind: Kind, key: str, path: str) -> Any:
    try:
        return build(kind.key_type, int(key) if kind.key_type is int else key, path)
    except ValueError:
        raise Misfit(path, key, "整数的键" if kind.key_type is int else "正确的键") from None


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING
