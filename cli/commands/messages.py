"""``hotline messages``: what callers left to be dealt with (留言); on a running engine."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from typing import Annotated

import typer

from cli.engine_client import ask, names
from config.settings import load_settings

app = typer.Typer(help="留言：列出、在话机上收听、转派、办结。", no_args_is_help=True)

Call = Annotated[str, typer.Argument(help="留言编号，见 hotline messages list")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("list")
def list_command(
    every: Annotated[bool, typer.Option("--all", help="也列出最近一天办结的")] = False, as_data: AsData = False
) -> None:
    """待处理的留言，先到期的在前；超时的有标记。"""
    told = ask("/api/messages")["messages"]
    rows = [row for row in told if every or row["closed_at"] is None]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    zone = load_settings().zone
    for row in rows:
        due = datetime.fromisoformat(row["due_at"]).astimezone(zone)
        done = f"  已办结（{row['closed_by']}）：{row['note']}" if row["closed_at"] else ""
        late = "  【超时】" if row["overdue"] else ""
        who = row["caller"] or "号码未显示"
        head = f"{row['id']}  {who}  {row['line']}  {row['seconds']:.0f} 秒"
        typer.echo(f"{head}  {due:%m-%d %H:%M} 前处理{late}{done}")
    if not rows:
        typer.echo("没有留言")


@app.command("play")
def play_command(
    call: Call, seat: Annotated[str, typer.Option("--seat", help="在哪部话机上听，例如 8001")], as_data: AsData = False
) -> None:
    """让话机振铃，接听即播放。"""
    row = ask(f"/api/messages/{call}/play", {"seat": seat})
    typer.echo(json.dumps(row, ensure_ascii=False) if as_data else f"话机 {seat} 正在振铃，接听即播放")


@app.command("hand")
def hand_command(
    call: Call,
    reason: Annotated[str, typer.Option("--reason", help="原因")],
    group: Annotated[str, typer.Option("--group", help="转给哪个技能组")] = "",
    agent: Annotated[str, typer.Option("--agent", help="转给哪个工号；不写则由技能组里任何人处理")] = "",
    by: Annotated[str, typer.Option("--as", help="谁操作的，默认是系统用户名")] = "",
    as_data: AsData = False,
) -> None:
    """把一条留言转给别的技能组，或指定一位座席处理。"""
    asked = {"group": group, "agent": agent, "reason": reason, "by": by or getpass.getuser()}
    row = ask(f"/api/messages/{call}/hand", asked)
    whom = f"工号 {row['holder']}" if row["holder"] else f"技能组 {names().of('groups', row['group'])}"
    typer.echo(json.dumps(row, ensure_ascii=False) if as_data else f"留言 {row['id']} 由{whom}处理")


@app.command("close")
def close_command(
    call: Call,
    agent: Annotated[str, typer.Option("--agent", help="谁处理的，工号")],
    note: Annotated[str, typer.Option("--note", help="处理结果")],
    as_data: AsData = False,
) -> None:
    """办结一条留言。"""
    row = ask(f"/api/messages/{call}/close", {"agent": agent, "reason": note})
    typer.echo(json.dumps(row, ensure_ascii=False) if as_data else f"留言 {row['id']} 已办结")
