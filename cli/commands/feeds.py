"""``hotline feeds``: what departments have subscribed to, whether the engine runs or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act
from audit.service import anchor_new_entries
from audit.store import append
from cli.routing_backend import actor as whoever
from config.credentials import credentials
from config.settings import Settings, SettingsError, load_settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import upgrade
from feeds import store
from feeds.model import Subscription, What
from feeds.rules import NotUsable, require_usable
from feeds.service import Feeds, target_of
from ledger import outbox_store as outbox
from ledger.push_address import fault
from ledger.push_rules import secret_of
from ledger.reports.periods import NoPeriod, month
from users.store import client_row

app = typer.Typer(help="数据推送：部门订阅的受理信息、处理结果、评价、工单和日汇总。", no_args_is_help=True)

T = TypeVar("T")
UNUSABLE: Final = 2

Id = Annotated[str, typer.Argument(help="订阅的编号，例如 market")]
Reason = Annotated[str, typer.Option("--reason", help="原因，写进审计")]
By = Annotated[str, typer.Option("--by", help="谁，写进审计；不写则为本机用户")]


@app.command("list")
def list_command(as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
    """全部订阅：范围、方式、写到第几条、还有多少没送达。"""

    async def read(database: Database, _settings: Settings) -> list[dict[str, object]]:
        async with database.reading() as session:
            return [
                {
                    "id": subscription.id,
                    "name": subscription.name,
                    "what": sorted(subscription.what),
                    "numbers": sorted(subscription.numbers),
                    "groups": sorted(subscription.groups),
                    "url": subscription.url,
                    "client": subscription.client,
                    "ended": subscription.ended_at is not None,
                    "records": (await store.head(session, subscription.id))[0],
                    **dict(
                        zip(("waiting", "dead"), await outbox.waiting(session, target_of(subscription.id)), strict=True)
                    ),
                }
                for subscription in await store.subscriptions(session, ended=True)
            ]

    rows = _do(read)
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        scope = " ".join([*map(str, row["numbers"]), *map(str, row["groups"])])  # type: ignore[call-overload]
        delivery = f"推送到 {row['url']}，待发 {row['waiting']}，搁置 {row['dead']}" if row["url"] else "部门来取"
        ended = "（已结束）" if row["ended"] else ""
        typer.echo(f"{row['id']}  {row['name']}{ended}  范围 {scope}  已写 {row['records']} 条  {delivery}")
    if not rows:
        typer.echo("还没有订阅；用 hotline feeds add 添加")


@app.command("add")
def add_command(
    id_: Id,
    name: Annotated[str, typer.Option("--name", help="部门名称，例如 市场监管局")],
    reason: Reason,
    what: Annotated[list[What], typer.Option("--what", help="订阅哪一项，可多次")],
    number: Annotated[list[str] | None, typer.Option("--number", help='范围内的号码，可多次；"*" 为全部来电')] = None,
    group: Annotated[list[str] | None, typer.Option("--group", help="范围内的技能组编号，可多次")] = None,
    url: Annotated[str, typer.Option("--url", help="推送到哪个网址；不写则由部门来取")] = "",
    by: By = "",
) -> None:
    """添加一个订阅，从现在起写；以前的用 hotline feeds backfill 补。"""
    subscription = Subscription(
        id_, name.strip(), frozenset(what), frozenset(number or ()), frozenset(group or ()), url
    )  # fmt: skip

    async def added(database: Database, settings: Settings) -> None:
        require_usable(subscription)
        if url and (wrong := fault(url, settings.push_allowed)):
            raise NotUsable(f"网址 {url}：{wrong}")
        scope = {
            "what": sorted(subscription.what),
            "numbers": sorted(subscription.numbers),
            "groups": sorted(subscription.groups),
            "url": url,
        }
        async with database.transaction() as session:
            if await store.subscription(session, id_) is not None:
                raise NotUsable(f"已有订阅 {id_}；结束了的编号也不再用，请换一个")
            await store.add(session, subscription, datetime.now(UTC))
            act = Act("feeds.add", f"订阅 {id_}（{subscription.name}）", reason, scope)
            await append(session, whoever(by), act, datetime.now(UTC))
        await anchor_new_entries(database, settings.data_dir)

    _do(added)
    if url:
        typer.echo(f"已添加；用 hotline feeds key {id_} 取得签名密钥，用安全的方式交给部门")
    else:
        typer.echo(
            "已添加；用 hotline users client-add 发一个有 feed.read 权限的令牌，"
            f"再用 hotline feeds link {id_} 程序编号 关联"
        )


@app.command("link")
def link_command(
    id_: Id,
    client: Annotated[str, typer.Argument(help="程序编号，见 hotline users clients")],
    reason: Reason,
    by: By = "",
) -> None:
    """让一个程序的令牌能取这个订阅；它有 feed.numbers 权限时，来电号码不遮盖。"""

    async def linked(database: Database, settings: Settings) -> None:
        async with database.transaction() as session:
            if await client_row(session, client) is None:
                raise NotUsable(f"没有程序 {client[:20]!r}；用 hotline users clients 查看")
            await _change(session, id_, client=client)
            act = Act("feeds.link", f"订阅 {id_} 关联程序 {client}", reason, {"client": client})
            await append(session, whoever(by), act, datetime.now(UTC))
        await anchor_new_entries(database, settings.data_dir)

    _do(linked)
    typer.echo(f"程序 {client} 可以取订阅 {id_}")


@app.command("end")
def end_command(id_: Id, reason: Reason, by: By = "") -> None:
    """结束一个订阅：不再写新的；已写的还可以取。"""

    async def ended(database: Database, settings: Settings) -> None:
        async with database.transaction() as session:
            await _change(session, id_, ended_at=datetime.now(UTC))
            await append(session, whoever(by), Act("feeds.end", f"订阅 {id_}", reason), datetime.now(UTC))
        await anchor_new_entries(database, settings.data_dir)

    _do(ended)
    typer.echo(f"订阅 {id_} 已结束")


@app.command("key")
def key_command(id_: Id) -> None:
    """推送的签名密钥，请用安全的方式交给部门。"""
    typer.echo(secret_of(credentials(load_settings().data_dir).push_secret, target_of(id_)))


@app.command("backfill")
def backfill_command(
    id_: Id,
    month_text: Annotated[str, typer.Option("--month", help="补哪个月，例如 2026-10")],
    reason: Reason,
    by: By = "",
) -> None:
    """补写一个过去的月份；写过的不重复，可以再来一次。"""

    async def filled(database: Database, settings: Settings) -> int:
        period = month(month_text, settings.zone)

        def progress(at: datetime, made: int) -> None:
            typer.echo(f"  已到 {at.astimezone(settings.zone):%m-%d %H:%M}，写了 {made} 条", err=True)

        made = await Feeds(database, settings.aims, settings.zone).backfill(id_, period, progress)
        async with database.transaction() as session:
            act = Act("feeds.backfill", f"订阅 {id_} 补 {month_text}", reason, {"records": made})
            await append(session, whoever(by), act, datetime.now(UTC))
        await anchor_new_entries(database, settings.data_dir)
        return made

    typer.echo(f"补写 {_do(filled)} 条")


@app.command("replay")
def replay_command(
    id_: Id, first: Annotated[int, typer.Option("--from", min=1, help="从第几条起")], reason: Reason, by: By = ""
) -> None:
    """从某一条起按次序再推送一遍；编号不变，部门收过的不会重复处理。"""

    async def replayed(database: Database, settings: Settings) -> int:
        async with database.reading() as session:
            subscription = await store.subscription(session, id_)
        if subscription is None or not subscription.url:
            raise NotUsable(f"没有推送的订阅 {id_[:40]!r}")
        count = await Feeds(database, settings.aims, settings.zone).replay(id_, first)
        async with database.transaction() as session:
            act = Act("feeds.replay", f"订阅 {id_} 从第 {first} 条重新推送", reason, {"records": count})
            await append(session, whoever(by), act, datetime.now(UTC))
        await anchor_new_entries(database, settings.data_dir)
        return count

    typer.echo(f"{_do(replayed)} 条重新待发")


@app.command("verify")
def verify_command(id_: Id) -> None:
    """核对一个订阅的链：少了、改了、接不上的，都会指出。"""

    async def verified(database: Database, settings: Settings) -> tuple[list[str], tuple[int, str]]:
        async with database.reading() as session:
            head = await store.head(session, id_)
        return await Feeds(database, settings.aims, settings.zone).verify(id_), head

    problems, (last, head) = _do(verified)
    for line in problems:
        typer.echo(line, err=True)
    if problems:
        raise typer.Exit(1)
    typer.echo(f"订阅 {id_} 完整：{last} 条，末条校验值 {head}")


async def _change(session: AsyncSession, id_: str, **values: object) -> None:
    try:
        await store.change(session, id_, **values)
    except LookupError:
        raise NotUsable(f"没有订阅 {id_[:40]!r}；用 hotline feeds list 查看") from None


def _do(work: Callable[[Database, Settings], Awaitable[T]]) -> T:
    async def done() -> T:
        settings = load_settings()
        await upgrade(settings.database_url, may_create=not settings.snapshot_file.exists())
        database = open_database(settings.database_url, must_exist=True)
        try:
            return await work(database, settings)
        finally:
            await database.close()

    try:
        return asyncio.run(done())
    except (NotUsable, NoPeriod) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except LookupError:
        typer.echo("没有这个订阅，或已结束；用 hotline feeds list 查看", err=True)
        raise typer.Exit(1) from None
    except (DatabaseError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
