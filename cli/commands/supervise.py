"""``hotline supervise``: what a supervisor does to the talks and states of others, on a running engine."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from cli.commands.agents import who
from cli.engine_client import ask, names
from config.settings import load_settings
from database.connection import open_database
from ledger.model import Fact
from ledger.store import deeds
from ledger.story import tell
from routing.calendar import city_time

app = typer.Typer(help="班长：监听、密语、强插、接管，强制状态，移动排队来电；都要写明原因。", no_args_is_help=True)

Agent = Annotated[str, typer.Argument(help="被操作的工号，例如 1001")]
Supervisor = Annotated[str, typer.Option("--as", help="班长的工号，须已签入；他的话机会振铃")]
Reason = Annotated[str, typer.Option("--reason", help="原因，会记入流水")]
By = Annotated[str, typer.Option("--as", help="谁要求的，例如 班长1010；不写则记命令行的系统用户")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("listen")
def listen(agent: Agent, supervisor: Supervisor, reason: Reason, as_data: AsData = False) -> None:
    """监听：双方都听不到班长。"""
    _join("listen", agent, supervisor, reason, as_data)


@app.command("whisper")
def whisper(agent: Agent, supervisor: Supervisor, reason: Reason, as_data: AsData = False) -> None:
    """密语：只有座席听到班长。"""
    _join("whisper", agent, supervisor, reason, as_data)


@app.command("barge")
def barge(agent: Agent, supervisor: Supervisor, reason: Reason, as_data: AsData = False) -> None:
    """强插：座席和市民都听到班长。"""
    _join("barge", agent, supervisor, reason, as_data)


@app.command("take-over")
def take_over(agent: Agent, supervisor: Supervisor, reason: Reason, as_data: AsData = False) -> None:
    """接管：市民转到班长的话机，原座席退出；班长没接，市民按原来的等候时间继续排队。"""
    _join("take-over", agent, supervisor, reason, as_data)


@app.command("force")
def force(
    agent: Agent,
    to: Annotated[str, typer.Option("--to", help="ready 示闲，paused 示忙，signed-out 签出")],
    reason: Reason,
    pause: Annotated[str, typer.Option("--pause", help="示忙原因，例如 培训")] = "",
    by: By = "",
    as_data: AsData = False,
) -> None:
    """强制示闲、示忙或签出；真在通话的，通话结束后生效。"""
    body = {"agent": agent, "to": to, "reason": reason, "pause": pause, "by": by or who()}
    _tell(ask("/api/supervise/force", body), f"工号 {agent} 已强制为 {to}", as_data)


@app.command("move")
def move(
    group: Annotated[str, typer.Argument(help="现在排队的技能组，例如 general")],
    to: Annotated[str, typer.Option("--to", help="移到哪个技能组")],
    reason: Reason,
    call: Annotated[str, typer.Option("--call", help="只移动这一个呼叫")] = "",
    by: By = "",
    as_data: AsData = False,
) -> None:
    """把排队的来电移到另一技能组，等候时间不变。"""
    answer = ask("/api/supervise/move", {"group": group, "to": to, "reason": reason, "call": call, "by": by or who()})
    _tell(answer, f"已移动 {answer['moved']} 个来电到 {to}", as_data)


@app.command("close")
def close(
    group: Annotated[str, typer.Argument(help="技能组，例如 market；12345 受理组不能关闭")],
    reason: Reason,
    waiting: Annotated[str, typer.Option("--waiting", help="已在排队的：stay 继续等，move 移到 12345 受理组")] = "stay",
    by: By = "",
    as_data: AsData = False,
) -> None:
    """关闭技能组：新来电转 12345 受理组，重启后仍然关闭，直到 open。"""
    body = {"group": group, "reason": reason, "waiting": waiting, "by": by or who()}
    answer = ask("/api/supervise/close", body)
    _tell(answer, f"技能组 {names().of('groups', group)} 已关闭，移动了 {answer['moved']} 个排队来电", as_data)


@app.command("open")
def open_(
    group: Annotated[str, typer.Argument(help="技能组，例如 market")],
    reason: Reason,
    by: By = "",
    as_data: AsData = False,
) -> None:
    """重新开放技能组。"""
    body = {"group": group, "reason": reason, "by": by or who()}
    _tell(ask("/api/supervise/open", body), f"技能组 {names().of('groups', group)} 已开放", as_data)


@app.command("history")
def history(
    limit: Annotated[int, typer.Option("--limit", min=1, help="最近多少条")] = 50,
    agent: Annotated[str, typer.Option("--agent", help="只看这个工号，连同他的状态变化和原因，例如 1001")] = "",
    as_data: AsData = False,
) -> None:
    """谁在何时对座席、技能组和来电做了什么，为什么；最近的在前。引擎停了也能用。"""
    facts = asyncio.run(_deeds(limit, agent))
    if as_data:
        rows = [{"at": fact.at.isoformat(), "call": fact.call, **fact.data} for fact in facts]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    called = names().of
    for fact in facts:
        (line,) = tell([fact], called=called)
        typer.echo(f"{city_time(fact.at):%Y-%m-%d %H:%M:%S}  {line.text}")
    if not facts:
        typer.echo("还没有记录")


async def _deeds(limit: int, agent: str) -> list[Fact]:
    database = open_database(load_settings().database_url)
    try:
        async with database.reading() as session:
            return await deeds(session, limit, agent=agent)
    finally:
        await database.close()


def _join(action: str, agent: str, supervisor: str, reason: str, as_data: bool) -> None:
    answer = ask(f"/api/supervise/{action}", {"agent": agent, "supervisor": supervisor, "reason": reason})
    _tell(answer, f"班长 {supervisor} 的话机 {answer['seat']} 正在振铃，请接听", as_data)


def _tell(answer: dict[str, Any], sentence: str, as_data: bool) -> None:
    typer.echo(json.dumps(answer, ensure_ascii=False) if as_data else sentence)
