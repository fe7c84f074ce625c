"""``hotline agents``: who is signed in, and signing in and out, on a running engine."""

from __future__ import annotations

import getpass
import json
from typing import Annotated, Any

import typer

from cli.engine_client import ask
from queues.labels_zh import STATE

app = typer.Typer(help="座席：查看状态、签入、签出、示闲、示忙、话后整理、设置密码。", no_args_is_help=True)

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
        notes = "".join(("  班长" if row["supervisor"] else "", "" if row["pin"] else "  未设密码"))
        typer.echo(f"{row['agent']}  {row['name']}  {STATE[row['state']]}{reason}  {where}{notes}")


@app.command("sign-in")
def sign_in(
    agent: Agent, seat: Annotated[str, typer.Option("--seat", help="话机号，例如 8001")], as_data: AsData = False
) -> None:
    """在一部话机上签入。"""
    _tell(ask(f"/api/agents/{agent}/sign-in", {"seat": seat, "by": who()}), as_data)


@app.command("sign-out")
def sign_out(agent: Agent, as_data: AsData = False) -> None:
    """签出；通话中的在通话结束后生效。"""
    _tell(ask(f"/api/agents/{agent}/sign-out", {"by": who()}), as_data)


@app.command("ready")
def ready(agent: Agent, as_data: AsData = False) -> None:
    """示闲。"""
    _tell(ask(f"/api/agents/{agent}/ready", {"by": who()}), as_data)


@app.command("pause")
def pause(
    agent: Agent,
    reason: Annotated[str, typer.Option("--reason", help="原因，例如 用餐")] = "小休",
    as_data: AsData = False,
) -> None:
    """示忙；通话中的在通话结束后生效。"""
    _tell(ask(f"/api/agents/{agent}/pause", {"reason": reason, "by": who()}), as_data)


@app.command("wrap-up")
def wrap_up(
    agent: Agent,
    extend: Annotated[int, typer.Option("--extend", help="延长几秒，例如 60", min=0)] = 0,
    end: Annotated[bool, typer.Option("--end", help="马上结束，恢复示闲")] = False,
    as_data: AsData = False,
) -> None:
    """延长或结束话后整理。"""
    if end == bool(extend):
        typer.echo("请写 --extend 秒数 或 --end 之一，例如 hotline agents wrap-up 1001 --extend 60", err=True)
        raise typer.Exit(2)
    asked: dict[str, Any] = {"end": True} if end else {"extend_seconds": extend}
    _tell(ask(f"/api/agents/{agent}/wrap-up", asked | {"by": who()}), as_data)


@app.command("pin")
def pin(
    agent: Agent,
    generate: Annotated[bool, typer.Option("--generate", help="由系统生成，只显示这一次")] = False,
    as_data: AsData = False,
) -> None:
    """设置话机签入密码；同时解除锁定。输入时不显示。"""
    from queues.pins.service import generated

    chosen = generated(agent) if generate else typer.prompt("新密码（4 到 8 位数字）", hide_input=True)
    if not generate and chosen != typer.prompt("再输入一次", hide_input=True):
        typer.echo("两次输入不一致，密码没有改变；请重新运行", err=True)
        raise typer.Exit(1)
    ask(f"/api/agents/{agent}/pin", {"pin": chosen, "by": who()})
    if as_data:
        typer.echo(json.dumps({"agent": agent} | ({"pin": chosen} if generate else {})))
    else:
        typer.echo(f"工号 {agent} 的密码{f'是 {chosen}，只显示这一次' if generate else '已设置'}")


@app.command("unlock")
def unlock(agent: Agent) -> None:
    """密码错误次数过多被锁定后，马上解除。"""
    ask(f"/api/agents/{agent}/unlock", {"by": who()})
    typer.echo(f"工号 {agent} 可以重新输入密码")


def who() -> str:
    """Who runs this command, for the record."""
    try:
        return f"命令行 {getpass.getuser()}"
    except (KeyError, OSError):
        return "命令行"


def _tell(row: dict[str, Any], as_data: bool) -> None:
    if as_data:
        typer.echo(json.dumps(row, ensure_ascii=False))
    else:
        where = f"，话机 {row['seat']}" if row["seat"] else ""
        typer.echo(f"工号 {row['agent']}：{STATE[row['state']]}{where}")
