"""``hotline db``: the database's schema."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import typer

from config.settings import SettingsError, load_settings
from database.errors import DatabaseError
from database.schema import SchemaState, check, upgrade

app = typer.Typer(help="数据库：升级结构，检查是否与程序一致。", no_args_is_help=True)

UNHEALTHY = 1
UNUSABLE = 2


@app.callback()
def _db() -> None:
    """数据库：升级结构，检查是否与程序一致。"""


async def _upgraded(url: str) -> SchemaState:
    await upgrade(url)
    return await check(url)


@app.command("upgrade")
def upgrade_command() -> None:
    """把数据库结构升级到本程序的版本；已是最新则什么也不做。"""
    _tell(_upgraded)


@app.command("check")
def check_command() -> None:
    """检查数据库结构的版本，以及表结构与程序是否一致；不改动任何东西。"""
    _tell(check)


def _tell(work: Callable[[str], Awaitable[SchemaState]]) -> None:
    try:
        state = asyncio.run(_awaited(work, load_settings().database_url))
    except (SettingsError, DatabaseError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
    typer.echo(state.sentence)
    if not state.healthy:
        raise typer.Exit(UNHEALTHY)


async def _awaited(work: Callable[[str], Awaitable[SchemaState]], url: str) -> SchemaState:
    return await work(url)
