"""``hotline queues staffing``: how many seats each half-hour needs, from a forecast or from past days."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer
from rich.table import Table

from cli.forecasting.history import INCOMPLETE_PAST, day_of, days_back, history
from cli.forecasting.show import percent, seconds, show, write_chart, wrong
from config.settings import Settings, load_settings
from ledger.measures import Outcome, half_hour
from queues.forecasting.chart import Bar, Panel, bars
from queues.forecasting.erlang import NotCalculable
from queues.forecasting.staffing import HalfHour, Need, Target, plan

CROWDED = 16
"""With more half-hours than this, only whole hours are named below the bars."""

FORECAST_EXAMPLE = "第一行 time,calls，以后每行如 08:30,120"


def command(
    forecast: Annotated[Path | None, typer.Option("--forecast", help=f"预测文件（CSV）：{FORECAST_EXAMPLE}")] = None,
    day: Annotated[str, typer.Option("--day", help="为这一天排班：取前几周同一星期几的平均来电，例如 2026-10-12")] = "",
    weeks: Annotated[int, typer.Option("--weeks", min=1, max=52, help="取前几周")] = 4,
    talk: Annotated[float | None, typer.Option("--talk", help="平均通话时长（秒）；不写则取历史，没有则 180")] = None,
    wrap_up: Annotated[float, typer.Option("--wrap-up", min=0, help="平均话后整理时长（秒）")] = 10,
    ring: Annotated[float, typer.Option("--ring", min=0, help="座席平均几秒接起")] = 3,
    patience: Annotated[float | None, typer.Option("--patience", help="市民平均耐心（秒）；不写则一直等下去")] = None,
    shrinkage: Annotated[float, typer.Option("--shrinkage", help="损耗率（%）：小休、培训、请假占工时的比例")] = 0,
    svg: Annotated[Path | None, typer.Option("--svg", help="把图表写入这个文件")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """排班：每半小时需要几个座席，才能达到设置里的目标（默认 15 秒内接通 95%）。"""
    settings = load_settings()
    if (forecast is None) == (not day):
        raise wrong("请写 --forecast 预测文件，或写 --day 日期（按历史推算），二者选一")
    target = Target(settings.answer_seconds, settings.answer_percent / 100)
    if forecast is not None:
        counts, seen = _forecast(forecast), None
    else:
        counts, seen = asyncio.run(_past(settings, day_of(day, settings), weeks))
    handling = (talk or seen or 180.0) + wrap_up + ring
    try:
        needs = plan(
            [HalfHour(start, calls, handling) for start, calls in counts.items()], target,
            patience_seconds=patience, shrinkage=shrinkage / 100,
        )  # fmt: skip
    except NotCalculable as error:
        raise wrong(str(error)) from None
    if as_data:
        typer.echo(json.dumps({"handling_seconds": handling, "rows": [_data(n, target) for n in needs]}, indent=2))
    else:
        show(_table(needs, target))
        busiest = max(needs, key=lambda need: need.seats)
        typer.echo(
            f"每个来电占用座席 {handling:.0f} 秒；最忙 {busiest.half_hour.start}，需要 {busiest.seats} 个座席在岗；"
            f"全天 {sum(need.rostered for need in needs) / 2:g} 个座席小时"
        )
    if svg is not None:
        write_chart(svg, _chart(needs))


def _forecast(path: Path) -> dict[str, float]:
    """Calls of each half-hour, in the order of the day. Every fault of the file at once."""
    found: dict[str, float] = {}
    faults = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                try:
                    start = half_hour(datetime.strptime((row.get("time") or "").strip(), "%H:%M"))  # noqa: DTZ007 a time of day
                    calls = float(row.get("calls") or "")
                    if not 0 <= calls < 1e9:
                        raise ValueError
                    found[f"{start:%H:%M}"] = found.get(f"{start:%H:%M}", 0.0) + calls
                except ValueError:
                    faults.append(
                        f"第 {number} 行 {row.get('time')},{row.get('calls')}：应为时刻和来电数，例如 08:30,120"
                    )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise wrong(f"--forecast {path}：读不了（{error}）；应为 CSV 文件，{FORECAST_EXAMPLE}") from None
    if faults or not found:
        what = f"有 {len(faults)} 处错误" if faults else "里没有数据行"
        raise wrong("\n".join([f"--forecast {path} {what}；{FORECAST_EXAMPLE}", *faults[:20]]))
    return dict(sorted(found.items()))


async def _past(settings: Settings, day: datetime, weeks: int) -> tuple[dict[str, float], float | None]:
    """Mean calls of each half-hour over the same weekday of past weeks, and their mean talk."""
    pasts = [await history(settings, start, start + timedelta(days=1)) for start in days_back(day, weeks)]
    if not all(one.complete for one in pasts):
        raise wrong(INCOMPLETE_PAST)
    days = [[call for call in one.calls if call.settled] for one in pasts]
    told = [calls for calls in days if calls]
    if not told:
        raise wrong(f"{day:%Y-%m-%d} 之前 {weeks} 周的同一天都没有来电记录；请改用 --forecast，或换一个日期")
    return _mean_day(told, settings), _mean_talk([call for calls in told for call in calls])


def _mean_day(days: Sequence[Sequence[Outcome]], settings: Settings) -> dict[str, float]:
    counts = {f"{hour:02d}:{minute:02d}": 0 for hour in range(24) for minute in (0, 30)}
    for call in (call for calls in days for call in calls):
        counts[f"{half_hour(call.entered_at.astimezone(settings.zone)):%H:%M}"] += 1
    return {start: count / len(days) for start, count in counts.items()}


def _mean_talk(calls: Sequence[Outcome]) -> float | None:
    talks = [call.talk_ms / 1000 for call in calls if call.talk_ms]
    return fmean(talks) if talks else None


def _data(need: Need, target: Target) -> dict[str, float | int | str]:
    return {
        "start": need.half_hour.start,
        "calls": need.half_hour.calls,
        "offered": need.half_hour.offered,
        "seats": need.seats,
        "rostered": need.rostered,
        "service_level": need.outlook.service_level(target.seconds),
        "occupancy": need.outlook.occupancy,
    }


def _table(needs: Sequence[Need], target: Target) -> Table:
    table = Table(title=f"排班：{target.seconds:g} 秒内接通 {target.share * 100:g}%")
    for head in (
        "半小时",
        "来电",
        "话务量",
        "在岗座席",
        "排班座席",
        f"{target.seconds:g} 秒内接通",
        "平均等候",
        "占用率",
    ):
        table.add_column(head, justify="right")
    for need in needs:
        found = need.outlook
        table.add_row(
            need.half_hour.start, f"{need.half_hour.calls:.1f}", f"{need.half_hour.offered:.2f}", str(need.seats),
            str(need.rostered), percent(found.service_level(target.seconds)) if need.seats else "—",
            seconds(found.answer_seconds) if need.seats else "—", percent(found.occupancy) if need.seats else "—",
        )  # fmt: skip
    return table


def _chart(needs: Sequence[Need]) -> str:
    sparse = len(needs) > CROWDED
    names = ["" if sparse and not need.half_hour.start.endswith(":00") else need.half_hour.start for need in needs]
    panels = [
        Panel("座席数", names, [[Bar(need.seats) for need in needs], [Bar(need.rostered) for need in needs]]),
        Panel("来电数", names, [[Bar(need.half_hour.calls) for need in needs]]),
    ]
    return bars("每半小时需要的座席", ("在岗", "排班"), panels)
