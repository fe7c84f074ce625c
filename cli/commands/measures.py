"""``hotline measures``: how well the hotline was answered, from the ledger, whether the engine runs or not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Final

import typer
from rich.table import Table

from cli.exit_codes import end
from cli.forecasting.history import day_of, history
from cli.forecasting.show import percent, seconds, show
from config.settings import load_settings
from ledger.measures import By, Measures, measures, told_apart

HEADS: Final = (
    "来电", "接通", "接通率", "15秒内(振铃起)", "15秒内(提示音后)", "等候(振铃起)", "等候(提示音后)", "放弃", "短放弃",
    "通话", "整理", "占用率",
)  # fmt: skip
BY: Final = {By.GROUP: "技能组", By.NUMBER: "号码", By.AGENT: "工号", By.HALF_HOUR: "半小时"}


def command(
    day: Annotated[str, typer.Option("--day", help="哪一天，例如 2026-10-10；不写则为最近 24 小时")] = "",
    by: Annotated[By | None, typer.Option("--by", help="按技能组、号码、工号或半小时分列")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """服务指标：接通率、15 秒接通率、平均等候、放弃、占用率、话后整理。"""
    settings = load_settings()
    if day:
        since = day_of(day, settings)
        until = since + timedelta(days=1)
    else:
        until = datetime.now(settings.zone)
        since = until - timedelta(days=1)
    past = asyncio.run(history(settings, since, until))
    city = settings.aims
    whole = measures(past.calls, city, past.times)
    parts = {} if by is None else told_apart(past.calls, past.times, by, city, settings.zone)
    if as_data:
        data = {
            "since": since.isoformat(),
            "until": until.isoformat(),
            "aims": asdict(city),
            "complete": past.complete,
            "all": asdict(whole),
            "by": str(by or ""),
            "parts": {key: asdict(part) for key, part in parts.items()},
        }
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        end(complete=past.complete)
        return
    seconds_aim = f"{city.answer_seconds:g}秒"
    table = Table(title=f"{since:%Y-%m-%d %H:%M} 至 {until:%Y-%m-%d %H:%M}")
    table.add_column(BY[by] if by else "")
    for head in HEADS:
        table.add_column(head.replace("15秒", seconds_aim), justify="right")
    for key, part in (*parts.items(), ("合计", whole)):
        table.add_row(key or "（无）", *_row(part))
    show(table)
    if whole.connection_rate is not None:
        reached = "达到" if whole.connection_rate * 100 >= city.percent else "未达到"
        typer.echo(f"接通率 {percent(whole.connection_rate)}，{reached}本市目标 {city.percent:g}%")
    if whole.wrap_up_codes:
        told = "、".join(f"{code or '未填'} {count}" for code, count in whole.wrap_up_codes.items())
        typer.echo(f"处理结果：{told}")
    if not past.times:
        typer.echo("这段时间没有座席工时记录，占用率和话后整理不详")
    end(complete=past.complete)


def _row(part: Measures) -> tuple[str, ...]:
    return (
        str(part.calls), str(part.answered), percent(part.connection_rate), percent(part.in_time_from_ring),
        percent(part.in_time_from_prompt), seconds(part.speed_of_answer), seconds(part.speed_of_answer_after_prompt),
        str(part.abandoned), str(part.short_abandoned), seconds(part.talk_seconds), seconds(part.wrap_up_seconds),
        percent(part.occupancy),
    )  # fmt: skip
