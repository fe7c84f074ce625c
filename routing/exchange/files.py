"""Which kind of file it is: workbook, TOML, one CSV, or a folder of CSVs, by its name.

One job: a path to a table and back.
"""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Final

from routing.columns import Sheet, sheets
from routing.exchange.faults import FileInvalid, whole_file
from routing.exchange.grid import Grid, table_of
from routing.exchange.separated import read_csv, write_csv
from routing.exchange.toml_text import write_toml
from routing.exchange.workbook import MOST_BYTES, read_workbook, write_workbook
from routing.labels_zh import today
from routing.model import Table
from routing.toml import read_table

WORKBOOKS: Final = (".xlsx", ".xlsm")
"""What a .xlsm has more, its macros, is neither kept nor run."""


def read_file(path: Path, base: Table | None) -> Table:
    """The table that the file describes; what it does not hold is that of ``base``.

    Raises FileInvalid with every fault at its cell, TableInvalid for TOML, or OSError.
    """
    if path.is_dir():
        found = sorted(path.glob("*.csv"))
        if not found:
            raise whole_file(f"文件夹 {path.name} 里没有 .csv 文件；请核对文件夹，或先导出一份", "归并号码.csv")
        return table_of(map(_csv, found), base)
    if path.stat().st_size > MOST_BYTES:
        raise _too_big(path.stat().st_size)
    if path.suffix.lower() not in (".toml", ".csv", *WORKBOOKS):
        raise _strange(path)
    return read_data(path.name, path.read_bytes(), base)


def read_data(name: str, data: bytes, base: Table | None) -> Table:
    """The same of a file's name and contents. Raises FileInvalid or TableInvalid."""
    if len(data) > MOST_BYTES:
        raise _too_big(len(data))
    path = PurePath(name)
    suffix = path.suffix.lower()
    if suffix == ".toml":
        try:
            return read_table(data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            raise whole_file("TOML 文件应为 UTF-8 编码；请另存为 UTF-8") from None
    if suffix == ".csv":
        return table_of([read_csv(_sheet(path), data)], base)
    if suffix in WORKBOOKS:
        return table_of(read_workbook(data), base)
    raise _strange(path)


def write_file(table: Table, path: Path) -> list[Path]:
    """Write the table in the kind of file that the name asks for; tells what was written. Raises OSError."""
    suffix = path.suffix.lower()
    if suffix == ".toml":
        path.write_text(write_toml(table), encoding="utf-8")
        return [path]
    if suffix == ".xlsx":
        path.write_bytes(write_workbook(table))
        return [path]
    if suffix:
        raise whole_file(f"不能导出为 {path.suffix}；请用 .xlsx、.toml，或写一个文件夹名来放 CSV", "路由表.xlsx")
    path.mkdir(parents=True, exist_ok=True)
    written = [path / f"{sheet.title}.csv" for sheet in sheets().values()]
    for sheet, file in zip(sheets().values(), written, strict=True):
        file.write_bytes(write_csv(sheet, table))
    return written


def _csv(path: Path) -> Grid:
    return read_csv(_sheet(path), path.read_bytes())


def _sheet(path: PurePath) -> Sheet:
    for sheet in sheets().values():
        if today(path.stem) in (sheet.name, sheet.title):
            return sheet
    titles = "、".join(f"{sheet.title}.csv" for sheet in sheets().values())
    raise whole_file(f"看不出 {path.name} 是哪张表；请改名", titles)


def _too_big(size: int) -> FileInvalid:
    return whole_file(f"文件有 {size / 1e6:.0f} MB，最多 {MOST_BYTES / 1e6:.0f} MB；请分批导入")


def _strange(path: PurePath) -> FileInvalid:
    return whole_file(f"不认识 {path.suffix or '没有后缀'} 的文件；请用 .xlsx、.csv 或 .toml", "路由表.xlsx")
