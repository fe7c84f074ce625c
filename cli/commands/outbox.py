"""``hotline outbox``: messages to centres' and departments' data interfaces, whether the engine runs or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from config.credentials import credentials
from config.settings import load_settings
from database.connection import open_database
from ledger import outbox_store as outbox
from ledger.push_rules import secret_of
from telephony.model import EMERGENCY_NUMBERS

app = typer.Typer(help="推送：发往应急中心和责任部门数据接口的消息。", no_args_is_help=True)

T = TypeVar("T")

STATES = {outbox.WAITING: "待发", outbox.SENT: "已送达", outbox.DEAD: "已搁置"}


@app.command("list")
def list_command(
    dead: Annotated[bool, typer.Option("--dead", help="只看已搁置的")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="最多几条")] = 50,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """还没有送达的消息；有搁置的消息时退出码为 1。"""
    states = (outbox.DEAD,) if dead else (outbox.WAITING, outbox.DEAD)
    rows = _in_database(lambda session: outbox.listed(session, states, limit))
    zone = load_settings().zone
    if as_data:
        names = ("id", "target", "call_id", "state", "tries", "trouble")
        told = [{name: getattr(row, name) for name in names} | {"at": row.at.isoformat()} for row in rows]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            when = f"{row.at.astimezone(zone):%m-%d %H:%M:%S}"
            trouble = f"，{row.trouble}" if row.trouble else ""
            typer.echo(
                f"{row.id}  {when}  {row.target}  {row.call_id}  {STATES[row.state]}，试过 {row.tries} 次{trouble}"
            )
        if not rows:
            typer.echo("没有待发或搁置的消息")
    raise typer.Exit(int(any(row.state == outbox.DEAD for row in rows)))


@app.command("retry")
def retry_command(
    ids: Annotated[list[str] | None, typer.Argument(help="消息编号；不写则全部搁置的消息")] = None,
) -> None:
    """再发一次已搁置的消息。"""
    count = _in_database(lambda session: outbox.again(session, ids or [], datetime.now(UTC)))
    typer.echo(f"{count} 条消息重新待发" if count else "没有这样的搁置消息；用 hotline outbox list --dead 查看")
    raise typer.Exit(0 if count else 1)


@app.command("key")
def key_command(target: Annotated[str, typer.Argument(help="110、119、120 或 122")]) -> None:
    """与一个中心共用的签名密钥，请用安全的方式交给对方。"""
    if target not in EMERGENCY_NUMBERS:
        typer.echo(
            f"没有中心 {target!r}（责任部门的密钥用 hotline orders key）；可用 {'、'.join(EMERGENCY_NUMBERS)}", err=True
        )
        raise typer.Exit(2)
    typer.echo(secret_of(credentials(load_settings().data_dir).push_secret, target))


def _in_database(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def done() -> T:
        database = open_database(load_settings().database_url)
        try:
            async with database.transaction() as session:
                return await work(session)
        finally:
            await database.close()

    return asyncio.run(done())
