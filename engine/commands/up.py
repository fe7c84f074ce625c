"""``hotline up``: everything, in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from engine.settings import load_settings
from engine.up import up


def command(demo: Annotated[bool, typer.Option("--demo", help="打印演示座席的口令，并写入 demo.json")] = False) -> None:
    """启动热线：Asterisk 和引擎，前台运行，按 Ctrl-C 停止。"""
    asyncio.run(up(load_settings(), demo=demo, say=typer.echo))
