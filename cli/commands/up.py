"""``hotline up``: everything, in the foreground, until Ctrl-C."""

from __future__ import annotations

import asyncio
from typing import Annotated

import structlog
import typer

from cli.up import up
from config.logging import configure_logging
from config.settings import load_settings
from setup.process.supervisor import SupervisorError


def command(demo: Annotated[bool, typer.Option("--demo", help="打印演示座席的口令，并写入 demo.json")] = False) -> None:
    """启动热线：Asterisk 和引擎，前台运行，按 Ctrl-C 停止。"""
    settings = load_settings()
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        settings.data_dir.chmod(settings.data_dir.stat().st_mode & 0o770)  # one made earlier, or by hand, too
        log = (settings.log_dir / "up.log").open("a", encoding="utf-8")
    except OSError as error:
        raise SupervisorError(f"无法写 {settings.log_dir}（{error.strerror}）；请检查权限与磁盘空间") from error
    with log:
        configure_logging(stream=log)
        asyncio.run(up(settings, demo=demo, say=_say))


def _say(line: str) -> None:
    """To the terminal, if there still is one: a window that was closed must end neither calls nor a start."""
    try:
        typer.echo(line)
    except OSError:
        structlog.get_logger(__name__).info("terminal gone, line not shown")
