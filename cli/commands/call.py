"""``hotline call``: an agent calls somebody (外呼); on a running engine."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from typing import Annotated

import typer

from cli.engine_client import ask
from config.settings import load_settings

app = typer.Typer(help="外呼：让一个座席呼叫一个号码，列出一天内的外呼。", no_args_is_help=True)

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("make")
def make_command(
    agent: Annotated[str, typer.Argument(help="工号，须已签入；他的话机先响，例如 1001")],
    number: Annotated[str, typer.Argument(help="要呼叫的号码，例如 13800138000；或一个来电的呼叫编号")],
    reason: Annotated[str, typer.Option("--reason", help="事由，会记入流水")] = "",
    about: Annotated[str, typer.Option("--about", help="关于哪个来电或工单，写编号")] = "",
    by: Annotated[str, typer.Option("--as", help="谁要求的，默认是系统用户名")] = "",
    as_data: AsData = False,
) -> None:
    """呼叫：座席话机先响，接起后呼叫对方；对方看到 12345。超出外呼等级、时间或次数的不呼叫。"""
    whom = "call" if "." in number else "number"
    told = {whom: number, "reason": reason, "about": about, "by": by or getpass.getuser()}
    row = ask(f"/api/agents/{agent}/calls", told)
    typer.echo(
        json.dumps(row, ensure_ascii=False) if as_data else f"工号 {agent} 的话机 {row['seat']} 正在振铃：{row['id']}"
    )


@app.command("list")
def list_command(as_data: AsData = False) -> None:
    """一天内的外呼，最近的在前；号码已遮盖。"""
    told = ask("/api/outbound-calls")
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    zone = load_settings().zone
    for row in told["calls"]:
        when = datetime.fromisoformat(row["asked_at"]).astimezone(zone)
        why = f"（{row['why_name']}）" if row["why"] else ""
        about = f"  {row['reason'] or row['about']}" if row["reason"] or row["about"] else ""
        who = f"工号 {row['agent'] or '—'}"
        typer.echo(f"{row['id']}  {when:%m-%d %H:%M}  {who}  {row['number']}  {row['state_name']}{why}{about}")
    if not told["calls"]:
        typer.echo("没有外呼")
