"""The ``hotline routing`` commands' way to the routing table: the running engine, else database and file themselves.

One job: who asks, and whom to ask. What is asked is routing.tables.Tables', on either way.
"""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import typer

from audit.model import Actor
from audit.service import anchor_new_entries
from config.credentials import credentials
from config.settings import Settings, load_settings
from console.client import EngineUnreachable, call
from console.client import Refused as EngineRefused
from database.connection import open_database
from database.errors import DatabaseError
from database.schema import upgrade
from routing.publish import Publisher
from routing.snapshot import SnapshotCorrupt
from routing.tables import Refused, Tables
from setup.lint_context import lint_context

PUBLISH_SECONDS: Final = 120.0
"""Prompts may have to be spoken first."""

NOT_RUNNING: Final = "热线没有在运行：直接写入数据库和快照文件，引擎下次启动时生效"

Direct = Callable[[Tables], Awaitable[dict[str, Any]]]


def actor(name: str = "") -> Actor:
    """Who runs this command: the operating system's user, or who they say they are; and from where."""
    user = getpass.getuser()
    try:
        terminal = os.ttyname(sys.stdin.fileno()).removeprefix("/dev/")
    except (OSError, ValueError):
        terminal = "无终端"
    remote = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    from_where = f"，自 {remote}" if remote else ""
    return Actor(name.strip() or user, f"命令行 {user}@{socket.gethostname()} {terminal}{from_where}")


def read(path: str, direct: Direct, **query: Any) -> dict[str, Any]:
    """Ask, changing nothing. Ends the command with a sentence when it is refused."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return _ask(f"{path}?{urlencode(given)}" if given else path, None, direct)


def act(path: str, who: Actor, direct: Direct, **body: Any) -> dict[str, Any]:
    """Have something done. Ends the command with a sentence when it is refused."""
    given = {name: value for name, value in body.items() if value is not None}
    return _ask(path, {**given, "by": who.name, "via": who.origin}, direct)


def _ask(path: str, body: dict[str, Any] | None, direct: Direct) -> dict[str, Any]:
    settings = load_settings()
    token = credentials(settings.data_dir).api_token
    try:
        told: dict[str, Any] = call(settings.control_port, token, path, body, seconds=PUBLISH_SECONDS)
    except EngineUnreachable:
        if body is not None:
            typer.echo(NOT_RUNNING, err=True)
        return _here(settings, direct)
    except EngineRefused as refused:
        raise _ended(str(refused)) from None
    return told


def _here(settings: Settings, direct: Direct) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        await upgrade(settings.database_url, may_create=False)
        database = open_database(settings.database_url, must_exist=True)
        try:
            publisher = Publisher(database, settings.data_dir, partial(lint_context, settings))
            told = await direct(Tables(publisher, approval=settings.publish_approval))
            await anchor_new_entries(database, settings.data_dir)
            return told
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (Refused, DatabaseError, SnapshotCorrupt) as error:
        raise _ended(str(error)) from None


def _ended(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(1)
