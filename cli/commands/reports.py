"""``hotline reports``: what a month, a week or a day came to, on the terminal and as a file that people sign."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cli.forecasting.show import percent, seconds, show, wrong
from config.settings import Settings, load_settings
from console.api.reports import namer, other_names
from database.connection import open_database
from database.errors import DatabaseError
from engine.engine import journal_folder
from ledger.measures import Aims
from ledger.reports.columns import KEYS, TITLES, Form, columns
from ledger.reports.errors import FontMissing
from ledger.reports.model import By, Line, Period, Report, as_json
from ledger.reports.periods import NoPeriod, days, month
from ledger.reports.service import Reports
from ledger.reports.workbook import period_name, workbook
from routing.model import Snapshot
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

ON_THE_TERMINAL: Final = (
    "calls", "answered", "connection_rate", "in_time_from_ring", "in_time_from_prompt", "speed_of_answer", "abandoned",
    "transferred", "talk_seconds", "rated", "satisfied", "occupancy", "not_answered",
)  # fmt: skip
"""The rest is in the file and in the JSON."""

NO_DATABASE: Final = "数据库读不出通话流水；请确认数据库在运行、已建表（./hotline db upgrade），再重试"


def command(
    wanted: Annotated[str, typer.Option("--month", help="哪个月，例如 2026-11；什么都不写则为上个月")] = "",
    since: Annotated[str, typer.Option("--since", help="或者从哪一天，例如 2026-11-01")] = "",
    until: Annotated[str, typer.Option("--until", help="到哪一天（含当天）")] = "",
    by: Annotated[By, typer.Option("--by", help="按号码、技能组、座席、半小时、日或月分列")] = By.NUMBER,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="写成表格文件，含与上期比较和指标口径")] = None,
    printed: Annotated[Path | None, typer.Option("--pdf", help="写成 PDF，可打印签字")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """话务报表：任意时间段，按号码（部门）、技能组、座席或时间分列，并与上期比较。引擎不运行也能看。"""
    settings = load_settings()
    try:
        period = _period(settings, wanted, since, until)
    except NoPeriod as no:
        raise wrong(str(no)) from None
    try:
        table = load_snapshot(settings.snapshot_file)
    except (SnapshotMissing, SnapshotCorrupt) as error:
        raise wrong(str(error)) from None
    try:
        report = asyncio.run(_made(settings, period, by, table))
    except (DatabaseError, SQLAlchemyError) as error:
        sentence = str(error) if isinstance(error, DatabaseError) else NO_DATABASE
        typer.echo(sentence, err=True)
        raise typer.Exit(1) from None
    if as_data:
        typer.echo(json.dumps(as_json(report), ensure_ascii=False, indent=2))
    else:
        _print(report, settings.aims)
    if printed is not None:
        try:
            from ledger.reports.pdf import pdf

            at = datetime.now(settings.zone)
            printed.write_bytes(pdf(report, settings.aims, other_names(table), at))
        except FontMissing as error:
            raise wrong(str(error)) from None
        except OSError as error:
            raise wrong(f"--pdf {printed}：写不进去（{error.strerror}）；请换一个位置，例如 /tmp/报表.pdf") from None
        typer.echo(f"报表已写入 {printed}", err=as_data)
    if xlsx is not None:
        try:
            xlsx.write_bytes(workbook(report, settings.aims, other_names(table)))
        except OSError as error:
            raise wrong(f"--xlsx {xlsx}：写不进去（{error.strerror}）；请换一个位置，例如 /tmp/报表.xlsx") from None
        typer.echo(f"报表已写入 {xlsx}", err=as_data)


def _period(settings: Settings, wanted: str, since: str, until: str) -> Period:
    """Raises NoPeriod."""
    if wanted and (since or until):
        raise NoPeriod("--month 与 --since、--until 只写一种")
    if bool(since) != bool(until):
        raise NoPeriod("--since 和 --until 要一起写；只看一天就写同一天")
    if since:
        return days(since, until, settings.zone)
    last = datetime.now(settings.zone).replace(day=1) - timedelta(days=1)
    return month(wanted or f"{last:%Y-%m}", settings.zone)


async def _made(settings: Settings, period: Period, by: By, table: Snapshot) -> Report:
    database = open_database(settings.database_url)
    try:
        reports = Reports(database, journal_folder(settings.data_dir), settings.node, settings.aims, settings.zone)
        await reports.settle(period, lambda done: typer.echo(f"  已整理 {done} 个较早的来电", err=True))
        return await reports.report(period, by, namer(table))
    finally:
        await database.close()


def _print(report: Report, aims: Aims) -> None:
    shown = [column for column in columns(report.by, aims) if column.id in ON_THE_TERMINAL]
    page = Table(title=f"{period_name(report.period)} 话务报表（{TITLES[report.by]}）")
    page.add_column(KEYS[report.by])
    if not report.by.is_time:
        page.add_column("名称")
    for column in shown:
        page.add_column(column.head, justify="right")
    before = Line("", f"上期（{period_name(report.before)}）", report.whole_before.tally, report.whole_before.work)
    for line in (*report.lines, report.whole, before):
        name = (line.key or line.name,) if report.by.is_time else (line.key, line.name)
        page.add_row(*name, *(_written(column.value(line), column.form) for column in shown))
    show(page)
    if (worst := report.worst_day) is not None:
        typer.echo(
            f"接通率最低的连续 24 小时：{worst.since:%m-%d %H:%M} 起，{percent(worst.rate)}（来电 {worst.calls}）"
        )
    if report.pending:
        typer.echo(f"另有 {report.pending} 个来电的流水还没有入库，可能未计入")


def _written(value: float | None, form: Form) -> str:
    if value is None:
        return "—"
    match form:
        case Form.SHARE:
            return percent(value)
        case Form.SECONDS:
            return seconds(value)
        case Form.HOURS:
            return f"{value:.2f} 小时"
        case Form.COUNT:
            return f"{value:,.0f}"
