"""``hotline prepare``: what ``hotline up`` does before it starts anything, for a service manager."""

from __future__ import annotations

import asyncio

import typer

from asterisk_conf.bundle import find_asterisk
from cli.up import prepared
from config.settings import load_settings
from setup.backup.restore import require_restored


def command() -> None:
    """准备启动：升级数据库结构，生成提示音和 Asterisk 的配置（供服务管理器使用）；已经就绪的不动。"""
    settings = load_settings()
    require_restored(settings.data_dir)
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(prepared(settings, find_asterisk(typer.echo), typer.echo))
    typer.echo("已就绪，可以启动 Asterisk 和引擎")
