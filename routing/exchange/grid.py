"""A table as grids of cells, and grids of cells as a table, with every fault of all grids at once.

One job: rows and cells. Which file they stand in is the other modules' business; how one cell is written is
routing/exchange/cells.py's; what the rows mean to each other is the lint's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import date
from typing import Any, Final, get_origin

from routing.columns import FREE, Column, Sheet, place_of, place_words, sheets
from routing.exchange.cells import Cell, Unreadable, plain, read, shown, text_of
from routing.exchange.faults import CellFault, FileInvalid
from routing.faults import Fault
from routing.labels_zh import today
from routing.lint import lint
from routing.lint.announcements import ALONE as ANNOUNCEMENT_RULES
from routing.lint.callers import ALONE as CALLER_RULES
from routing.lint.form import RULES as FORM_RULES
from routing.model import Table
from routing.table_rows import Shape, settings

MOST_LINES: Final = 50_000
"""Lines of one sheet; the largest table that we plan for has 10,000."""
MOST_COLUMNS: Final = 64

SETTING, VALUE = "项目", "值"
"""Headings of the sheet of single values."""

_OF_ONE_CELL: Final = frozenset(rule.id for rule in (*FORM_RULES, *CALLER_RULES, *ANNOUNCEMENT_RULES)) | {
    "unknown-reference",
    "duplicate",
    "shadowed",
    "emergency-touched",
}
"""Rules that can be trusted about a row of which another cell could not be read."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet of a file as it was read: the first line names the columns."""

    sheet: Sheet
    lines: Sequence[tuple[int, Sequence[object]]]
    """Line number from 1, and its cells; None or an empty text is an empty cell."""


def cells_of(sheet: Sheet, table: Table) -> Iterator[list[Cell]]:
    """The sheet's lines for this table, headings first."""
    if sheet.kind.shape is Shape.VALUE:
        yield [SETTING, VALUE]
        for column in sheet.columns:
            yield [column.title, shown(getattr(table, column.name), column)]
        return
    yield [column.title for column in sheet.columns]
    for values in _values(sheet, table):
        yield [shown(value, column) for value, column in zip(values, sheet.columns, strict=True)]


def table_of(grids: Iterable[Grid], base: Table | None, *, merge: bool = False) -> Table:
    """The table that the grids describe. Raises FileInvalid with every fault found.

    Sheets that are not there are those of ``base``. With ``merge`` a sheet's rows are put over those of ``base`` by
    their key and new ones added at the end; without, the sheet's rows are all there are.
    """
    reading = _Reading(base, merge)
    for grid in grids:
        reading.take(grid)
    return reading.table()


def letter_of(index: int) -> str:
    """The spreadsheet's name of the column at this place, from 0: A, B, … Z, AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _values(sheet: Sheet, table: Table) -> Iterator[Sequence[Any]]:
    rows = getattr(table, sheet.name)
    match sheet.kind.shape:
        case Shape.RECORDS:
            names = [column.name for column in sheet.columns]
            for row in rows:
                yield [getattr(row, name) for name in names]
        case Shape.KEYS:
            for key in rows:
                yield [key]
        case _:
            yield from rows.items()


@dataclass(frozen=True, slots=True)
class _Where:
    """The cell that a fault's path leads to."""

    sheet: Sheet
    line: int
    column: Column | None
    letter: str
    text: str

    def fault(self, reason: str, fix: str = "", rule: str = "") -> CellFault:
        title = self.column.title if self.column else ""
        return CellFault(self.sheet.title, self.line, title, self.letter, self.text, reason, fix, rule)


@dataclass(slots=True)
class _Reading:
    base: Table | None
    merge: bool
    found: dict[str, Any] = field(default_factory=dict)
    """Fields of Table."""
    faults: list[CellFault] = field(default_factory=list)
    where: dict[str, _Where] = field(default_factory=dict)
    spoiled: set[str] = field(default_factory=set)
    """Paths of cells that could not be read, and of their rows."""
    seen: set[str] = field(default_factory=set)
    broken: bool = False
    """Whether a whole sheet could not be read: what the rows mean to each other cannot be judged then."""

    def take(self, grid: Grid) -> None:
        """Read one sheet."""
        sheet = grid.sheet
        if sheet.name in self.seen:
            self._sheet_fault(sheet, "同一张表出现了两次；请只留一张")
            return
        self.seen.add(sheet.name)
        lines = [(number, cells) for number, cells in grid.lines if any(not _empty(cell) for cell in cells)]
        if len(lines) > MOST_LINES:
            self._sheet_fault(sheet, f"超过 {MOST_LINES} 行；请分批导入")
        elif not lines:
            self._sheet_fault(sheet, "是空的；第一行应为标题", "、".join(column.title for column in sheet.columns))
        elif sheet.kind.shape is Shape.VALUE:
            self._settings(sheet, lines)
        else:
            self._rows(sheet, lines)

    def table(self) -> Table:
        """What was read, over the base. Raises FileInvalid."""
        for sheet in sheets().values():
            if self.base is None and sheet.name not in self.seen:
                self._sheet_fault(sheet, "缺少这张表；完整的文件可用 ./hotline routing export 得到")
        if self.broken:
            raise FileInvalid(self._in_order())
        base = {} if self.base is None else {one.name: getattr(self.base, one.name) for one in fields(Table)}
        table = Table(**base | self.found)
        self.faults += [fault for found in lint(table) if (fault := self._placed(found))]
        if self.faults:
            raise FileInvalid(self._in_order())
        return table

    def _in_order(self) -> list[CellFault]:
        order = {sheet.title: place for place, sheet in enumerate(sheets().values())}
        return sorted(self.faults, key=lambda fault: (order.get(fault.sheet, -1), fault.line))

    # one sheet

    def _settings(self, sheet: Sheet, lines: list[tuple[int, Sequence[object]]]) -> None:
        by_name = {name: column for column in sheet.columns for name in (column.title, column.name)}
        told: dict[str, int] = {}
        for number, cells in lines:
            name = text_of(cells[0]).strip()
            column = by_name.get(name)
            if name == SETTING:
                continue
            if column is None:
                choices = "、".join(one.title for one in sheet.columns)
                self.faults.append(_Where(sheet, number, None, "A", name).fault("没有这一项；请删去这一行", choices))
            elif column.name in told:
                reason = f"第 {told[column.name]} 行已经有这一项；请删去一行"
                self.faults.append(_Where(sheet, number, column, "A", name).fault(reason))
            else:
                told[column.name] = number
                self.found[column.name] = self._value(sheet, column, _cell(cells, 1), number, "B", column.name)
        for column in sheet.columns:
            if column.name in told:
                continue
            if self.base is not None:
                self.found[column.name] = getattr(self.base, column.name)
            elif column.empty is not MISSING:
                self.found[column.name] = column.empty
            else:
                self._sheet_fault(sheet, f"缺少“{column.title}”这一行", f"{column.title}，{column.advice.example}")

    def _rows(self, sheet: Sheet, lines: list[tuple[int, Sequence[object]]]) -> None:
        columns = self._headings(sheet, lines[0])
        if columns is None:
            self.broken = True
            return
        rows: dict[Any, Any] = self._rows_of_base(sheet) if self.merge else {}
        lines_of: dict[Any, int] = {}
        for number, cells in lines[1:]:
            self._row(sheet, columns, number, cells, rows, lines_of)
        self.found[sheet.name] = rows if sheet.kind.shape is Shape.PAIRS else tuple(rows.values())

    def _row(
        self,
        sheet: Sheet,
        columns: Mapping[str, int],
        number: int,
        cells: Sequence[object],
        rows: dict[Any, Any],
        lines_of: dict[Any, int],
    ) -> None:
        letter = letter_of(columns[sheet.first.name])
        key = self._value(sheet, sheet.first, _cell(cells, columns[sheet.first.name]), number, letter, "")
        if key is None:
            return
        if key in lines_of:
            at = _Where(sheet, number, sheet.first, letter, str(key))
            self.faults.append(at.fault(f"与第 {lines_of[key]} 行重复；请删去一行", rule="duplicate"))
            return
        lines_of[key] = number
        path = f"{sheet.name}.{key}"
        self.where[path] = _Where(sheet, number, sheet.first, letter, str(key))
        old = rows.get(key)
        values: dict[str, Any] = {}
        for column in sheet.columns[1:]:
            index = columns.get(column.name)
            if index is not None:
                place = f"{path}.{column.name}"
                values[column.name] = self._value(sheet, column, _cell(cells, index), number, letter_of(index), place)
            elif old is None and column.empty is MISSING:
                at = _Where(sheet, number, column, "", "")
                self.faults.append(at.fault("这是新的一行，粘贴时必须带上这一列", column.title))
                self.spoiled.add(path)
                values[column.name] = harmless(column)
            elif old is None:
                values[column.name] = column.empty
        match sheet.kind.shape:
            case Shape.RECORDS:
                rows[key] = replace(old, **values) if old else sheet.kind.declared(**{sheet.first.name: key, **values})
            case Shape.KEYS:
                rows[key] = key
            case _:
                rows[key] = values["value"]

    def _headings(self, sheet: Sheet, heading: tuple[int, Sequence[object]]) -> dict[str, int] | None:
        """Place of each column by its name; None when the sheet cannot be read without what is missing."""
        number, cells = heading
        by_name = {name: column for column in sheet.columns for name in (column.title, column.name)}
        columns: dict[str, int] = {}
        choices = "、".join(column.title for column in sheet.columns)
        for index, cell in enumerate(cells):
            name = today(text_of(cell).strip())
            column = by_name.get(name)
            if column is not None and column.name not in columns:
                columns[column.name] = index
            elif name:
                reason = "这一列出现了两次；请删去一列" if column else "没有这一列；请删去，或改成下面的标题之一"
                at = _Where(sheet, number, None, letter_of(index), name)
                self.faults.append(at.fault(reason, choices))
        missing = [
            column
            for column in sheet.columns
            if column.name not in columns and (column is sheet.first or (column.empty is MISSING and not self.merge))
        ]
        self.faults += [_Where(sheet, number, one, "", "").fault("缺少这一列", one.title) for one in missing]
        return None if missing else columns

    def _rows_of_base(self, sheet: Sheet) -> dict[Any, Any]:
        if self.base is None:
            return {}
        rows = getattr(self.base, sheet.name)
        if sheet.kind.shape is Shape.PAIRS:
            return dict(rows)
        return {getattr(row, sheet.first.name) if sheet.kind.shape is Shape.RECORDS else row: row for row in rows}

    def _sheet_fault(self, sheet: Sheet, reason: str, fix: str = "") -> None:
        self.faults.append(CellFault(sheet.title, 0, "", "", "", reason, fix))
        self.broken = True

    # one cell

    def _value(self, sheet: Sheet, column: Column, cell: object, number: int, letter: str, path: str) -> Any:
        """The cell's value, or a harmless one after a fault; of a key, which has no path, None then."""
        at = _Where(sheet, number, column, letter, text_of(cell))
        if path:
            self.where[path] = at
        try:
            return value_in(column, cell)
        except Unreadable as wrong:
            self.faults.append(at.fault(wrong.reason, wrong.example))
            if not path:
                return None
            self.spoiled.update((path, path.removesuffix(f".{column.name}")))
            return harmless(column)

    # what the lint found, at its cell

    def _placed(self, found: Fault) -> CellFault | None:
        """The lint's fault where it can be put right; None when the unreadable cell behind it has been told."""
        path = found.path
        while path not in self.where and "." in path:
            path = path.rpartition(".")[0]
        if found.path in self.spoiled or (_row_path(path) in self.spoiled and found.rule not in _OF_ONE_CELL):
            return None
        value, fix = found.value.strip("'\""), found.example.strip('"')
        where = self.where.get(path) or self.where.get(f"{found.path}.{value}")
        if where is None:
            return CellFault("", 0, "", "", value, f"{place_words(found.path)}：{found.reason}", fix, found.rule)
        return where.fault(found.reason, fix, found.rule)


def harmless(column: Column) -> Any:
    """Something of the column's type, in place of what could not be read."""
    kind = plain(column.declared)
    if column.empty is not MISSING:
        return column.empty
    if column.words:
        return kind(next(iter(column.words)))
    return date.min if kind is date else (get_origin(kind) or kind)()


def value_in(column: Column, cell: object) -> Any:
    """What stands in the column's cell; an empty one is what the column says that it is. Raises Unreadable."""
    if not _empty(cell):
        value = read(cell, column)
        return value.strip() if isinstance(value, str) and column.name not in FREE and not column.words else value
    if column.empty is MISSING:
        raise Unreadable("必须填写", column.advice.example or next(iter(column.words.values()), ""))
    return column.empty


def _row_path(path: str) -> str:
    place = place_of(path)
    return f"{place.table}.{place.row}" if place.row and path not in settings() else path


def _empty(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _cell(cells: Sequence[object], index: int) -> object:
    return cells[index] if index < len(cells) else None
