"""Rows of the routing table as a form: every cell a text, in the same words and with the same help as in a workbook.

One job: the sheets described, and cells of text to a row's plain fields and back. A new field or kind of row is told to
every screen by its declaration alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, is_dataclass
from datetime import date, datetime
from typing import Any, Final, get_args, get_origin

from routing.codec import field_types, plain
from routing.columns import SHEET_HINTS, Column, Sheet, place_of, place_words, sheets
from routing.exchange.cells import NO, YES, Unreadable, shown, text_of
from routing.exchange.cells import plain as plain_type
from routing.exchange.grid import value_in
from routing.faults import Fault
from routing.labels_zh import NOTHING, PARTS, value_words
from routing.model import Overflow, Period
from routing.naming import REFERS, Names, setting_refers
from routing.new_keys import MADE
from routing.table_rows import VALUE, Key, Row, Shape, kinds, value_of

UNREADABLE: Final = "unreadable"
"""The rule that a cell breaks in which nothing stands that could be read."""


@dataclass(frozen=True, slots=True)
class Cells:
    """What somebody typed, as far as it could be read."""

    fields: Mapping[str, Any]
    faults: tuple[Fault, ...]


def described() -> list[dict[str, Any]]:
    """Every sheet with its columns, for a screen that knows none of them."""
    return [
        {
            "kind": sheet.name,
            "title": sheet.title,
            "hint": SHEET_HINTS.get(sheet.name, ""),
            "shape": str(sheet.kind.shape),
            "made": sheet.name in MADE,
            "columns": [_described(column) for column in sheet.columns],
        }
        for sheet in sheets().values()
    ]


def cells_of(key: Key, row: Row) -> dict[str, str]:
    """The row's fields as texts, by their names. Raises Misfit for a row that is none."""
    sheet, value = sheets()[key[0]], value_of(*key, row)
    match sheet.kind.shape:
        case Shape.KEYS:
            return {}
        case Shape.VALUE:
            return {VALUE: text_of(shown(value, _column(sheet, key[1])))}
        case Shape.PAIRS:
            return {VALUE: text_of(shown(value, _column(sheet, VALUE)))}
        case Shape.RECORDS:
            return {column.name: text_of(shown(getattr(value, column.name), column)) for column in sheet.columns[1:]}


def words_of(key: Key, row: Row, names: Names) -> dict[str, str]:
    """The row's fields as people read them, rows that it names by their names; for a table, not to be typed back."""
    return {name: _read(value_words(key[0], name, value, names, key[1])) for name, value in row.items()}


def _read(text: str) -> str:
    return "" if text == NOTHING else text


def fields_of(key: Key, cells: Mapping[str, str]) -> Cells:
    """Plain fields of what was typed; a cell that cannot be read is left out and told. Other columns are ignored."""
    sheet = sheets().get(key[0])
    if sheet is None:
        return Cells({}, (Fault(".".join(key), "", f"没有这一类；可用的有 {'、'.join(kinds())}", rule=UNREADABLE),))
    known = {column.name: column for column in sheet.columns}
    if sheet.kind.shape is Shape.VALUE:
        known = {VALUE: known[key[1]]} if key[1] in known else {}
    fields: dict[str, Any] = {}
    faults = []
    for name, text in cells.items():
        column = known.get(name)
        if column is None or (sheet.kind.shape is not Shape.VALUE and column is sheet.first):
            continue
        path = key[1] if sheet.kind.shape is Shape.VALUE else f"{key[0]}.{key[1]}.{name}"
        try:
            fields[name] = plain(value_in(column, text), column.declared)
        except Unreadable as wrong:
            faults.append(Fault(path, text, wrong.reason, wrong.example, UNREADABLE))
    return Cells(fields, tuple(faults))


def fault_as_json(fault: Fault, names: Names) -> dict[str, Any]:
    """A fault with the row and the field that it leads to; rows by their names."""
    place = place_of(fault.path)
    where = place_words(fault.path, names)
    kinds = (REFERS.get(f"{place.table}.{place.field}", place.table), place.table)
    value = f" = {fault.value}" if fault.value else ""
    example = f"；例如 {fault.example}" if fault.example else ""
    return {
        "severity": str(fault.severity),
        "rule": fault.rule,
        "path": fault.path,
        "sentence": str(fault),
        "kind": place.table,
        "row": place.row,
        "field": place.field,
        "told": where + names.in_words(f"{value}：{fault.reason}{example}", *kinds),
        "reason": names.in_words(f"{fault.reason}{example}", *kinds),
    }


def _column(sheet: Sheet, name: str) -> Column:
    return next(column for column in sheet.columns if column.name == name)


def _described(column: Column) -> dict[str, Any]:
    kind = plain_type(column.declared)
    return {
        "name": column.name,
        "title": column.title,
        "type": _type(column, kind),
        "hint": column.advice.hint,
        "example": column.advice.example,
        "refers": column.refers,
        "needed": column.empty is MISSING,
        "empty": "" if column.empty is MISSING else text_of(shown(column.empty, column)),
        "choices": list(column.words.values()) or ([YES, NO] if kind is bool else []),
        "parts": _parts(column, kind),
    }


def _parts(column: Column, kind: Any) -> list[dict[str, Any]]:
    """Of a setting with several parts: what each is called, and which rows it names."""
    if not is_dataclass(kind) or not isinstance(kind, type):
        return []
    return [
        {"title": PARTS.get(name, name), "refers": setting_refers(column.name, name), "number": declared is int}
        for name, declared in field_types(kind).items()
    ]


def _type(column: Column, kind: Any) -> str:
    """What a screen puts there, e.g. choice, reference, overflow: console/app/src/routing/Field.vue knows each."""
    several = get_origin(kind) in (tuple, frozenset)
    of = get_args(kind)[0] if several else None
    if column.words or kind is bool:
        return "choice"
    if of is Overflow:
        return "overflow"
    if of is date:
        return "days"
    if is_dataclass(kind):
        return "parts"
    if column.refers:
        return "levels" if get_origin(kind) is Mapping else "references" if several else "reference"
    if of is Period or (kind is str and column.name == "text"):
        return "long"
    return {int: "number", date: "day", datetime: "moment"}.get(kind, "text")
