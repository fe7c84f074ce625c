"""``hotline lost-calls``: who called, reached nobody, and was not served since (漏接); on a running engine."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from cli.engine_client import ask
from config.settings import load_settings

app = typer.Typer(help="漏接：没有人接听、之后也没有接通过的市民。", no_args_is_help=True)

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("list")
def list_command(as_data: AsData = False) -> None:
    """还要回拨的在前，漏接最久的最先；之后是已经接通的。回拨用 hotline call make 工号 呼叫编号。"""
    answer = ask("/api/lost-calls")
    if as_data:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    zone = load_settings().zone
    for row in answer["lost_calls"]:
        when = datetime.fromisoformat(row["last_at"]).astimezone(zone)
        state = row["ended_name"] or ("已登记回拨" if row["promised"] else "待回拨")
        attempts = f"来电 {row['times']} 次，回拨 {row['tries']} 次"
        typer.echo(
            f"{row['call']}  {when:%m-%d %H:%M}  {row['number']}  {row['group']}  "
            f"{row['why_name']}  {attempts}  {state}"
        )
    if not answer["lost_calls"]:
        typer.echo("没有漏接")
    figures = answer["figures"]
    rate = "—" if figures["rate"] is None else f"{figures['rate']:.0%}"
    after = "—" if figures["seconds"] is None else f"{figures['seconds'] / 60:.0f} 分钟"
    typer.echo(
        f"一天内漏接 {figures['lost']} 人，自己再来电接通 {figures['redialled']} 人，"
        f"回拨接通 {figures['called_back']} 人（回拨率 {rate}，平均 {after}）"
    )
