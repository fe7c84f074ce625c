"""``hotline audit``: who changed what, and whether anything was changed behind the audit's back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from audit.anchors import FILE, anchor, anchors
from audit.model import Entry
from audit.rules import verify
from audit.store import entries
from config.settings import SettingsError, load_settings
from database.connection import open_database
from database.errors import DatabaseError
from routing.calendar import city_time
from users.seal import Seal

app = typer.Typer(help="审计：谁在何时、从何处、因何改了什么；有没有人背着审计改动。", no_args_is_help=True)

TAMPERED: Final = 1
UNUSABLE: Final = 2


@app.callback()
def _audit() -> None:
    """审计：谁在何时、从何处、因何改了什么。"""


@app.command("list")
def list_entries(
    limit: Annotated[int, typer.Option("--limit", min=1, help="最近多少条")] = 50,
    searched: Annotated[str, typer.Option("--searched", help="只看谁按这个来电号码（完整的或末尾）查过")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """最近的记录，新的在后。"""
    found = _entries(None if searched else limit)
    if searched:
        key = Seal(load_settings().data_dir).keyed(searched.removeprefix("+"))
        found = [entry for entry in found if entry.act.detail.get("searched") == key][-limit:]
    if as_data:
        typer.echo(json.dumps([_plain(entry) for entry in found], ensure_ascii=False, indent=2))
        return
    for entry in found:
        when = f"{city_time(entry.at):%Y-%m-%d %H:%M:%S}"
        why = f"  原因：{entry.act.reason}" if entry.act.reason else ""
        typer.echo(f"{entry.seq:>6}  {when}  {entry.actor.name}（{entry.actor.origin}）  {entry.act.subject}{why}")
    if not found:
        typer.echo("还没有记录")


@app.command("verify")
def verify_entries(
    expect: Annotated[
        list[str] | None, typer.Option("--expect", help="以前抄下的“序号:校验值”，可多次；抄在别处的最可靠")
    ] = None,
) -> None:
    """核对全部记录：被改、被删、被插入、被调换、被截尾，都会指出。"""
    try:
        written_down = [anchor(text) for text in expect or ()]
        found = _entries(None)
        noted = anchors(load_settings().data_dir / FILE)
    except (SettingsError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
    findings = verify(found, (*noted, *written_down), filed=True)
    for finding in findings:
        typer.echo(str(finding), err=True)
    if findings:
        typer.echo(f"审计记录有 {len(findings)} 处被动过；请保留现场，从备份核对", err=True)
        raise typer.Exit(TAMPERED)
    typer.echo(f"审计记录完整：{len(found)} 条，其中 {len({one.seq for one in noted})} 条在数据库之外另有校验值")
    if found:
        typer.echo(f"末条 {found[-1].seq}:{found[-1].hash}（请抄到这台机器之外；下次用 --expect 核对）")


def _entries(limit: int | None) -> Sequence[Entry]:
    async def read() -> Sequence[Entry]:
        database = open_database(load_settings().database_url, must_exist=True)
        try:
            async with database.reading() as session:
                return await entries(session, limit)
        finally:
            await database.close()

    try:
        return asyncio.run(read())
    except (DatabaseError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None


def _plain(entry: Entry) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "who": entry.actor.name,
        "from": entry.actor.origin,
        "action": entry.act.action,
        "subject": entry.act.subject,
        "reason": entry.act.reason,
        "detail": dict(entry.act.detail),
        "hash": entry.hash,
    }
