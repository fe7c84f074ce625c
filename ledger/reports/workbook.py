"""A report as a workbook that people print and sign. One job: the look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from io import BytesIO
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from ledger.measures import Aims
from ledger.reports.columns import KEYS, TITLES, Column, Form, columns
from ledger.reports.model import Period, Report

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UNKNOWN: Final = "—"
FORMATS: Final = {Form.COUNT: "#,##0", Form.SHARE: "0.0%", Form.SECONDS: "0.0", Form.HOURS: "0.00"}
UNITS: Final = {Form.COUNT: "", Form.SHARE: "", Form.SECONDS: "（秒）", Form.HOURS: "（小时）"}

_HEAD: Final = PatternFill("solid", fgColor="E6EEF7")
_WIDTH, _WIDE = 14, 100


def workbook(report: Report, aims: Aims, names: Mapping[str, str]) -> bytes:
    """The report as the bytes of an .xlsx file: its rows, the whole beside the period before, transfers, wrap-up codes,
    and the definitions. ``names``: what targets of transfers and wrap-up codes are called."""
    shown = columns(report.by, aims)
    book = Workbook()
    book.remove(book.active)
    page = book.create_sheet(TITLES[report.by])
    _begin(
        page,
        f"{period_name(report.period)} 话务报表（{TITLES[report.by]}）",
        [KEYS[report.by], "名称", *map(_head, shown)],
    )
    for line in (*report.lines, report.whole):
        _append(page, [line.key, line.name, *((one.value(line), one.form) for one in shown)])
    page.freeze_panes = "C3"
    _compare(book.create_sheet("与上期比较"), report, aims)
    _count(
        book.create_sheet("转接去向"),
        "转接去向（一个来电转接多处的，每处各计一次）",
        ((names.get(key, key), count) for key, count in report.transfers.items()),
    )
    _count(
        book.create_sheet("处理结果"),
        "座席接听并已结束的来电",
        ((names.get(key, key) if key else "未填", count) for key, count in report.wrap_up_codes.items()),
    )
    page = book.create_sheet("口径")
    _begin(page, "各项指标怎样计算", ["指标", "口径"])
    for one in filter(lambda column: column.means, shown):
        _append(page, [one.head, one.means])
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 24, _WIDE
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def period_name(period: Period) -> str:
    """``2026年11月`` for a calendar month, else its first and last day."""
    since, last = period.since, period.until - timedelta(days=1)
    if since.day == 1 and period.until.day == 1 and (since.year, since.month) == (last.year, last.month):
        return f"{since.year}年{since.month}月"
    return f"{since:%Y-%m-%d}" if since.date() == last.date() else f"{since:%Y-%m-%d} 至 {last:%Y-%m-%d}"


def _compare(page: Worksheet, report: Report, aims: Aims) -> None:
    _begin(page, f"{period_name(report.period)} 与上期（{period_name(report.before)}）", ["指标", "本期", "上期"])
    for one in columns(report.by, aims):
        if one.id != "not_answered":
            _append(page, [_head(one), *((one.value(line), one.form) for line in (report.whole, report.whole_before))])
    page.column_dimensions["A"].width = 32
    if (worst := report.worst_day) is not None:
        until = worst.since + timedelta(days=1)
        page.append([])
        _append(page, ["接通率最低的连续 24 小时", (worst.rate, Form.SHARE)])
        _append(page, [f"{worst.since:%m-%d %H:%M} 至 {until:%m-%d %H:%M}", f"来电 {worst.calls}"])
    if report.pending:
        page.append([])
        _append(page, [f"另有 {report.pending} 个来电的流水还没有入库，可能未计入"])


def _count(page: Worksheet, title: str, rows: Iterable[tuple[str, int]]) -> None:
    _begin(page, title, ["名称", "来电"])
    for name, count in rows:
        _append(page, [name, (count, Form.COUNT)])
    page.column_dimensions["A"].width = 32


def _begin(page: Worksheet, title: str, heads: Sequence[str]) -> None:
    _append(page, [title])
    _append(page, heads)
    page["A1"].font = Font(bold=True, size=14)
    for cell in page[2]:
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        page.column_dimensions[cell.column_letter].width = _WIDTH
    page.freeze_panes = "A3"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:2"


def _append(page: Worksheet, values: Sequence[Any]) -> None:
    """One row of texts, and of values with their form."""
    written = [value[0] if isinstance(value, tuple) else value for value in values]
    page.append([UNKNOWN if value is None else value for value in written])
    for cell, value in zip(page[page.max_row], values, strict=False):
        if isinstance(value, tuple) and value[0] is not None:
            cell.number_format = FORMATS[value[1]]
        else:
            cell.data_type = "s"  # never a formula, whatever somebody is called


def _head(column: Column) -> str:
    return column.head + UNITS[column.form]
