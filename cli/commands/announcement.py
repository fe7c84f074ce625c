"""``hotline announcement``: raise a prepared announcement to all callers at once, stop it, see what stands."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from cli.commands.agents import who
from cli.engine_client import ask

app = typer.Typer(help="重大灾情提示：把备好的公告立即播给所有来电，或停播；都要写明原因。", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="公告编号，见 hotline announcement list")]
Reason = Annotated[str, typer.Option("--reason", help="原因，会记入流水")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("raise")
def start(name: Name, reason: Reason, as_data: AsData = False) -> None:
    """立即播：新来电在欢迎语后听到，正在等候的来电下一次间隙听到一次。"""
    answer = ask("/api/announcements/raise", {"announcement": name, "reason": reason, "by": who()})
    _tell(answer, f"公告 {name} 正在播给所有来电；停播：hotline announcement stop {name} --reason …", as_data)


@app.command("stop")
def stop(name: Name, reason: Reason, as_data: AsData = False) -> None:
    """停播。"""
    answer = ask("/api/announcements/stop", {"announcement": name, "reason": reason, "by": who()})
    _tell(answer, f"公告 {name} 已停播", as_data)


@app.command("list")
def listed(as_data: AsData = False) -> None:
    """备好的公告，哪些正在播给所有来电，谁因何播的。"""
    rows: list[dict[str, Any]] = ask("/api/announcements")["announcements"]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        raised = row["raised"]
        state = f"正在播（{raised['by']} {raised['at']}：{raised['reason']}）" if raised else "备用"
        lost = "" if row["in_table"] else "；已不在路由表中，不会播出"
        typer.echo(f"{row['id']}  {state}{lost}  {row['text']}")
    if not rows:
        typer.echo("没有公告；在路由表的公告中添加并发布")


def _tell(answer: dict[str, Any], sentence: str, as_data: bool) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False) if as_data else sentence)
