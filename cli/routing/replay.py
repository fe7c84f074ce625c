"""``hotline routing replay``: calls that really came in, asked again with another table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from cli.routing.sources import (
    DRAFT,
    PUBLISHED,
    SOURCES,
    UNUSABLE,
    AsJson,
    in_database,
    settings_or_stop,
    snapshot_from,
    stop,
)
from config.settings import Settings
from database.connection import Database
from ledger.reader import calls_now
from ledger.records import CallRecord
from ledger.store import CallFilter
from routing.calendar import CITY, city_time
from routing.explain import place_name, rule_name
from routing.model import Snapshot, Target, TargetKind
from routing.naming import PROMPTS, names_of
from routing.replay import Past, Replay, replay
from routing.replay_diagram import flows
from routing.snapshot import SnapshotCorrupt, from_json
from routing.store import read_version

MOST_CALLS = 1_000_000
SHOWN_CALLS = 3


def replay_command(
    source: Annotated[str, typer.Argument(help=SOURCES)] = DRAFT,
    day: Annotated[str, typer.Option("--day", help="哪一天的来电，例如 2026-11-21；默认昨天")] = "",
    picture: Annotated[Path | None, typer.Option("--svg", help="同时画成图，写到这个文件")] = None,
    as_data: AsJson = False,
) -> None:
    """用昨天的真实来电推算：换成这张表，哪些来电会由别处接听；不发起呼叫。"""
    settings = settings_or_stop()
    start = _day(day)
    present, wanted = snapshot_from(PUBLISHED, settings), snapshot_from(source, settings)
    records, versions = in_database(settings, lambda database: _history(database, settings, start))
    calls = [Past(one.call, one.number, one.caller, one.entered_at, one.version) for one in records if one.number]
    found = replay(calls, lambda version: versions.get(version or 0), present, wanted)
    name = _names(wanted, present)
    title = f"{start:%Y-%m-%d} 的来电：实际与改动后"
    if picture is not None:
        try:
            picture.write_text(flows(found, title, name), encoding="utf-8")
        except OSError as error:
            stop(f"写不了 {picture}（{error.strerror}）；请换一个位置", UNUSABLE)
    if as_data:
        typer.echo(json.dumps(_plain(found), ensure_ascii=False, indent=1))
        return
    _tell(found, start, present, wanted)
    if picture is not None:
        typer.echo(f"图在 {picture}")


async def _history(
    database: Database, settings: Settings, start: datetime
) -> tuple[list[CallRecord], dict[int, Snapshot]]:
    """The day's calls, and the tables that they were routed by."""
    wanted = CallFilter(start, start + timedelta(days=1), limit=MOST_CALLS)
    records = await calls_now(database, settings.data_dir / "journal", settings.node, wanted)
    versions: dict[int, Snapshot] = {}
    async with database.reading() as session:
        for version in sorted({one.version for one in records if one.version is not None}):
            found = await read_version(session, version)
            if found is None:
                continue
            try:
                versions[version] = from_json(found[1])
            except SnapshotCorrupt as error:
                typer.echo(f"版本 {version} 读不出来（{error}），用现在发布的版本代替", err=True)
    return records, versions


def _tell(found: Replay, start: datetime, present: Snapshot, wanted: Snapshot) -> None:
    if not found.calls:
        typer.echo(f"{start:%Y-%m-%d} 没有来电；可用 --day 换一天")
        return
    share = 100 * found.elsewhere / found.calls
    old, new = names_of(present), names_of(wanted)
    typer.echo(f"{start:%Y-%m-%d} 共 {found.calls} 个来电，{found.elsewhere} 个会不同（{share:.1f}%）")
    for one in found.moved:
        was, becomes = place_name(one.before.target, old), place_name(one.after.target, new)
        where = f"{was} → {becomes}" if one.before.target != one.after.target else f"{was}（去向相同）"
        typer.echo(f"  {one.number}：{len(one.calls)} 个，{where}")
        if one.before.rule != one.after.rule:
            typer.echo(f"      依据：{rule_name(one.before.rule)} → {rule_name(one.after.rule)}")
        if one.before.prompts != one.after.prompts:
            heard, hears = old.listed(PROMPTS, one.before.prompts), new.listed(PROMPTS, one.after.prompts)
            typer.echo(f"      提示音：{heard or '不放音'} → {hears or '不放音'}")
        more = "……" if len(one.calls) > SHOWN_CALLS else ""
        typer.echo(f"      例如 {'、'.join(one.calls[:SHOWN_CALLS])}{more}（hotline calls show 编号）")
    if found.unknown_versions:
        typer.echo(f"其中 {found.unknown_versions} 个来电当时的版本已不可知，按现在发布的版本比较")


def _plain(found: Replay) -> dict[str, object]:
    return {
        "calls": found.calls,
        "elsewhere": found.elsewhere,
        "unknown_versions": found.unknown_versions,
        "moved": [
            {
                "number": one.number,
                "before": {"target": one.before.target.id, "rule": one.before.rule},
                "after": {"target": one.after.target.id, "rule": one.after.rule},
                "calls": list(one.calls),
            }
            for one in found.moved
        ],
        "places": [{"before": was, "after": becomes, "calls": n} for (was, becomes), n in found.places.items()],
    }


def _names(*snapshots: Snapshot) -> Callable[[str], str]:
    @cache
    def name(place: str) -> str:
        for snapshot in snapshots:
            kinds: tuple[tuple[TargetKind, Mapping[str, object]], ...] = (
                (TargetKind.GROUP, {str(group): None for group in snapshot.groups}),
                (TargetKind.SUBCENTRE, snapshot.trunks),
            )
            for kind, known in kinds:
                if place in known:
                    return place_name(Target(kind, place), names_of(snapshot))
        return place

    return name


def _day(text: str) -> datetime:
    try:
        day = date.fromisoformat(text) if text else city_time(datetime.now(UTC)).date() - timedelta(days=1)
    except ValueError:
        stop(f"--day {text!r} 不是日期；例如 --day 2026-11-21", UNUSABLE)
    return datetime.combine(day, time(0), CITY)
