"""``python -m bench.agent_free_latency``: from "agent free" to the next caller at the agent's phone, ours against
app_queue.

One job: the same line of callers and the same single phone in front of each, and what the phone's clock says.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.machine import machine
from bench.systems_under_test import Name, Side, sides
from config.settings import ROOT
from phones.phone import Answer
from phones.sounds import quiet
from tests.support.product import until

SEAT: Final = "8001"
AGENT: Final = "1001"
TALKS_SECONDS: Final = (0.3, 1.3)
"""Shortest and longest talk, at random and the same for all lines: app_queue looks once a second, at its own beat."""
LIMIT: Final = 50.0
"""How many times shorter the median has to be than that of app_queue as it comes."""
FIRST_CALLER: Final = 13_800_000_000
RESULT: Final = "freed.json"


class Line(StrEnum):
    """Who hands out the waiting callers."""

    OURS = "the product's ACD"
    QUICKEST = "app_queue, retry = 1"
    AS_IT_COMES = "app_queue, retry = 5"

    @property
    def side(self) -> Name:
        return Name.PRODUCT if self is Line.OURS else Name.STATIC

    @property
    def number(self) -> str:
        """What its callers dial."""
        return {Line.OURS: "12345", Line.QUICKEST: "queue1", Line.AS_IT_COMES: "queue5"}[self]


@dataclass(frozen=True, slots=True)
class Gaps:
    """Of one line, ms from the agent's BYE to the next INVITE at the same phone."""

    line: Line
    ms: tuple[float, ...]
    in_turn: int
    """Callers who came in the order in which they had called."""

    @property
    def median_ms(self) -> float:
        return round(median(self.ms), 1)

    @property
    def worst_ms(self) -> float:
        return round(max(self.ms), 1)


@dataclass(frozen=True, slots=True)
class Result:
    """One whole run."""

    callers: int
    found: Sequence[Gaps]
    machine: Mapping[str, Any]

    @property
    def times_shorter(self) -> dict[Line, float]:
        """The median of each line over ours."""
        ours = next(gaps.median_ms for gaps in self.found if gaps.line is Line.OURS)
        return {gaps.line: round(gaps.median_ms / ours, 1) for gaps in self.found}

    @property
    def holds(self) -> bool:
        """Short enough, and every caller in turn."""
        ours = next(gaps for gaps in self.found if gaps.line is Line.OURS)
        return self.times_shorter[Line.AS_IT_COMES] >= LIMIT and ours.in_turn == self.callers

    def lines(self) -> list[tuple[str, ...]]:
        """Line, median, longest, how often the right one was next, how many times ours."""
        return [
            (
                str(gaps.line),
                f"{gaps.median_ms:.1f}",
                f"{gaps.worst_ms:.1f}",
                f"{gaps.in_turn} of {self.callers}",
                f"{self.times_shorter[gaps.line]:.0f}",
            )
            for gaps in self.found
        ]


async def served(side: Side, line: Line, callers: int, step: Callable[[], None]) -> Gaps:
    """So many wait; then one phone takes them one after the other, hanging up each time."""
    running = side.instance
    seat = await running.seat(SEAT, behaviour=Answer(after=0)) if line is Line.OURS else None
    citizen = running.citizen()
    calls = []
    for n in range(callers):
        calls.append(await citizen.call(line.number, caller=str(FIRST_CALLER + n), sound=quiet()))
        await calls[-1].answered(20)
        await asyncio.sleep(0.1)  # one after the other, so that there is an order
    if line is Line.OURS:
        await until(lambda: _waiting(side, callers), "all to wait")
        await running.ask(f"/api/agents/{AGENT}/sign-in", {"seat": SEAT})
    else:
        await asyncio.sleep(1)
    if seat is None:
        seat = await running.seat(SEAT, behaviour=Answer(after=0))
    gaps, order, dice = [], [], random.Random(callers)
    freed: float | None = None
    for _ in range(callers):
        talk = await seat.wait_talking(60)
        if freed is not None:
            gaps.append((talk.started_at - freed) * 1000)
        order.append(talk.caller)
        await asyncio.sleep(dice.uniform(*TALKS_SECONDS))
        freed = seat.now
        await talk.hang_up()
        step()
    for call in calls:
        if not call.is_over:
            await call.hang_up()
    await seat.close()
    await side.quiet()
    wanted = [str(FIRST_CALLER + n) for n in range(callers)]
    return Gaps(line, tuple(gaps), sum(one == other for one, other in zip(order, wanted, strict=True)))


async def _waiting(side: Side, callers: int) -> bool:
    return bool((await side.instance.ask("/api/status"))["waiting"] == callers)


async def measure(callers: int, console: Console) -> Result:
    """All lines, one after the other, in front of the same two Asterisks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("agent free", total=callers * len(Line))
        async with AsyncExitStack() as stack:
            both = {side.name: side for side in await stack.enter_async_context(sides(1))}
            found = [await served(both[line.side], line, callers, lambda: progress.advance(bar)) for line in Line]
    return Result(callers, found, machine())


def page(result: Result) -> str:
    """docs/bench/freed.md."""
    table = "\n".join(f"| {' | '.join(line)} |" for line in result.lines())
    told = "\n".join(f"- {key}: {value}" for key, value in result.machine.items())
    shortest, longest = TALKS_SECONDS
    return f"""\
# From "agent free" to the next caller

Written by `.venv/bin/python -m bench.agent_free_latency`, all of it in one run; `{RESULT}` beside this page holds every
gap.

| line | median (ms) | longest (ms) | right caller next | times ours |
|---|---|---|---|---|
{table}

The median is to be at least {LIMIT:g} times shorter than that of app_queue as it comes, and every caller in turn: this
run {"holds both" if result.holds else "does **not** hold both"}.

- {result.callers} callers wait in a line before one phone, which answers at once. Its talks last {shortest:g} to
  {longest:g} s, the same in front of each line. A gap is from its BYE to the next INVITE, by the phone's own clock;
  no wrap-up on any side.
- app_queue's callers look once a second whether it is their turn, whatever its settings. `retry` is 5 when nobody
  sets it, and 1 at the least. Its other settings: autofill, leastrecent, ringinuse = no.

## The machine of this run
{told}
"""


def write(result: Result, folder: Path) -> None:
    """The JSON and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = asdict(result) | {"times_shorter": result.times_shorter, "holds": result.holds}
    (folder / RESULT).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "freed.md").write_text(page(result), "utf-8")


def main() -> None:
    """Measure, print, write docs/bench; status 1 when the limit is not held or a caller was not in turn."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.agent_free_latency", description="Agent free to the next caller."
    )
    parser.add_argument("--callers", type=int, default=25, help="callers in each line (25)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    console = Console()
    result = asyncio.run(measure(asked.callers, console))
    table = Table("", "median", "longest", "in turn", "times ours", title="agent free to the next INVITE (ms)")
    for line in result.lines():
        table.add_row(*line)
    console.print(table)
    write(result, asked.out)
    raise SystemExit(0 if result.holds else 1)


if __name__ == "__main__":
    main()
