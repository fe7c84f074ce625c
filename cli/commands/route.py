"""``hotline route test``: where a call would go, and why, without a call."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from calls.closed_groups import FILE as CLOSED_FILE
from calls.closed_groups import ClosedGroups
from cli.routing.sources import PUBLISHED, SOURCES, snapshot_from
from config.settings import Settings, SettingsError, load_settings
from routing.calendar import CITY, city_time
from routing.closed_groups import avoiding
from routing.explain import as_json, explain
from routing.model import CallFacts, Snapshot
from routing.naming import names_of
from routing.rules import decide
from routing.sample_table import sample_snapshot
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

app = typer.Typer(help="路由：一个来电会去哪里，为什么；路由表本身见 ./hotline routing。", no_args_is_help=True)

SAMPLE_NOTE = "还没有发布过路由表，以下按内置示例（示例，待核）推算"
UNUSABLE = 2


@app.callback()
def _route() -> None:
    """路由：一个来电会去哪里，为什么；路由表本身见 ./hotline routing。"""


@app.command("test")
def route_test(
    number: Annotated[str, typer.Argument(help="市民拨打的号码，例如 12333")],
    caller: Annotated[str, typer.Option("--from", help="主叫号码")] = "",
    at: Annotated[str, typer.Option("--at", help="时间，例如 2026-10-10T09:00（不带时区即北京时间）；默认现在")] = "",
    source: Annotated[str, typer.Option("--table", help=SOURCES)] = PUBLISHED,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """推算一个来电的去向，并说明每一步判断；不发起呼叫。"""
    try:
        snapshot, note = _table(source, load_settings())
        moment = _moment(at)
    except (SettingsError, SnapshotCorrupt, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
    decision = decide(CallFacts(number, caller), snapshot, moment)
    if source == PUBLISHED and not at:  # who is closed now says nothing of another hour, or of a table to come
        closed = ClosedGroups(load_settings().data_dir / CLOSED_FILE).closed
        decision = avoiding(decision, closed, snapshot.default_group, called=snapshot.group_name)
    if as_data:
        data = {"at": moment.isoformat(), "sample": bool(note), **as_json(decision)}
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    if note:
        typer.echo(note)
    typer.echo(f"时间：{city_time(moment):%Y-%m-%d %H:%M:%S}（北京时间）")
    for line in explain(decision, names_of(snapshot)):
        typer.echo(line)


def _table(source: str, settings: Settings) -> tuple[Snapshot, str]:
    if source != PUBLISHED:
        return snapshot_from(source, settings), ""
    try:
        return load_snapshot(settings.snapshot_file), ""
    except SnapshotMissing:
        return sample_snapshot(), SAMPLE_NOTE


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC).astimezone(CITY)
    try:
        moment = datetime.fromisoformat(text)
        return city_time(moment if moment.tzinfo else moment.replace(tzinfo=CITY))
    except (ValueError, OverflowError):
        raise ValueError(f"--at {text!r} 不是时间；例如 --at 2026-10-10T09:00 或 2026-10-10T01:00:00Z") from None
