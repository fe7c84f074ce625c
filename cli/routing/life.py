"""``hotline routing draft|set|discard|diff|publish|rollback|history|releases|approve|reject|cancel``: the table's life.

One job: what was typed into :class:`routing.tables.Tables`, and its answer into sentences.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final

import typer

from cli.routing_backend import act, actor, read
from routing.calendar import city_time
from routing.draft import Edit
from routing.labels_zh import field_words, value_words
from routing.naming import Names
from routing.releases import Happening
from routing.table_rows import kinds, plain_text
from routing.tables import MOST_ROWS, Tables, moment

UNUSABLE: Final = 2

Who = Annotated[str, typer.Option("--as", help="以谁的名义；默认是操作系统用户")]
Why = Annotated[str, typer.Option("--reason", help="原因，记入版本和审计")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Number = Annotated[int, typer.Argument(help="发布申请的号")]


def draft(
    kind: Annotated[str, typer.Argument(help="哪一类，例如 numbers、groups、schedules")] = "numbers",
    as_data: AsData = False,
) -> None:
    """草稿中的一类行，各带改动号（revision）。"""
    rows: list[dict[str, Any]] = []
    while True:
        beyond = rows[-1]["key"] if rows else ""
        told = read("/api/routing/draft", partial(_rows, kind, beyond), kind=kind, after=beyond)
        rows += told["rows"]
        if len(told["rows"]) < MOST_ROWS:
            break
    if as_data:
        typer.echo(json.dumps({"revision": told["revision"], "rows": rows}, ensure_ascii=False, indent=2))
        return
    names = Names(read("/api/routing/names", lambda tables: tables.names())["names"])
    for row in rows:
        shown = "，".join(
            f"{field_words(kind, name)} {value_words(kind, name, value, names, row['key'])}"
            for name, value in row["fields"].items()
        )
        name = names.short(kind, row["key"])
        called = f"{name}  " if name != row["key"] else ""
        typer.echo(f"{called}{kind}.{row['key']}  [{row['revision']}]  {shown}")
    typer.echo(f"共 {len(rows)} 行；草稿的改动号是 {told['revision']}")


def set_row(
    row: Annotated[str, typer.Argument(help="哪一行，例如 numbers.12315、settings.area_code")],
    values: Annotated[
        list[str] | None, typer.Argument(help="项=值，例如 mode=dual overflow_seconds=30；空值写 项=")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="删去这一行")] = False,
    seen: Annotated[int | None, typer.Option("--revision", help="您看到的草稿的改动号；此后别人改过就会提示")] = None,
    reason: Why = "",
    who: Who = "",
) -> None:
    """改草稿中的一行；没有这一行就新增。不影响来电，发布后才生效。"""
    kind, _, key = row.partition(".")
    try:
        fields = None if delete else typed(kind, values or [])
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
    me, wanted = actor(who), [Edit((kind, key), fields, seen)]
    plain = [{"kind": kind, "key": key, "fields": fields, "seen": seen}]
    told = act("/api/routing/draft", me, lambda tables: tables.edit(wanted, me, reason), edits=plain, reason=reason)
    revision = told["rows"][0]["revision"]
    typer.echo(f"已存入草稿，改动号 {revision}；用 ./hotline routing diff 核对，用 ./hotline routing publish 发布")


def discard(reason: Why = "", who: Who = "") -> None:
    """放弃草稿中的改动，恢复成生效中的版本。"""
    me = actor(who)
    told = act("/api/routing/draft/discard", me, lambda tables: tables.discard(me, reason), reason=reason)
    typer.echo(f"草稿已恢复成生效中的版本，共 {told['rows']} 行")


def show_diff(
    version: Annotated[int | None, typer.Option("--version", help="与哪个版本比；默认与生效中的版本比")] = None,
    as_data: AsData = False,
) -> None:
    """草稿改了什么，一行一句。"""
    told = read("/api/routing/diff", lambda tables: tables.diff(version), version=version)
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for change in told["changes"]:
        typer.echo(change["sentence"])
    typer.echo(f"与版本 {told['version']} 相比，{told['summary']}")


def publish(
    reason: Why = "",
    at: Annotated[str, typer.Option("--at", help="何时发布，例如 2026-12-01T00:00（北京时间）；默认立即")] = "",
    seen: Annotated[int | None, typer.Option("--version", help="您核对时生效的版本；此后别人发布过就不发布")] = None,
    who: Who = "",
) -> None:
    """发布草稿：检查、准备、核实，一次切换；通话中的来电沿用原来的版本。"""
    me = actor(who)

    async def direct(tables: Tables) -> dict[str, Any]:
        return await tables.publish(me, reason, at=moment(at) if at else None, seen=seen)

    _published(act("/api/routing/publish", me, direct, reason=reason, at=at or None, seen=seen))


def rollback(
    version: Annotated[int, typer.Argument(help="退回到哪个版本")],
    reason: Why = "",
    who: Who = "",
) -> None:
    """一步退回到以前的版本（成为一个新版本）；草稿保留。"""
    me = actor(who)
    told = act(
        "/api/routing/rollback", me, lambda tables: tables.rollback(version, me, reason), version=version, reason=reason
    )
    _published(told)
    typer.echo("草稿没有变；要从生效中的版本重新编辑，运行 ./hotline routing discard")


def history(as_data: AsData = False) -> None:
    """发布过的版本，新的在前。"""
    rows = read("/api/routing/versions", lambda tables: tables.versions())["versions"]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(f"{row['version']:>5}  {_when(row['published_at'])}  {row['author']}  {row['reason']}")


def releases(as_data: AsData = False) -> None:
    """发布申请：待批准的、定时的，以及结果。"""
    rows = read("/api/routing/releases", lambda tables: tables.releases())["releases"]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        typer.echo(_release(row))
    if not rows:
        typer.echo("没有发布申请")


def approve(number: Number, reason: Why = "", who: Who = "") -> None:
    """批准他人的发布申请；到时间（或立即）发布。"""
    _decide("approve", Happening.APPROVED, number, reason, who)


def reject(number: Number, reason: Why = "", who: Who = "") -> None:
    """驳回发布申请。"""
    _decide("reject", Happening.REJECTED, number, reason, who)


def cancel(number: Number, reason: Why = "", who: Who = "") -> None:
    """撤销还没有发布的申请。"""
    _decide("cancel", Happening.CANCELLED, number, reason, who)


def typed(kind: str, values: list[str]) -> dict[str, Any]:
    """``field=value`` as plain values of the kind's fields. Raises ValueError in Chinese."""
    if kind not in kinds():
        raise ValueError(f"没有 {kind!r} 这一类；可用的有 {'、'.join(kinds())}，例如 numbers.12315")
    given = {}
    for value in values:
        name, equals, text = value.partition("=")
        if not equals or name not in kinds()[kind].fields:
            raise ValueError(f"{value!r} 不是“项=值”；{kind} 可用的项有 {'、'.join(kinds()[kind].fields)}")
        given[name] = plain_text(kind, name, text)
    return given


def _rows(kind: str, beyond: str, tables: Tables) -> Awaitable[dict[str, Any]]:
    return tables.rows(kind, beyond)


def _decide(action: str, happening: Happening, number: int, reason: str, who: str) -> None:
    me = actor(who)
    path = f"/api/routing/releases/{number}/{action}"
    typer.echo(_release(act(path, me, lambda tables: tables.decide(number, happening, me, reason), reason=reason)))


def _published(told: dict[str, Any]) -> None:
    if "release" in told:
        typer.echo(_release(told["release"]))
        return
    for change in told["changes"]:
        typer.echo(change["sentence"])
    for warning in told["warnings"]:
        typer.echo(f"提醒  {warning}")
    typer.echo(f"已发布版本 {told['version']}，{told['summary']}")


def _release(row: dict[str, Any]) -> str:
    due = f"，定于 {_when(row['due_at'])}" if row["due_at"] else ""
    by = f"，{row['decided_by']} 处理" if row["decided_by"] else ""
    version = f"，版本 {row['version']}" if row["version"] else ""
    trouble = f"：{row['trouble']}" if row["trouble"] else ""
    return f"第 {row['id']} 号  {row['state_name']}{due}  {row['author']}：{row['reason']}{by}{version}{trouble}"


def _when(text: str) -> str:
    return f"{city_time(datetime.fromisoformat(text)):%Y-%m-%d %H:%M:%S}"


COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "draft": draft,
    "set": set_row,
    "discard": discard,
    "diff": show_diff,
    "publish": publish,
    "rollback": rollback,
    "history": history,
    "releases": releases,
    "approve": approve,
    "reject": reject,
    "cancel": cancel,
}
"""By the name that is typed."""
