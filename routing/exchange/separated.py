"""The routing table as CSV, one file per sheet, and what is pasted from a spreadsheet.

One job: lines of separated text to cells and back. Excel takes a cell that begins with = + - @ for a formula; such a
text gets an apostrophe in front when written and loses it when read, so nothing is run and nothing is lost.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import StringIO
from typing import Final

from routing.columns import Sheet
from routing.exchange.cells import Cell, text_of
from routing.exchange.faults import whole_file
from routing.exchange.grid import MOST_COLUMNS, MOST_LINES, Grid, cells_of
from routing.labels_zh import today
from routing.model import Table

MOST_BYTES: Final = 20_000_000
BOM: Final = b"\xef\xbb\xbf"
"""Without it Excel reads UTF-8 as the machine's own code page."""

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_NEUTRALISED: Final = re.compile(r"'+[=+\-@\t\r]")


def write_csv(sheet: Sheet, table: Table) -> bytes:
    """One sheet as the bytes of a CSV file that Excel opens as it is."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    for cells in cells_of(sheet, table):
        writer.writerow([_neutral(cell) for cell in cells])
    return BOM + text.getvalue().encode()


def read_csv(sheet: Sheet, data: bytes) -> Grid:
    """The sheet as it stands in the file, UTF-8 or what a Chinese Excel saves. Raises FileInvalid."""
    return Grid(sheet, _numbered(_rows(_decoded(data), ",")))


def read_pasted(sheet: Sheet, text: str) -> Grid:
    """What was copied from a spreadsheet: tabs between cells, with headings or in the sheet's own order of columns."""
    lines = _numbered(_rows(text.lstrip("\ufeff"), "\t"))
    if not lines:
        raise whole_file("没有粘贴任何内容；请在表格中选中几行，复制后粘贴，再按 Ctrl-D")
    titles = {name for column in sheet.columns for name in (column.title, column.name)}
    first = [text_of(cell).strip() for cell in lines[0][1]]
    if not titles & {today(name) for name in first if name}:
        widest = max(len(cells) for _, cells in lines)
        headings = [column.title for column in sheet.columns[:widest]]
        lines = [(0, headings), *lines]
    return Grid(sheet, lines)


def _neutral(cell: Cell) -> str:
    text = text_of(cell)
    return f"'{text}" if isinstance(cell, str) and _FORMULA.match(text) else text


def _decoded(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise whole_file(f"文件有 {len(data) / 1e6:.0f} MB，最多 {MOST_BYTES / 1e6:.0f} MB；请分批导入")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise whole_file("文字编码既不是 UTF-8 也不是 GB18030；请在 Excel 中另存为“CSV UTF-8”")


def _rows(text: str, separator: str) -> list[list[str]]:
    if "\0" in text:
        raise whole_file("不是文本文件；请在 Excel 中另存为“CSV UTF-8”")
    rows: list[list[str]] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True):
            if len(rows) > MOST_LINES or len(row) > MOST_COLUMNS:
                raise whole_file(f"超过 {MOST_LINES} 行或 {MOST_COLUMNS} 列；请分批导入")
            rows.append([cell[1:] if _NEUTRALISED.match(cell) else cell for cell in row])
    except csv.Error as error:
        raise whole_file(f"第 {len(rows) + 1} 行的引号或分隔不对（{error}）；请用 Excel 重新保存") from None
    return rows


def _numbered(rows: Sequence[Sequence[str]]) -> list[tuple[int, Sequence[object]]]:
    return list(enumerate(rows, start=1))
