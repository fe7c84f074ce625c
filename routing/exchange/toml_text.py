"""The routing table as TOML, to be reviewed, kept under version control, and read back exactly by routing/toml.py.

One job: rows to text. Every value is written, also those that a reader would take by default.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, time
from enum import StrEnum
from typing import Any, Final

import tomli_w

from routing.model import Table
from routing.table_rows import Kind, Shape, kinds, settings

LISTED: Final = frozenset({"holidays"})
"""Kinds whose rows are a list in TOML; the others are named by their key."""

NAMES: Final = {"known_years": "calendar_years"}
"""Keys in TOML that are not the field's name."""


def write_toml(table: Table) -> str:
    """The table as TOML text."""
    data: dict[str, Any] = {"holidays_complete": True}
    data |= {name: _plain(getattr(table, name)) for name in settings()}
    tables: dict[str, Any] = {}
    for kind in kinds().values():
        name = NAMES.get(kind.name, kind.name)
        if kind.shape is Shape.KEYS:
            data[name] = _plain(getattr(table, kind.name))
        elif kind.shape is not Shape.VALUE:
            tables[name] = _rows(kind, table)
    return tomli_w.dumps(data | tables)


def _rows(kind: Kind, table: Table) -> Any:
    rows = getattr(table, kind.name)
    if kind.shape is Shape.PAIRS:
        return _plain(dict(rows))
    if kind.name in LISTED:
        return [_plain(row) for row in rows]
    named = {}
    for row in rows:
        values = _plain(row)
        named[values.pop(kind.key)] = values
    return named


def _plain(value: Any) -> Any:
    """The value in TOML's own types; None is left out, as TOML has none."""
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        return {name: one for name, one in named.items() if one is not None}
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, time):
        return value.isoformat() if value.second or value.microsecond else f"{value:%H:%M}"
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    assert value is None or isinstance(value, str | int | float | bool | date), value
    return value
