"""The routing table as an Excel workbook, with drop-downs and a sheet of explanations.

One job: sheets of cells to .xlsx and back. A file from outside is bounded in every way before it is unpacked; a
formula, a link or a macro in it is text, and nothing in it is ever run.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from io import BytesIO
from typing import Any, Final
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from routing.columns import SHEET_HINTS, Column, Sheet, sheets
from routing.exchange.cells import NO, YES, Cell, plain
from routing.exchange.faults import FileInvalid, whole_file
from routing.exchange.grid import MOST_COLUMNS, MOST_LINES, SETTING, Grid, cells_of, letter_of
from routing.labels_zh import today
from routing.model import Table
from routing.table_rows import SETTINGS, Shape

GUIDE: Final = "说明"
MOST_BYTES: Final = 20_000_000
MOST_UNPACKED_BYTES: Final = 300_000_000
"""A workbook with 10,000 numbers has about 0.6 MB, unpacked 9 MB."""
MOST_PARTS: Final = 1_000

_ROOM: Final = 500
"""So many lines below the last one have drop-downs, too."""
_OLD_EXCEL: Final = bytes.fromhex("d0cf11e0")
_HEADING: Final = Font(bold=True)
_SHADE: Final = PatternFill("solid", fgColor="DDEBF7")
_LOOKS_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""A workbook writes characters that XML cannot hold as ``_x000A_``; such a text of ours must not be taken for one."""
_ESCAPED: Final = re.compile(r"_x005F_(?=x[0-9A-Fa-f]{4}_)")
_WIDE: Final = re.compile("[\u2e80-\uffff]")


def write_workbook(table: Table) -> bytes:
    """The table as the bytes of an .xlsx file."""
    book = Workbook()
    book.remove(book.active)
    _guide(book)
    sizes = {}
    for sheet in sheets().values():
        page = book.create_sheet(sheet.title)
        lines = list(cells_of(sheet, table))
        sizes[sheet.name] = len(lines)
        for number, cells in enumerate(lines, start=1):
            for index, cell in enumerate(cells, start=1):
                _write(page, number, index, cell)
        _dress(page, lines)
    for sheet in sheets().values():
        _drop_downs(book[sheet.title], sheet, sizes)
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def read_workbook(data: bytes) -> list[Grid]:
    """The sheets that are ours, as they stand there. Raises FileInvalid when the file as such cannot be used."""
    _bounded(data)
    with warnings.catch_warnings():
        # openpyxl tells what it will not keep of somebody's decorations; we keep none.
        warnings.simplefilter("ignore")
        try:
            book = load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
            try:
                return _grids(book)
            finally:
                book.close()
        except FileInvalid:
            raise
        except Exception as error:  # whatever openpyxl meets in a broken or hostile file
            raise whole_file(
                f"工作簿已损坏或含有不允许的内容（{type(error).__name__}）；请在 Excel 中另存为 .xlsx"
            ) from error


def _grids(book: Any) -> list[Grid]:
    by_title = {name: sheet for sheet in sheets().values() for name in (sheet.title, sheet.name)}
    grids = []
    strange = []
    for page in book.worksheets:
        sheet = by_title.get(today(page.title.strip()))
        if sheet is not None:
            grids.append(Grid(sheet, list(_lines(page))))
        elif page.title.strip() != GUIDE:
            strange.append(page.title)
    if strange:
        titles = "、".join(sheet.title for sheet in sheets().values())
        raise whole_file(f"不认识工作表“{'”“'.join(strange)}”；请删去或改名", titles)
    if not grids:
        raise whole_file("没有一张认识的工作表", "、".join(sheet.title for sheet in sheets().values()))
    return grids


def _lines(page: Any) -> Iterator[tuple[int, list[object]]]:
    page.reset_dimensions()  # what the file says of its own size need not be true
    kept = 0
    for number, row in enumerate(page.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
        cells = [_text(cell.value) for cell in row]
        if not any(cell is not None for cell in cells):
            continue
        kept += 1
        if kept > MOST_LINES:
            raise whole_file(f"“{page.title}”超过 {MOST_LINES} 行；请分批导入")
        if len(cells) > MOST_COLUMNS and cells[MOST_COLUMNS] is not None:
            raise whole_file(f"“{page.title}”第 {number} 行超过 {MOST_COLUMNS} 列；请删去多余的列")
        yield number, cells


def _text(value: object) -> object:
    """A cell's value; a formula is its text."""
    text = getattr(value, "text", None)  # array formulas
    if text is not None:
        return f"={str(text).removeprefix('=')}"
    return _ESCAPED.sub("_", value) if isinstance(value, str) else value


def _bounded(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise whole_file(f"文件有 {len(data) / 1e6:.0f} MB，最多 {MOST_BYTES / 1e6:.0f} MB；请删去图片和多余的行")
    if data.startswith(_OLD_EXCEL):
        raise whole_file("这是旧格式（.xls）或加了密码的工作簿；请在 Excel 中去掉密码，另存为 .xlsx")
    try:
        with ZipFile(BytesIO(data)) as parts:
            listed = parts.infolist()
    except (BadZipFile, ValueError, OSError):
        raise whole_file("不是 .xlsx 工作簿；请在 Excel 中另存为 .xlsx") from None
    unpacked = sum(part.file_size for part in listed)
    if len(listed) > MOST_PARTS or unpacked > MOST_UNPACKED_BYTES:
        raise whole_file(
            f"展开后有 {len(listed)} 个部分、{unpacked / 1e6:.0f} MB，不像路由表（最多 {MOST_PARTS} 个、"
            f"{MOST_UNPACKED_BYTES / 1e6:.0f} MB）；请只留路由表的工作表，另存为 .xlsx"
        )


def _write(page: Any, line: int, column: int, value: Cell) -> None:
    if value == "":
        return
    cell = page.cell(line, column)
    if isinstance(value, str):
        cell.value = _LOOKS_ESCAPED.sub("_x005F_", value)
        cell.data_type = "s"  # never a formula, whatever it begins with
        cell.number_format = "@"
        cell.quotePrefix = value.startswith(("=", "+", "-", "@"))
    else:
        cell.value = value
        cell.number_format = "General" if isinstance(value, int) else "yyyy-mm-dd"


def _dress(page: Any, lines: list[list[Cell]]) -> None:
    page.freeze_panes = "A2"
    for cell in page[1]:
        cell.font, cell.fill = _HEADING, _SHADE
    for index in range(len(lines[0])):
        longest = max((_width(line[index]) for line in lines[:200]), default=8)
        page.column_dimensions[letter_of(index)].width = min(60, max(8, longest) + 2)


def _width(cell: Cell) -> int:
    text = str(cell)
    return len(text) + len(_WIDE.findall(text))


def _drop_downs(page: Any, sheet: Sheet, sizes: Mapping[str, int]) -> None:
    for index, column in enumerate(sheet.columns):
        choices = _choices(sheet, column, sizes)
        if not choices:
            continue
        listed = DataValidation("list", formula1=choices, allow_blank=True, showErrorMessage=True)
        listed.errorTitle, listed.error = column.title, f"{column.advice.hint}；请从列表中选择"
        page.add_data_validation(listed)
        if sheet.kind.shape is Shape.VALUE:
            listed.add(f"B{index + 2}")
        else:
            letter = letter_of(index)
            listed.add(f"{letter}2:{letter}{sizes[sheet.name] + _ROOM}")


def _choices(sheet: Sheet, column: Column, sizes: Mapping[str, int]) -> str:
    kind = plain(column.declared)
    if column.words:
        return f'"{",".join(column.words.values())}"'
    if kind is bool:
        return f'"{YES},{NO}"'
    if column.refers in sheets() and kind is str:
        target = sheets()[column.refers]
        return f"'{target.title}'!$A$2:$A${sizes[target.name] + _ROOM}"
    return ""


def _guide(book: Any) -> None:
    page = book.create_sheet(GUIDE)
    lines: list[list[Cell]] = [["工作表", "列", "必填", "填什么", "例如", "可选"]]
    lines += _explained()
    for number, cells in enumerate(lines, start=1):
        for index, cell in enumerate(cells, start=1):
            _write(page, number, index, cell)
            page.cell(number, index).alignment = Alignment(wrap_text=True, vertical="top")
    _dress(page, lines)
    start = len(lines) + 2
    for offset, text in enumerate(_ADVICE):
        _write(page, start + offset, 1, text)


def _explained() -> Iterable[list[Cell]]:
    for sheet in sheets().values():
        yield [sheet.title, "", "", SHEET_HINTS.get(sheet.name, ""), "", ""]
        for column in sheet.columns:
            needed = column.empty is MISSING
            choices = "、".join(column.words.values()) or (
                sheets()[column.refers].title if column.refers in sheets() else ""
            )
            yield ["", column.title, YES if needed else "", column.advice.hint, column.advice.example, choices]


_ADVICE: Final = (
    "怎样用：改好后保存为 .xlsx，先运行 ./hotline routing import 文件 --check 检查，再去掉 --check 导入草稿。",
    "一个文件的错误会一次全部列出；只要有一处错误，什么也不会改动。",
    f"标题（第一行）和工作表名不要改；“{sheets()[SETTINGS].title}”的第一列（{SETTING}）也不要改。列的先后可以换。",
    "公式不会计算，会当作文字；请粘贴为数值。宏不会运行。",
)
