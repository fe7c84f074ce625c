"""``hotline audit``: who changed what, and whether anything was changed behind the audit's back."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from audit.anchors import FILE, anchor, anchors
from audit.model import Entry
from audit.query import AuditQuery, row_history
from audit.rules import verify
from audit.store import entries, search
from config.settings import SettingsError, load_settings
from database.connection import open_database
from database.errors import DatabaseError
from routing.calendar import CITY, city_time
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
    action: Annotated[str, typer.Option("--action", help="只看这类操作，例如 routing. 或 users.")] = "",
    actor: Annotated[str, typer.Option("--who", help="只看谁做的，名字的一部分")] = "",
    text: Annotated[str, typer.Option("--text", help="内容或原因里有这些字")] = "",
    row: Annotated[str, typer.Option("--row", help="路由表一行的经过：从什么改成什么，例如 numbers.12315")] = "",
    since: Annotated[datetime | None, typer.Option("--since", help="从哪一天", formats=["%Y-%m-%d"])] = None,
    until: Annotated[datetime | None, typer.Option("--until", help="到哪一天（含当天）", formats=["%Y-%m-%d"])] = None,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="写成表格文件（UTF-8）")] = None,
) -> None:
    """最近的记录，新的在后；在全部记录里找。"""
    if any((action, actor, text, row, since, until)):
        days = [None if day is None else day.replace(tzinfo=CITY) for day in (since, until)]
        last = None if days[1] is None else days[1] + timedelta(days=1)
        found = _entries(AuditQuery(limit, action, actor, text, row, days[0], last))
    else:
        found = _entries(None if searched else AuditQuery(limit))
    if searched:
        key = Seal(load_settings().data_dir).keyed(searched.removeprefix("+"))
        found = [entry for entry in found if entry.act.detail.get("searched") == key][-limit:]
    if csv_file is not None:
        _write_csv(csv_file, found)
        return
    if row:
        _show_row(row, found)
        return
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


def _write_csv(path: Path, shown: Sequence[Entry]) -> None:
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:  # with a mark, so that Excel reads Chinese
            lines = csv.writer(file)
            lines.writerow(["序号", "时间", "谁", "从何处", "操作", "内容", "原因", "详情", "校验值"])
            for entry in shown:
                cells = (
                    f"{city_time(entry.at):%Y-%m-%d %H:%M:%S}", entry.actor.name, entry.actor.origin, entry.act.action,
                    entry.act.subject, entry.act.reason, json.dumps(dict(entry.act.detail), ensure_ascii=False),
                    entry.hash,
                )  # fmt: skip
                lines.writerow([entry.seq, *(f"'{cell}" if cell[:1] in "=+-@\t" and cell else cell for cell in cells)])
    except OSError as error:
        typer.echo(f"--csv {path}：写不进去（{error.strerror}）；请换一个位置，例如 /tmp/审计.csv", err=True)
        raise typer.Exit(UNUSABLE) from None
    typer.echo(f"{len(shown)} 条已写入 {path}")


def _show_row(row: str, shown: Sequence[Entry]) -> None:
    changes = row_history(shown, row)
    for change in changes:
        entry = change.entry
        reason = f"  原因：{entry.act.reason}" if entry.act.reason else ""
        typer.echo(f"{entry.seq:>6}  {city_time(entry.at):%Y-%m-%d %H:%M:%S}  {entry.actor.name}{reason}")
        if change.new is None:
            typer.echo("        删去了这一行")
        for name, (old, new) in change.fields.items() if change.new is not None else ():
            before = "（更早的不在审计里）" if change.first else _value(old)
            typer.echo(f"        {name}：{before} → {_value(new)}")
    if not changes:
        typer.echo(f"审计里没有 {row} 的改动；写法例如 numbers.12315、groups.market")


def _value(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entries(query: AuditQuery | None) -> Sequence[Entry]:
    async def read() -> Sequence[Entry]:
        database = open_database(load_settings().database_url, must_exist=True)
        try:
            async with database.reading() as session:
                return await (entries(session) if query is None else search(session, query))
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
