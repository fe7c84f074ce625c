"""``hotline asterisk``: the switch alone, for a service manager; this process becomes Asterisk itself."""

from __future__ import annotations

import os

import typer

from asterisk_conf.bundle import find_asterisk
from asterisk_conf.plan import switch_home
from config.settings import load_settings

UNPREPARED = 1


def command() -> None:
    """只运行 Asterisk（供服务管理器使用）；先运行 hotline prepare。"""
    settings = load_settings()
    home = switch_home(settings.data_dir)
    configuration = home / "etc" / "asterisk.conf"
    if not configuration.exists():
        typer.echo(f"还没有 {configuration}；请先运行 hotline prepare", err=True)
        raise typer.Exit(UNPREPARED)
    argv = [*find_asterisk(typer.echo).argv, "-f", "-C", str(configuration)]
    os.chdir(home)  # where a core file is left
    os.execv(argv[0], argv)  # noqa: S606  a list, and no shell is wanted
