"""``hotline watch``: calls the switch every few seconds and ends one that does not answer, for a service manager."""

from __future__ import annotations

import asyncio

import typer

from config.credentials import credentials
from config.logging import configure_logging
from config.settings import load_settings
from setup.process.watch import watch
from setup.process.watchdog import watch_switch


def command() -> None:
    """看护 Asterisk（供服务管理器使用）：打不通内部电话的就结束它，由服务管理器重新启动。"""
    settings = load_settings()
    configure_logging()

    def hung(failures: int) -> None:
        typer.echo(f"Asterisk 连续 {failures} 次没有反应，正在结束它")

    asyncio.run(watch(settings.run_dir / "asterisk.pid", watch_switch(settings, credentials(settings.data_dir)), hung))
