"""``hotline recordings``: what was recorded, and whether it is all there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings, SettingsError, load_settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from recordings.model import Recording, Status
from recordings.service import Recordings
from recordings.store import list_recordings

app = typer.Typer(help="录音：列出录音，核对录音是否齐全。", no_args_is_help=True)

T = TypeVar("T")

UNHEALTHY = 1
UNUSABLE = 2
NO_TABLES = "数据库读不出录音记录，可能还没有建表；请运行 ./hotline db upgrade"
STATES = {
    Status.PLANNED: "已安排",
    Status.RECORDING: "录音中",
    Status.KEPT: "已保存",
    Status.EMPTY: "无声音",
    Status.MISSING: "无文件",
    Status.ORPHAN: "无主",
}


@app.callback()
def _recordings() -> None:
    """录音：列出录音，核对录音是否齐全。"""


@app.command("list")
def list_command(
    status: Annotated[Status | None, typer.Option("--status", help="只列这种状态")] = None,
    faulty: Annotated[bool, typer.Option("--faulty", help="只列有问题的")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10000, help="最多几条")] = 20,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """列出录音，最近的在前。"""
    settings = _settings()

    async def listed(database: Database) -> list[Recording]:
        async with database.reading() as session:
            return await list_recordings(session, status=status, faulty=faulty, limit=limit)

    found = _ask(settings, listed)
    if as_data:
        typer.echo(json.dumps([_data(recording) for recording in found], ensure_ascii=False, indent=2))
        return
    for recording in found:
        typer.echo(_row(recording, settings))
    if not found:
        typer.echo("没有符合条件的录音")


@app.command("check")
def check_command(as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
    """核对录音目录与流水：找出空文件、缺失的和无主的录音。有问题时退出码为 1。"""
    settings = _settings()
    folder = settings.data_dir / "recordings"
    sweep = _ask(settings, lambda database: Recordings(database, folder, node=settings.node).sweep())
    if as_data:
        data = {
            "checked": sweep.checked,
            "faults": [_data(recording) for recording in sweep.faults],
            "strays": list(sweep.strays),
        }
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        for recording in sweep.faults:
            typer.echo(_row(recording, settings))
        for name in sweep.strays:
            typer.echo(f"{folder / name}：不是任何呼叫的录音，请确认后移走")
        typer.echo(f"核对 {sweep.checked} 个录音，{len(sweep.faults)} 个有问题，{len(sweep.strays)} 个文件来历不明")
    if sweep.faults or sweep.strays:
        raise typer.Exit(UNHEALTHY)


def _row(recording: Recording, settings: Settings) -> str:
    when = f"{recording.started_at.astimezone(settings.zone):%m-%d %H:%M:%S}"
    text = f"{recording.call}  {when}  {STATES[recording.status]}  {recording.seconds:.1f} 秒  {recording.file}"
    return f"{text}  ！{recording.fault}" if recording.fault else text


def _data(recording: Recording) -> dict[str, Any]:
    row = {name: getattr(recording, name) for name in Recording.__dataclass_fields__}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None


def _ask(settings: Settings, question: Callable[[Database], Awaitable[T]]) -> T:
    try:
        return asyncio.run(_answered(settings, question))
    except (DatabaseError, SQLAlchemyError) as error:
        typer.echo(str(error) if isinstance(error, DatabaseError) else NO_TABLES, err=True)
        raise typer.Exit(UNUSABLE) from None


async def _answered(settings: Settings, question: Callable[[Database], Awaitable[T]]) -> T:
    database = open_database(settings.database_url)
    try:
        return await question(database)
    finally:
        await database.close()
