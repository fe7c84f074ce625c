"""``hotline queues erlang``: Erlang C or A for a few numbers of seats, as a table and a chart."""

from __future__ import annotations

import json
from math import ceil, isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.forecasting.show import percent, seconds, show, write_chart, wrong
from config.settings import load_settings
from queues.forecasting.chart import Line, lines
from queues.forecasting.erlang import NotCalculable, Outlook
from queues.forecasting.staffing import Target, outlook, seats_for

AROUND = 4
"""Rows of the table before and after the seats asked for."""


def command(
    calls: Annotated[float, typer.Option("--calls", min=0, help="每小时来电数")],
    talk: Annotated[float, typer.Option("--talk", help="平均通话时长（秒）")] = 180,
    wrap_up: Annotated[float, typer.Option("--wrap-up", min=0, help="平均话后整理时长（秒）")] = 0,
    seats: Annotated[int | None, typer.Option("--seats", min=1, help="座席数；不写则取刚好达到目标的数目")] = None,
    patience: Annotated[float | None, typer.Option("--patience", help="市民平均耐心（秒）；不写则一直等下去")] = None,
    within: Annotated[
        float | None, typer.Option("--within", min=0, help="应答时限（秒）；不写则用设置里的目标")
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="把图表写入这个文件")] = None,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """排队公式：多少座席时，市民要等多久（Erlang C；写了 --patience 则为 Erlang A）。"""
    settings = load_settings()
    target = Target(settings.answer_seconds if within is None else within, settings.answer_percent / 100)
    handling = talk + wrap_up
    offered = calls * handling / 3600
    try:
        enough = seats_for(offered, handling, target, patience)
        middle = enough if seats is None else seats
        span = range(max(1, middle - AROUND), middle + AROUND + 1)
        found = {n: outlook(offered, n, handling, patience) for n in span}
        rows = [_data(one, target) for one in found.values()]
    except NotCalculable as error:
        raise wrong(str(error)) from None
    if as_data:
        typer.echo(json.dumps({"offered": offered, "enough": enough, "rows": rows}, ensure_ascii=False, indent=2))
    else:
        show(_table(rows, middle, target, impatient=patience is not None))
        typer.echo(
            f"话务量 {offered:.2f} 爱尔兰；{target.seconds:g} 秒内接通 {target.share * 100:g}% 至少需要 {enough} 个座席"
        )
    if svg is not None:
        first = max(1, ceil(offered) - 2)
        wide = {n: outlook(offered, n, handling, patience) for n in range(first, max(enough, middle) + AROUND + 1)}
        write_chart(svg, _chart(wide, target, middle))


def _data(one: Outlook, target: Target) -> dict[str, float | int | None]:
    return {
        "seats": one.seats,
        "wait_share": one.wait_share,
        "service_level": one.service_level(target.seconds),
        "answer_seconds": one.answer_seconds if isfinite(one.answer_seconds) else None,
        "abandon_share": one.abandon_share,
        "occupancy": one.occupancy,
    }


def _table(rows: list[dict[str, float | int | None]], middle: int, target: Target, *, impatient: bool) -> Table:
    table = Table(title="Erlang A" if impatient else "Erlang C")
    for head in ("座席", "需等待", f"{target.seconds:g} 秒内接通", "平均等候", "放弃", "占用率"):
        table.add_column(head, justify="right")
    for row in rows:
        level = row["service_level"] or 0.0
        table.add_row(
            str(row["seats"]), percent(row["wait_share"]), percent(level),
            "越来越长" if row["answer_seconds"] is None else seconds(row["answer_seconds"]),
            percent(row["abandon_share"]), percent(row["occupancy"]),
            style="bold" if row["seats"] == middle else ("" if level >= target.share else "dim"),
        )  # fmt: skip
    return table


def _chart(found: dict[int, Outlook], target: Target, mark: int) -> str:
    curves = [
        Line(
            f"{target.seconds:g} 秒内接通（%）", [(n, o.service_level(target.seconds) * 100) for n, o in found.items()]
        ),
        Line("占用率（%）", [(n, o.occupancy * 100) for n, o in found.items()]),
        Line("放弃（%）", [(n, o.abandon_share * 100) for n, o in found.items()]),
    ]
    return lines("座席数与服务水平", "座席数", "%", curves, target=target.share * 100, mark=mark)
