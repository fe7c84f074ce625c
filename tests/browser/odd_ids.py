"""A table whose keys nobody would take for words: the sample with each key of a kind that has names made odd.

Where one of these stands on a page, in a story or in a command's answer, a name was forgotten.
"""

from __future__ import annotations

import re
from typing import Any, Final

from routing.model import Table
from routing.naming import OVERFLOW_REFERS, refers, setting_refers
from routing.new_keys import MADE
from routing.table_rows import SETTINGS, Key, Row, rows_of, table_of

ODD: Final = re.compile(r"zq\d{1,2}x-[a-z0-9-]+")
"""What an odd key looks like, wherever it stands."""

New = dict[Key, str]


def odd(table: Table) -> Table:
    """The same table under odd keys; numbers, 工号, phones and digits stay, for people use them themselves."""
    rows = rows_of(table)
    new = {
        key: f"zq{place}x-{key[1]}"[:32].rstrip("-")
        for place, kind in enumerate(sorted(MADE))
        for key in rows
        if key[0] == kind
    }
    return table_of({(key[0], new.get(key, key[1])): _row(key, row, new) for key, row in rows.items()})


def _row(key: Key, row: Row, new: New) -> Row:
    kind = key[0]
    return {
        field: _value(value, setting_refers(key[1]) if kind == SETTINGS else refers(kind, field), new, key[1])
        for field, value in row.items()
    }


def _value(value: Any, kind: str, new: New, setting: str) -> Any:
    if isinstance(value, str):
        return new.get((kind, value), value)
    if isinstance(value, list):
        return [_overflow(one, new) if isinstance(one, dict) else _value(one, kind, new, "") for one in value]
    if isinstance(value, dict) and kind:
        return {new.get((kind, name), name): one for name, one in value.items()}
    if isinstance(value, dict):
        return {name: new.get((setting_refers(setting, name), str(one)), one) for name, one in value.items()}
    return value


def _overflow(row: dict[str, Any], new: New) -> dict[str, Any]:
    if "target" not in row:
        return row
    return {**row, "target": new.get((OVERFLOW_REFERS.get(row["to"], ""), row["target"]), row["target"])}
