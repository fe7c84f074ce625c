"""A month's drills (演练) as rows and as a workbook that people print. One job: the look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from io import BytesIO
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from ledger.drill_report import DrillReport
from ledger.labels_zh import DIAL_STATUS

HEADS: Final = (
    "中心",
    "演练线路",
    "次数",
    "接通",
    "未接通",
    "最近一次",
    "最近结果",
    "按键到发出(毫秒)",
    "发出到接听(毫秒)",
)
EACH: Final = (
    "时间", "中心", "话机", "工号", "发起人", "结果", "接通线路", "用了备用", "按键到发出(毫秒)", "发出到接听(毫秒)",
    "听到对方声音", "未接通的线路",
)  # fmt: skip
NONE: Final = "—"
_YES: Final = {True: "是", False: "否", None: "不详"}
_WIDTH: Final = 18


def rows(told: DrillReport, zone: tzinfo) -> Iterator[tuple[str, ...]]:
    """One row for each drill trunk, and for each centre without one."""
    for line in told.lines:
        last = f"{line.last_at.astimezone(zone):%m-%d %H:%M}" if line.last_at else "本月没有"
        how = NONE if line.last_at is None else DIAL_STATUS.get(line.last_missed, line.last_missed) or "接通"
        counts = (str(line.tries), str(line.reached), str(line.tries - line.reached))
        yield (line.target, line.trunk, *counts, last, how, _ms(line.key_to_invite_ms), _ms(line.invite_to_answer_ms))
    known = {line.target for line in told.lines}
    for target in told.missing:
        if target not in known:
            yield (target, "没有演练线路", "0", "0", "0", "本月没有", NONE, NONE, NONE)


def each(told: DrillReport, zone: tzinfo) -> Iterator[tuple[str, ...]]:
    """One row for each drill."""
    for drill in told.drills:
        reached = drill.reached
        failed = "；".join(
            f"{one.trunk} {DIAL_STATUS.get(one.missed, one.missed)}" for one in drill.tries if one.missed
        )
        yield (
            f"{drill.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", drill.target, drill.seat, drill.agent, drill.by or "按键",
            "接通" if reached else "未接通", reached.trunk if reached else NONE, _YES[drill.backup_used],
            _ms(drill.key_to_invite_ms), _ms(reached.answer_ms if reached else None), _YES[drill.heard], failed,
        )  # fmt: skip


def workbook(told: DrillReport, zone: tzinfo) -> bytes:
    """The report as the bytes of an .xlsx file: the month, then each drill; wide pages, heads on every one."""
    book = Workbook()
    book.remove(book.active)
    month = book.create_sheet("演练月报")
    _fill(month, f"{told.month} 应急演练月报", HEADS, rows(told, zone))
    month.append([])
    month.append([f"本月还没有成功演练：{'、'.join(told.missing)}" if told.missing else "四个应急中心本月都已成功演练"])
    _fill(book.create_sheet("演练明细"), f"{told.month} 应急演练明细", EACH, each(told, zone))
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def _fill(page: Worksheet, title: str, heads: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> None:
    page.append([title])
    page.append(list(heads))
    for line in lines:
        page.append(list(line))
        for cell in page[page.max_row]:
            cell.data_type = "s"  # never a formula, whatever somebody is called
    for cell in (page["A1"], *page[2]):
        cell.font = Font(bold=True)
    for cell in page[2]:
        page.column_dimensions[cell.column_letter].width = _WIDTH
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:2"


def _ms(value: int | None) -> str:
    return NONE if value is None else str(value)
