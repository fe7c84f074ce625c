"""``hotline consult``: how a private consultation of a partner ends, on behalf of the agent."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from cli.engine_client import ask
from transfers.states import Settlement

_SAID: Final = {
    Settlement.JOIN: "市民已加入，三方通话",
    Settlement.BACK: "对方已退出，市民回到座席",
    Settlement.LEAVE: "座席已退出，市民与对方通话",
}


def command(
    call: Annotated[str, typer.Argument(help="呼叫编号，用 hotline queues list 查看")],
    then: Annotated[Settlement, typer.Argument(help="join 三方通话，back 市民回到座席，leave 座席退出")],
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """代座席结束咨询；没有在咨询时退出码为 1。"""
    told = ask(f"/api/calls/{call}/consultation", {"then": then})
    typer.echo(json.dumps(told, ensure_ascii=False) if as_data else _SAID[then])
