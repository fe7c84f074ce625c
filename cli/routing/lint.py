"""``hotline routing lint``: what is wrong with a table, and what would a citizen suffer from it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import Annotated

import typer

from cli.routing.sources import (
    DRAFT,
    FAILED,
    SOURCES,
    UNUSABLE,
    AsJson,
    settings_or_stop,
    stop,
    surroundings,
    table_from,
)
from routing.calendar import CITY
from routing.columns import place_of, place_words
from routing.faults import Fault, Severity
from routing.lint import RULES, examine
from routing.naming import Names, names_of

_TITLES = {rule.id: rule.title for rule in RULES}


def lint_command(
    source: Annotated[str, typer.Argument(help=SOURCES)] = DRAFT,
    today: Annotated[str, typer.Option("--today", help="按哪一天检查，例如 2026-12-01；默认今天")] = "",
    as_data: AsJson = False,
) -> None:
    """检查路由表：错误不能发布，提醒说明市民会遇到什么；有错误时退出码为 1。"""
    settings = settings_or_stop()
    moment = _day(today)
    table = table_from(source, settings)
    faults = examine(table, surroundings(settings, moment))
    names = names_of(table)
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    if as_data:
        typer.echo(json.dumps([_plain(fault) for fault in faults], ensure_ascii=False, indent=1))
    else:
        for title, told in (("错误，不能发布", errors), ("提醒，可以发布", faults[len(errors) :])):
            if told:
                typer.echo(f"{title}：{len(told)} 处")
            for fault in told:
                _tell(fault, names)
        if not faults:
            typer.echo("没有错误，也没有提醒")
    raise typer.Exit(FAILED if errors else 0)


def _tell(fault: Fault, names: Names) -> None:
    value = f" = {fault.value}" if fault.value else ""
    typer.echo(f"  {_TITLES[fault.rule]}［{fault.rule}］{place_words(fault.path, names)}{value}")
    example = f"；例如 {fault.example}" if fault.example else ""
    typer.echo(f"      {fault.reason}{example}")


def _plain(fault: Fault) -> dict[str, str]:
    place = place_of(fault.path)
    return {
        "rule": fault.rule,
        "severity": str(fault.severity),
        "path": fault.path,
        "table": place.table,
        "row": place.row,
        "field": place.field,
        "value": fault.value,
        "message": fault.reason,
        "fix": fault.example,
    }


def _day(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    try:
        return datetime.combine(date.fromisoformat(text), time(12), CITY)
    except ValueError:
        stop(f"--today {text!r} 不是日期；例如 --today 2026-12-01", UNUSABLE)
