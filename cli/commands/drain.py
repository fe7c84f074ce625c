"""``hotline drain``: no more ordinary calls, before an upgrade; those that are here are served to their end."""

from __future__ import annotations

import json
import time
from typing import Annotated, Final

import typer

from cli.commands.agents import who
from cli.engine_client import ask

POLL_SECONDS: Final = 1.0
NOT_EMPTY: Final = 1


def command(
    undo: Annotated[bool, typer.Option("--undo", help="恢复接听")] = False,
    reason: Annotated[str, typer.Option("--reason", help="原因，会记入流水")] = "",
    wait: Annotated[
        int, typer.Option("--wait", min=0, max=86400, help="等到没有来电为止，最多等几秒；没等到退出码为 1")
    ] = 0,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """排空：新的普通来电以 503 拒接，应急来电照接，已打进来的服务到结束；--undo 恢复接听。"""
    if not undo and not reason.strip():
        raise typer.BadParameter("排空要写明原因，例如 --reason 升级", param_hint="--reason")
    answer = ask("/api/drain", {"on": not undo, "reason": reason, "by": who()})
    until = time.monotonic() + wait
    while not undo and answer["calls"] and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        answer["calls"] = ask("/api/status")["calls"]
    if as_data:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    elif undo:
        typer.echo("已恢复接听")
    else:
        typer.echo(f"正在排空：还有 {answer['calls']} 个来电。看进展：hotline status；恢复接听：hotline drain --undo")
    if wait and not undo and answer["calls"]:
        raise typer.Exit(NOT_EMPTY)
