"""``hotline transfer``: one key to a centre on behalf of an agent."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from cli.engine_client import ask

_SAID: Final = {
    "blind": "座席已空闲",
    "attended": "市民听音乐，座席先与对方商谈",
}


def command(
    call: Annotated[str, typer.Argument(help="呼叫编号，用 hotline queues list 查看")],
    target: Annotated[str, typer.Argument(help="110、119、120、122，或协作单位的编号、名称、按键")],
    three_party: Annotated[bool, typer.Option("--three-party", help="三方通话：问题尚不清楚，仍由 12345 负责")] = False,
    blind: Annotated[bool, typer.Option("--blind", help="直接转出：座席立即空闲；只用于协作单位")] = False,
    attended: Annotated[bool, typer.Option("--attended", help="先咨询：市民听音乐；只用于协作单位")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """代座席一键转接：把应急中心或协作单位接入正在进行的通话；不能转接时退出码为 1。"""
    forms = {"three-party": three_party, "blind": blind, "attended": attended}
    chosen = [form for form, wanted in forms.items() if wanted]
    if len(chosen) > 1:
        raise typer.BadParameter(
            "--three-party、--blind、--attended 只能选一个；例如 hotline transfer 呼叫编号 water --blind"
        )
    form = chosen[0] if chosen else "one-key"
    told = ask(f"/api/calls/{call}/transfer", {"target": target, "form": form})
    typer.echo(
        json.dumps(told, ensure_ascii=False)
        if as_data
        else f"正在接通 {target}，{_SAID.get(form, '市民与座席仍在通话')}"
    )
