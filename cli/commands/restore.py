"""``hotline restore``: a backup into an empty data folder, on this machine or another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.backup import At, Key, folder
from config.settings import load_settings
from setup.backup.instance import instance_of
from setup.backup.repository import Repository, read_key
from setup.backup.restore import CONFIG, restore


def command(
    source: Annotated[str, typer.Argument(help="备份目录；缺省为设置 backup_dir")] = "",
    at: At = "",
    key: Key = None,
) -> None:
    """把备份恢复到空的数据目录；备份有一处不对，就什么也不恢复。"""
    settings = load_settings()
    repository = Repository(folder(settings, source), identity=read_key(key) if key else "")
    backup = at or repository.newest()
    instance = instance_of(settings)
    manifest = asyncio.run(restore(instance, repository, backup, say=typer.echo))
    typer.echo(f"备份 {backup}（{manifest.began_at}，节点 {manifest.node}）已恢复到 {settings.data_dir}")
    if manifest.node != settings.node:
        typer.echo(
            f"注意：备份来自节点 {manifest.node}，现在的设置是 node = {settings.node}；请改成一样，否则流水接不上"
        )
    if not manifest.recordings:
        typer.echo("注意：这次备份不含录音；录音核对会说它们缺失")
    if (Path(settings.data_dir) / CONFIG).exists():
        typer.echo(f"原来的设置文件和证书在 {settings.data_dir / CONFIG}，请按这台机器核对后取用")
    typer.echo("接着：hotline audit verify；hotline recordings check；启动热线；hotline status；打一个电话")
