"""``hotline callbacks``: who was promised a call back (回拨), and what became of it; on a running engine."""

from __future__ import annotations

import getpass
import json
from datetime import datetime
from typing import Annotated

import typer

from cli.engine_client import ask, names
from config.settings import load_settings
from ledger.labels_zh import CALLBACK_STATES, CALLBACK_WHY

app = typer.Typer(help="回拨：列出、转派、取消。", no_args_is_help=True)

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("list")
def list_command(as_data: AsData = False) -> None:
    """未完成的和最近一天的回拨，最早的在前。"""
    told = ask("/api/callbacks")
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    zone = load_settings().zone
    for row in told["callbacks"]:
        when = datetime.fromisoformat(row["promised_at"]).astimezone(zone)
        why = f"（{CALLBACK_WHY.get(row['why'], row['why'])}）" if row["why"] else ""
        state = CALLBACK_STATES[row["state"]]
        typer.echo(
            f"{row['id']}  {when:%m-%d %H:%M}  {row['number']}  {row['line']}  已拨 {row['attempts']} 次  {state}{why}"
        )
    if not told["callbacks"]:
        typer.echo("没有回拨")
    if not told["loaded"]:
        typer.echo("数据库还没有读到，之前约定的回拨暂不拨打；请运行 ./hotline status 查看")


@app.command("hand")
def hand_command(
    call: Annotated[str, typer.Argument(help="回拨编号，见 hotline callbacks list")],
    group: Annotated[str, typer.Option("--group", help="转给哪个技能组")],
    reason: Annotated[str, typer.Option("--reason", help="原因")],
    by: Annotated[str, typer.Option("--as", help="谁操作的，默认是系统用户名")] = "",
    as_data: AsData = False,
) -> None:
    """把一个还没有拨打的回拨转给别的技能组；排队时间保留。"""
    asked = {"group": group, "reason": reason, "by": by or getpass.getuser()}
    row = ask(f"/api/callbacks/{call}/hand", asked)
    typer.echo(
        json.dumps(row, ensure_ascii=False)
        if as_data
        else f"回拨 {row['id']} 已转给技能组 {names().of('groups', row['group'])}"
    )


@app.command("cancel")
def cancel_command(
    call: Annotated[str, typer.Argument(help="回拨编号，见 hotline callbacks list")],
    reason: Annotated[str, typer.Option("--reason", help="原因")],
    as_data: AsData = False,
) -> None:
    """取消一个还没有拨打的回拨。"""
    row = ask(f"/api/callbacks/{call}/cancel", {"reason": reason})
    typer.echo(json.dumps(row, ensure_ascii=False) if as_data else f"回拨 {row['id']} 已取消")
