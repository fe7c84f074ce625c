"""``hotline agents``: who is signed in, and signing in and out, on a running engine."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from engine.remote import ask
from queues.words import STATE

app = typer.Typer(help="座席：查看状态、签入、签出、示闲、示忙。", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(help="工号，例如 1001")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("list")
def list_agents(as_data: AsData = False) -> None:
    """全部座席和他们的状态。"""
    rows = ask("/api/agents")["agents"]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        where = f"话机 {row['seat']}" if row["seat"] else ""
        reason = f"（{row['pause']}）" if row["pause"] else ""
        typer.echo(f"{row['agent']}  {row['name']}  {STATE[row['state']]}{reason}  {where}")


@app.command("sign-in")
def sign_in(
    agent: Agent, seat: Annotated[str, typer.Option("--seat", help="话机号，例如 8001")], as_data: AsData = False
) -> None:
    """在一部话机上签入。"""
    _tell(ask(f"/api/agents/{agent}/sign-in", {"seat": seat}), as_data)


@app.command("sign-out")
def sign_out(agent: Agent, as_data: AsData = False) -> None:
    """签出；通话中的在通话结束后生效。"""
    _tell(ask(f"/api/agents/{agent}/sign-out", {}), as_data)


@app.command("ready")
def ready(agent: Agent, as_data: AsData = False) -> None:
    """示闲。"""
    _tell(ask(f"/api/agents/{agent}/ready", {}), as_data)


@app.command("pause")
def pause(
    agent: Agent, reason: Annotated[str, typer.Option("--reason", help="原因")] = "小休", as_data: AsData = False
) -> None:
    """示忙；通话中的在通话结束后生效。"""
    _tell(ask(f"/api/agents/{agent}/pause", {"reason": reason}), as_data)


def _tell(row: dict[str, Any], as_data: bool) -> None:
    if as_data:
        typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        where = f"，话机 {row['seat']}" if row["seat"] else ""
        typer.echo(f"工号 {row['agent']}：{STATE[row['state']]}{where}")
