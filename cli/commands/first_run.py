"""``hotline first-run``: what is still to do before citizens are let in, and the sample data taken out.

One job: the running instance's answers into sentences; the same that the console's set-up page shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from cli.routing_backend import PUBLISH_SECONDS, actor
from config.credentials import credentials
from config.settings import load_settings
from console.client import EngineUnreachable, Refused, call

app = typer.Typer(help="首次设置：还差什么；一步删除示例数据。", no_args_is_help=True)

SIGNS: Final[Mapping[str, str]] = {"done": "✓", "todo": "✗", "advice": "△"}
NOT_DONE: Final = 1

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.callback()
def _setup() -> None:
    """首次设置：还差什么；一步删除示例数据。"""


@app.command("status")
def status(as_data: AsData = False) -> None:
    """还差什么：逐项读取系统的实际情况，都做好了退出码为 0；本机和系统的情况请看 hotline doctor。"""
    told = _ask("/api/setup")
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for step in told["steps"]:
            typer.echo(f"{SIGNS[step['state']]} {step['title']}：{step['told']}")
            for line in step["details"]:
                typer.echo(f"    {line}")
    raise typer.Exit(0 if told["done"] else NOT_DONE)


@app.command("samples")
def samples(
    remove: Annotated[bool, typer.Option("--remove", help="真的删除；不写只列出会删什么")] = False,
    reason: Annotated[str, typer.Option("--reason", help="原因，记入版本和审计；删除时必写")] = "",
    who: Annotated[str, typer.Option("--as", help="以谁的名义；默认是操作系统用户")] = "",
    as_data: AsData = False,
) -> None:
    """示例数据：先列出会删什么、留什么、删后缺什么；加 --remove 一步删除（一次发布，可以退回）。"""
    shown = _ask("/api/setup/samples")
    if not remove:
        if as_data:
            typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        else:
            _tell(shown)
        return
    me = actor(who)
    body = {"reason": reason, "seen": shown["version"], "by": me.name, "via": me.origin}
    done = _ask("/api/setup/samples/remove", body)
    if as_data:
        typer.echo(json.dumps(done, ensure_ascii=False, indent=2))
        return
    typer.echo(f"已删除示例 {done['rows']} 行，停用演示用户 {len(done['users'])} 个")
    if done["release"]:
        typer.echo(f"路由表的改动待批准（第 {done['release']['id']} 号发布申请）")
    elif done["version"]:
        typer.echo(f"第 {done['version']} 版已生效；要退回，运行 ./hotline routing rollback {done['before']}")


def _tell(shown: Mapping[str, Any]) -> None:
    for title, key in (("会删除", "rows"), ("会停用的演示用户", "users")):
        typer.echo(f"{title}：{len(shown[key])} 项")
        for row in shown[key]:
            typer.echo(f"    {row.get('words') or row['user']} {row['name']}")
    typer.echo(f"会留下：{len(shown['kept'])} 项")
    for row in shown["kept"]:
        typer.echo(f"    {row['words']}：{row['why']}")
    for row in shown["marked"]:
        typer.echo(f"    {row['words']}：已被改过，不删；备注或名称里还写着示例，请核实")
    for fault in shown["faults"]:
        typer.echo(f"  删后检查：{fault['told']}")
    for why in shown["hindrances"]:
        typer.echo(f"  现在不能删：{why}")
    typer.echo("什么都没有改；要删除，运行 ./hotline first-run samples --remove --reason 原因")


def _ask(path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    settings = load_settings()
    token = credentials(settings.data_dir).api_token
    try:
        told: dict[str, Any] = call(settings.control_port, token, path, body, seconds=PUBLISH_SECONDS)
    except EngineUnreachable:
        typer.echo("热线没有在运行；请先运行 ./hotline up", err=True)
    except Refused as refused:
        typer.echo(str(refused), err=True)
    else:
        return told
    raise typer.Exit(NOT_DONE)
