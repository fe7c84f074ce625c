"""``hotline drill``: drills (演练) of 110, 119, 120 and 122, and what a month of them was worth."""

from __future__ import annotations

import asyncio
import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cli.engine_client import ask
from cli.exit_codes import end
from cli.forecasting.show import show, wrong
from config.settings import Settings, load_settings
from console.api.drills import MONTH, WRONG_MONTH
from database.connection import Database, open_database
from database.errors import DatabaseError
from engine.engine import journal_folder
from ledger.drill_report import Drill, as_json, drills, month_of, report
from ledger.drill_workbook import HEADS, rows, workbook
from ledger.model import drill_line
from ledger.reader import facts_now
from routing.drill_trunks import trunks_of
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

app = typer.Typer(help="演练 110、119、120、122：开始一次、看月报。", no_args_is_help=True)


@app.command("start")
def start_command(
    target: Annotated[str, typer.Argument(help="110、119、120 或 122")],
    seat: Annotated[str, typer.Option("--seat", help="哪一部话机，例如 8001")] = "",
    agent: Annotated[str, typer.Option("--agent", help="或者哪一位座席的工号")] = "",
    by: Annotated[str, typer.Option("--as", help="谁操作的，默认是系统用户名")] = "",
) -> None:
    """让一部话机振铃，接听即开始演练；只打演练线路，绝不打真实的中心。座席通话中会拒绝，退出码为 1。"""
    if bool(seat) == bool(agent):
        raise wrong("--seat 与 --agent 写一个；例如 hotline drill start 110 --seat 8001")
    if agent:
        found = (row["seat"] for row in ask("/api/agents")["agents"] if row["agent"] == agent)
        seat = next(found, None) or ""
        if not seat:
            raise wrong(f"工号 {agent} 没有签入；请签入后再试，或用 --seat 写话机号")
    ask("/api/drills", {"target": target, "seat": seat, "by": by or getpass.getuser()})
    typer.echo(f"话机 {seat} 正在振铃；接听即开始演练 {target}，挂机即结束")


@app.command("report")
def report_command(
    month: Annotated[str, typer.Option("--month", help="哪个月，例如 2026-11；不写则为本月")] = "",
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="写成表格文件，可打印")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """演练月报：每个中心、每条演练线路演练了几次，用时多少，哪些还没有演练。引擎不运行也能看。"""
    settings = load_settings()
    month = month or month_of(datetime.now(UTC), settings.zone)
    if not MONTH.fullmatch(month):
        raise wrong(f"--{WRONG_MONTH}")
    try:
        table = load_snapshot(settings.snapshot_file)
    except (SnapshotMissing, SnapshotCorrupt) as error:
        raise wrong(str(error)) from None
    held, whole = asyncio.run(_held(settings))
    told = report(month, held, trunks_of(table), settings.zone)
    if as_data:
        typer.echo(json.dumps(as_json(told), ensure_ascii=False, indent=2))
    else:
        page = Table(title=f"{month} 应急演练月报")
        for head in HEADS:
            page.add_column(head)
        for row in rows(told, settings.zone):
            page.add_row(*row)
        show(page)
        missing = "、".join(told.missing)
        typer.echo(f"本月还没有成功演练：{missing}" if missing else "四个应急中心本月都已成功演练")
    if xlsx is not None:
        try:
            xlsx.write_bytes(workbook(told, settings.zone))
        except OSError as error:
            raise wrong(f"--xlsx {xlsx}：写不进去（{error.strerror}）；请换一个位置") from None
        typer.echo(f"月报已写入 {xlsx}", err=as_data)
    end(complete=whole)


async def _held(settings: Settings) -> tuple[list[Drill], bool]:
    """Every drill of this node, and whether that is all; without its database what the journal still has."""
    database = open_database(settings.database_url)
    try:
        return await _read(settings, database), True
    except (DatabaseError, SQLAlchemyError):
        typer.echo("数据库读不到，以下只含本机日志中尚未入库的演练", err=True)
        return await _read(settings, None), False
    finally:
        await database.close()


async def _read(settings: Settings, database: Database | None) -> list[Drill]:
    folder, node = journal_folder(settings.data_dir), settings.node
    return drills(await facts_now(database, folder, node, drill_line(node)))
