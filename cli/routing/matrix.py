"""``hotline routing matrix``: every number at every half-hour of a week, and what another table would change."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

import typer

from cli.progress import progress
from cli.routing.sources import DRAFT, SOURCES, UNUSABLE, AsJson, settings_or_stop, snapshot_from, stop
from routing.calendar import city_time
from routing.exchange.periods import days_text
from routing.explain import place_name, rule_name
from routing.model import Snapshot
from routing.naming import PROMPTS, Names, names_of
from routing.simulate import Change, Line, Matrix, Outcome, compare, matrix, numbers_of, week_of

PER_DAY = 48


def matrix_command(
    source: Annotated[str, typer.Argument(help=SOURCES)] = DRAFT,
    against: Annotated[str, typer.Option("--against", help="与另一张表比较，只列不同之处；例如 published")] = "",
    week: Annotated[str, typer.Option("--week", help="哪一周，写其中任一天，例如 2026-10-01；默认本周")] = "",
    callers: Annotated[list[str] | None, typer.Option("--from", help="主叫号码，可以写多次")] = None,
    only: Annotated[list[str] | None, typer.Option("--number", help="只看这些号码，可以写多次")] = None,
    as_data: AsJson = False,
) -> None:
    """推算一周内每半小时、每个号码的去向；不发起呼叫。有 --against 时只列会改变的。"""
    settings = settings_or_stop()
    start = week_of(_day(week))
    wanted = snapshot_from(source, settings)
    other = snapshot_from(against, settings) if against else None
    numbers = tuple(only or numbers_of(wanted, *([other] if other else [])))
    asked = tuple(callers or ("",))
    after = _asked(wanted, start, numbers, asked)
    if other is None:
        _tell_matrix(after, wanted, as_data)
        return
    changes = list(compare(_asked(other, start, numbers, asked), after))
    _tell_changes(changes, after, other, wanted, as_data)


def _asked(snapshot: Snapshot, start: datetime, numbers: tuple[str, ...], callers: tuple[str, ...]) -> Matrix:
    with progress("推算去向") as tell:
        return matrix(snapshot, start, numbers, callers, tell)


def _tell_matrix(found: Matrix, snapshot: Snapshot, as_data: bool) -> None:
    if as_data:
        _print(
            {
                "week": found.start.date().isoformat(),
                "slot_minutes": 30,
                "callers": found.callers,
                "outcomes": [_plain(outcome) for outcome in found.outcomes],
                "numbers": {
                    number: [[[run.first, run.end, run.outcome] for run in line] for line in lines]
                    for number, lines in zip(found.numbers, found.lines, strict=True)
                },
            }
        )
        return
    typer.echo(f"{found.start:%Y-%m-%d} 起一周，{len(found.numbers)} 个号码；去向完全相同的号码合在一起")
    same: dict[tuple[Line, ...], list[str]] = {}
    names = names_of(snapshot)
    for number, lines in zip(found.numbers, found.lines, strict=True):
        same.setdefault(lines, []).append(number)
    for lines, numbers in same.items():
        typer.echo(_names(numbers))
        for caller, line in zip(found.callers, lines, strict=True):
            if caller:
                typer.echo(f"  主叫 {caller}")
            by_outcome: dict[int, list[tuple[int, int]]] = {}
            for run in line:
                by_outcome.setdefault(run.outcome, []).append((run.first, run.end))
            for place, spans in by_outcome.items():
                typer.echo(f"  {_hours(spans)} → {_words(found.outcomes[place], names)}")


def _tell_changes(changes: list[Change], found: Matrix, before: Snapshot, after: Snapshot, as_data: bool) -> None:
    if as_data:
        _print(
            {
                "week": found.start.date().isoformat(),
                "slot_minutes": 30,
                "changes": [
                    {
                        "number": one.number,
                        "caller": one.caller,
                        "first": one.first,
                        "end": one.end,
                        "before": _plain(one.before),
                        "after": _plain(one.after),
                    }
                    for one in changes
                ],
            }
        )
        return
    if not changes:
        typer.echo(f"{found.start:%Y-%m-%d} 起一周，{len(found.numbers)} 个号码的去向完全相同")
        return
    spans: dict[tuple[str, str, Outcome, Outcome], list[tuple[int, int]]] = {}
    for one in changes:
        spans.setdefault((one.number, one.caller, one.before, one.after), []).append((one.first, one.end))
    same: dict[tuple[str, tuple[tuple[int, int], ...], Outcome, Outcome], list[str]] = {}
    for (number, caller, was, becomes), hours in spans.items():
        same.setdefault((caller, tuple(hours), was, becomes), []).append(number)
    changed = {one.number for one in changes}
    old, new = names_of(before), names_of(after)
    typer.echo(f"{found.start:%Y-%m-%d} 起一周，{len(changed)} 个号码的去向会改变（共 {len(found.numbers)} 个）")
    for (caller, when, was, becomes), numbers in same.items():
        typer.echo(_names(numbers) + (f"，主叫 {caller}" if caller else ""))
        typer.echo(f"  {_hours(when)}")
        typer.echo(f"    原来：{_words(was, old)}")
        typer.echo(f"    改为：{_words(becomes, new)}")


def _names(numbers: list[str], most: int = 12) -> str:
    return "、".join(numbers[:most]) + (f" 等 {len(numbers)} 个号码" if len(numbers) > most else "")


def _words(outcome: Outcome, names: Names) -> str:
    overflow = "".join(f"，满 {seconds} 秒溢出到{names.of('groups', group)}" for seconds, group in outcome.overflow)
    prompts = names.listed(PROMPTS, outcome.prompts) or "不放音"
    return f"{place_name(outcome.target, names)}（{rule_name(outcome.rule)}；{prompts}{overflow}）"


def _hours(spans: Iterable[tuple[int, int]]) -> str:
    """Spans of half-hours as people say them: the same hours on several days in one word."""
    by_hours: dict[tuple[int, int], list[int]] = {}
    for day, first, end in _by_day(spans):
        by_hours.setdefault((first, end), []).append(day)
    told = []
    for (first, end), days in by_hours.items():
        names = days_text(frozenset(day + 1 for day in days))
        told.append(names if (first, end) == (0, PER_DAY) else f"{names} {_clock(first)}–{_clock(end)}")
    return "；".join(told)


def _by_day(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, int]]:
    for first, end in spans:
        for day in range(first // PER_DAY, (end - 1) // PER_DAY + 1):
            midnight = day * PER_DAY
            yield day, max(first - midnight, 0), min(end - midnight, PER_DAY)


def _clock(half_hours: int) -> str:
    return f"{half_hours // 2:02}:{half_hours % 2 * 30:02}"


def _plain(outcome: Outcome) -> dict[str, Any]:
    return {
        "target": {"kind": str(outcome.target.kind), "id": outcome.target.id},
        "rule": outcome.rule,
        "prompts": list(outcome.prompts),
        "group": outcome.group,
        "overflow": [{"seconds": seconds, "group": group} for seconds, group in outcome.overflow],
    }


def _print(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _day(text: str) -> date:
    if not text:
        return city_time(datetime.now(UTC)).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f"--week {text!r} 不是日期；例如 --week 2026-10-01", UNUSABLE)
