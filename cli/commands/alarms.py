"""``hotline alarms``: what stands in alarm now, and what did. Exit 0 only when nothing stands."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from cli.engine_client import ask
from config.settings import Settings, load_settings
from database.connection import open_database
from engine.engine import journal_folder
from ledger.alarms import line_of
from ledger.model import Fact, Kind
from ledger.reader import facts_now


def command(
    history: Annotated[int, typer.Option("--history", min=0, max=1000, help="另外列出最近几条告警记录")] = 0,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """告警：现在有哪些、曾经有哪些；没有告警时退出码为 0，有告警为 1，引擎没有应答为 3。"""
    settings = load_settings()
    past = asyncio.run(_past(settings))[-history:] if history else []
    standing: list[dict[str, Any]] = ask("/api/status", settings=settings)["alarms"]
    if as_data:
        told = [{"at": fact.at.isoformat(), **fact.data} for fact in past]
        typer.echo(json.dumps({"standing": standing, "history": told}, ensure_ascii=False, indent=2))
    else:
        for fact in past:
            word = "告警" if fact.data.get("raised") else "解除"
            typer.echo(f"{fact.at.astimezone(settings.zone):%m-%d %H:%M:%S}  {word}  {fact.data.get('text', '')}")
        for alarm in standing:
            typer.echo(f"现有告警  {alarm['text']}")
        if not standing:
            typer.echo("现在没有告警")
    raise typer.Exit(1 if standing else 0)


async def _past(settings: Settings) -> list[Fact]:
    database = open_database(settings.database_url)
    try:
        facts = await facts_now(database, journal_folder(settings.data_dir), settings.node, line_of(settings.node))
    finally:
        await database.close()
    return [fact for fact in facts if fact.kind is Kind.ALARM]
