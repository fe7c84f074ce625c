"""``hotline queues simulate``: what would be if, side by side: the floor as it is, with more seats, by a draft."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.forecasting.floors import (
    CALLERS_EXAMPLE,
    SHIFTS_EXAMPLE,
    Caller,
    Post,
    callers_of,
    callers_seen,
    counts,
    draft,
    floor,
    posts_of,
    posts_of_table,
    published,
    rates,
    with_more,
)
from cli.forecasting.history import INCOMPLETE_PAST, day_of, history
from cli.forecasting.show import percent, seconds, show, write_chart, wrong
from config.settings import Settings, load_settings
from queues.forecasting.chart import Bar, Panel, bars
from queues.forecasting.figures import Estimate, over_runs
from queues.forecasting.scenario import Duration, Habits, Scenario, Shape
from queues.forecasting.simulation import Run, simulate
from routing.model import Snapshot
from telephony.model import GroupId

POISSON: Final = "poisson"
LEDGER: Final = "ledger"
SHARES: Final = ("answered", "in_time", "wait_share", "abandoned", "occupancy")
QUIET_SECONDS: Final = 2.0
"""A run that is shorter shows no progress."""


def command(
    arrivals: Annotated[
        str,
        typer.Option(
            "--arrivals", help=f"来电：poisson（随机）、ledger（流水中 --day 那天）或 CSV 文件：{CALLERS_EXAMPLE}"
        ),
    ] = POISSON,
    rate: Annotated[
        list[str] | None, typer.Option("--rate", help="每小时来电数：120（拨打 12345）或 12333=30；可多次")
    ] = None,
    day: Annotated[str, typer.Option("--day", help="哪一天；ledger 必填，其他默认今天")] = "",
    seats: Annotated[list[str] | None, typer.Option("--seats", help="座席数：14 或 技能组=数目；可多次")] = None,
    shifts: Annotated[Path | None, typer.Option("--shifts", help=f"班次文件（CSV）：{SHIFTS_EXAMPLE}")] = None,
    more: Annotated[list[str] | None, typer.Option("--more", help="如果多几个座席：2 或 技能组=2；可多次")] = None,
    policy: Annotated[Path | None, typer.Option("--policy", help="如果改用这份路由表草稿（TOML）")] = None,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=48, help="随机来电模拟几小时")] = 8,
    from_hour: Annotated[int, typer.Option("--from", min=0, max=23, help="随机来电从几点开始")] = 9,
    talk: Annotated[float, typer.Option("--talk", min=1, max=86_400, help="平均通话时长（秒）")] = 180,
    shape: Annotated[Shape, typer.Option("--shape", help="通话时长的分布")] = Shape.LOGNORMAL,
    wrap_up: Annotated[
        float | None, typer.Option("--wrap-up", min=0, max=600, help="平均话后整理（秒）；不写则照技能组的设置")
    ] = None,
    ring: Annotated[float, typer.Option("--ring", min=0, max=120, help="座席平均几秒接起")] = 3,
    patience: Annotated[
        float | None, typer.Option("--patience", min=1, max=86_400, help="市民平均耐心（秒）；不写则一直等下去")
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=2, max=1000, help="独立重复几次")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="随机种子；相同则结果相同")] = 1,
    svg: Annotated[Path | None, typer.Option("--svg", help="把图表写入这个文件")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """推演：用真正的分配规则模拟一段时间，并排比较“如果多几个座席”“如果改路由表”。"""
    settings = load_settings()
    table = published(settings)
    start, end, callers, flow = _callers(settings, table, arrivals, day, rate or (), hours, from_hour)
    posts = _posts(table, seats or (), shifts, start)
    people = Habits(
        _talks(callers, talk, shape), None if wrap_up is None else Duration(wrap_up), Duration(ring),
        None if patience is None else Duration(patience),
    )  # fmt: skip
    warm_up = min(1800.0, (end - start).total_seconds() / 8) if flow else 0.0

    def scenario(name: str, by: Snapshot, staff: Sequence[Post]) -> Scenario:
        return floor(name, by, staff, callers, flow, (start, end), people, warm_up)

    extra = counts(more or (), "--more", table, table.default_group)
    floors = [scenario("现状", table, posts)]
    if extra:
        name = "、".join(f"{table.groups[group].name}加 {count}" for group, count in extra.items())
        floors.append(scenario(name, table, with_more(posts, extra)))
    if policy is not None:
        floors.append(scenario(f"草稿 {policy.name}", draft(policy, table), posts))
    found = {one.name: _simulated(one, runs, seed) for one in floors}
    _tell(found, settings, table, people, as_data=as_data)
    if svg is not None:
        write_chart(svg, _chart(found, settings))


def _callers(
    settings: Settings, table: Snapshot, arrivals: str, day: str, rate: Sequence[str], hours: float, from_hour: int
) -> tuple[datetime, datetime, list[Caller], dict[str, float]]:
    """From, to, callers one by one, callers by chance."""
    midnight = day_of(day, settings) if day else datetime.now(settings.zone).replace(
        hour=0, minute=0, second=0, microsecond=0
    )  # fmt: skip
    if arrivals == POISSON:
        flow = rates(rate, table)
        if not any(flow.values()):
            raise wrong("请用 --rate 写每小时来电数，例如 --rate 120 或 --rate 12333=30")
        start = midnight.replace(hour=from_hour)
        return start, start + timedelta(hours=hours), [], flow
    if arrivals == LEDGER:
        if not day:
            raise wrong("请用 --day 写明取哪一天的来电，例如 --day 2026-10-10")
        past = asyncio.run(history(settings, midnight, midnight + timedelta(days=1)))
        if not past.complete:
            raise wrong(INCOMPLETE_PAST)
        callers = callers_seen(past.calls)
        if not callers:
            raise wrong(f"流水里 {day} 没有来电；可用 ./hotline calls list 查看有哪些，或改用 --arrivals poisson")
    else:
        callers = callers_of(Path(arrivals), midnight, table)
    return callers[0].at, callers[-1].at + timedelta(seconds=1), callers, {}


def _posts(table: Snapshot, seats: Sequence[str], shifts: Path | None, start: datetime) -> list[Post]:
    if shifts is not None and seats:
        raise wrong("--seats 与 --shifts 只写一个")
    if shifts is not None:
        return posts_of(shifts, start.replace(hour=0, minute=0, second=0, microsecond=0), table)
    if seats:
        return [
            Post(count, (group,)) for group, count in counts(seats, "--seats", table, table.default_group).items()
        ]  # fmt: skip
    return posts_of_table(table)


def _talks(callers: Sequence[Caller], mean: float, shape: Shape) -> Duration:
    """How long those talk of whom we do not know it: as those of whom we do, when there are any."""
    seen = tuple(caller.talk_seconds for caller in callers if caller.talk_seconds is not None)
    return Duration(mean, shape, seen=seen)


def _simulated(scenario: Scenario, runs: int, seed: int) -> list[Run]:
    """The runs; with a bar on the terminal when they take more than a moment."""
    began, found = time.monotonic(), []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    bar = progress.add_task(scenario.name, total=runs)
    try:
        for number in range(runs):
            found.append(simulate(scenario, seed * 1_000_003 + number))
            progress.update(bar, completed=number + 1)
            if not progress.live.is_started and time.monotonic() - began > QUIET_SECONDS:
                progress.start()
    finally:
        progress.stop()
    return found


def _tell(
    found: Mapping[str, Sequence[Run]], settings: Settings, table: Snapshot, people: Habits, *, as_data: bool
) -> None:
    target = settings.answer_seconds
    groups = list(dict.fromkeys(fate.group for runs in found.values() for run in runs for fate in run.fates))
    whole = {name: over_runs(runs, target) for name, runs in found.items()}
    by_group = {
        group: {name: _of_group(runs, group, target) for name, runs in found.items()} for group in sorted(groups)
    }
    if as_data:
        data = {name: {key: _plain(value) for key, value in figures.items()} for name, figures in whole.items()}
        parts = {
            group: {name: {k: _plain(v) for k, v in one.items()} for name, one in rows.items()}
            for group, rows in by_group.items()
        }
        typer.echo(json.dumps({"floors": data, "groups": parts}, ensure_ascii=False, indent=2))
        return
    shown = Table(title="推演结果（± 为 95% 置信区间）")
    shown.add_column("")
    for name in found:
        shown.add_column(name, justify="right")
    _rows(shown, whole, settings, "")
    if len(groups) > 1:
        for group, rows in by_group.items():
            shown.add_section()
            name = table.groups[group].name if group in table.groups else str(group)
            _rows(shown, rows, settings, f"{name} · ")
    show(shown)
    known = f"，{len(people.talk.seen)} 次通话取自记录" if people.talk.seen else ""
    typer.echo(f"每种做法独立重复 {len(next(iter(found.values())))} 次，来电与通话时长相同{known}")


def _of_group(runs: Sequence[Run], group: GroupId, target: float) -> Mapping[str, Estimate]:
    figures = dict(over_runs(runs, target, lambda fate: fate.group == group))
    del figures["occupancy"]  # seats serve several groups
    return figures


def _rows(table: Table, columns: Mapping[str, Mapping[str, Estimate]], settings: Settings, before: str) -> None:
    words = {
        "calls": "来电数",
        "answered": "接通率",
        "in_time": f"{settings.answer_seconds:g} 秒内接通",
        "wait_share": "需等待",
        "answer_seconds": "平均等候（接通者）",
        "abandoned": "放弃率",
        "occupancy": "占用率",
    }
    for key, word in words.items():
        if all(key in figures for figures in columns.values()):
            table.add_row(f"{before}{word}", *(_shown(key, figures[key]) for figures in columns.values()))


def _shown(key: str, value: Estimate) -> str:
    if key in SHARES:
        return percent(value.mean, value.half)
    return seconds(value.mean, value.half) if key == "answer_seconds" else f"{value.mean:.0f}"


def _plain(value: Estimate) -> dict[str, Any]:
    return {key: number if isfinite(number) else None for key, number in asdict(value).items()}


def _chart(found: Mapping[str, Sequence[Run]], settings: Settings) -> str:
    whole = [over_runs(runs, settings.answer_seconds) for runs in found.values()]

    def scaled(value: Estimate, times: float) -> Bar:
        return Bar(value.mean * times, value.half * times)

    words = {
        "in_time": f"{settings.answer_seconds:g} 秒内接通",
        "answered": "接通率",
        "abandoned": "放弃率",
        "occupancy": "占用率",
    }
    shares = [[scaled(figures[key], 100) for key in words] for figures in whole]
    waits = [[scaled(figures["answer_seconds"], 1)] for figures in whole]
    panels = [
        Panel("比例（%）", list(words.values()), shares, target=settings.answer_percent),
        Panel("平均等候（秒）", ["接通者"], waits),
    ]
    return bars("如果……会怎样", list(found), panels)
