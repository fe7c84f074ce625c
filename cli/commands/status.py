"""``hotline status``: is everything well? Exit 0 only then."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.engine_client import ask, names
from ledger.labels_zh import DRILL_STATES
from orders.model import OrderState
from orders.rules import NAMES
from queues.labels_zh import STATE

UP = {True: "通", False: "不通", None: "未探测"}


def command(as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
    """运行状态：Asterisk、引擎、数据库、流水、来电、排队、座席。"""
    now = ask("/api/status")
    if as_data:
        typer.echo(json.dumps(now, ensure_ascii=False, indent=2))
    else:
        seats = "，".join(f"{STATE.get(state, state)} {count}" for state, count in sorted(now["seats"].items()))
        typer.echo(f"总体      {'正常' if now['healthy'] else '故障'}")
        typer.echo(f"Asterisk  {'已连接' if now['ami']['state'] == 'up' else '未连接'}（节点 {now['node']}）")
        typer.echo(f"路由表    版本 {now['table_version']}")
        typer.echo(
            f"来电      {now['calls']} 个，其中排队 {now['waiting']}、振铃 {now['ringing']}、通话 {now['talking']}"
        )
        typer.echo(f"最长等待  {now['longest_wait_ms'] / 1000:.1f} 秒")
        typer.echo(f"座席      {seats or '没有人签入'}")
        typer.echo(f"流水      已写 {now['journal']['written']} 条，数据库落后 {now['database']['lag_facts']} 条")
        if now["orders"]:
            standing = "，".join(
                f"{NAMES[OrderState(state)]} {count}" for state, count in sorted(now["orders"].items())
            )
            typer.echo(f"应急工单  {standing}")
        called = names()
        for centre in sorted({row["centre"] for row in now["centres"]}):
            told = (
                f"{called.of('trunks', row['trunk'])} {UP[row['up']]}"
                for row in now["centres"]
                if row["centre"] == centre
            )
            typer.echo(f"{centre}       {'，'.join(told)}")
        for partner in dict.fromkeys(row["partner"] for row in now["partners"]):
            mine = [row for row in now["partners"] if row["partner"] == partner]
            told = (f"{called.of('trunks', row['trunk'])} {UP[row['up']]}" for row in mine)
            typer.echo(f"{mine[0]['name']}（{mine[0]['key']}）  {'，'.join(told)}")
        for drill in now["drills"]:
            where = f"，线路 {called.of('trunks', drill['trunk'])}" if drill["trunk"] else ""
            typer.echo(f"演练      {drill['target']}，话机 {drill['seat']}，{DRILL_STATES[drill['state']]}{where}")
        for alarm in now["alarms"]:
            typer.echo(f"{'告警' if alarm['grave'] else '提醒'}      {alarm['text']}")
        for fault in now["faults"]:
            typer.echo(f"故障      {fault}")
    raise typer.Exit(0 if now["healthy"] else 1)
