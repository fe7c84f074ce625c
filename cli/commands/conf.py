"""``hotline conf``: Asterisk's configuration, written and compared."""

from __future__ import annotations

from typing import Annotated

import typer

from asterisk_conf.bundle import find_asterisk
from asterisk_conf.files import Drift, check, prepare
from asterisk_conf.model import SwitchPlan
from asterisk_conf.plan import switch_plan
from config.credentials import credentials
from config.settings import Settings, load_settings
from routing.sample_table import sample_snapshot
from routing.snapshot import SnapshotMissing, load_snapshot

app = typer.Typer(help="Asterisk 配置：生成、检查。", no_args_is_help=True)

WORDS = {
    Drift.MISSING: "缺少",
    Drift.CHANGED: "与路由表和设置不一致",
    Drift.FOREIGN: "不是热线生成的文件",
    Drift.READABLE: "其他用户可以读取，而其中有口令",
}


@app.command("render")
def render() -> None:
    """按设置和已发布的路由表生成全部配置文件。"""
    plan = _plan()
    typer.echo("已生成" if prepare(plan) else "已是最新，没有改动")
    typer.echo(str(plan.home / "etc"))


@app.command("check")
def check_files(
    quiet: Annotated[bool, typer.Option("--quiet", help="只用退出码回答")] = False,
) -> None:
    """磁盘上的配置是否与设置、路由表完全一致；不一致时退出码为 1。"""
    differences = check(_plan())
    for difference in differences:
        if not quiet:
            typer.echo(f"{difference.path}：{WORDS[difference.drift]}")
    if differences:
        if not quiet:
            typer.echo("请运行 ./hotline conf render 重新生成；手工改动请改在设置或路由表里")
        raise typer.Exit(1)
    if not quiet:
        typer.echo("配置与设置、路由表一致")


def _plan() -> SwitchPlan:
    settings: Settings = load_settings()
    asterisk = find_asterisk(lambda line: typer.echo(line, err=True))
    try:
        snapshot = load_snapshot(settings.snapshot_file)
    except SnapshotMissing:
        snapshot = sample_snapshot()
    return switch_plan(settings, credentials(settings.data_dir, snapshot.seats), snapshot, asterisk)
