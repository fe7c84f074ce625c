"""``python -m bench.one_key``: one key to the centre under load, against Asterisk's own transfers in the same run.

One job: the order of the run, its figures, and docs/bench/one-key.md. The ways take turns, each with the load on its
own side only, so that no side has the machine for itself for longer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.machine import machine
from bench.one_key_latency import RATE, TALK_SECONDS, Times, Way, amid_load, watched
from bench.systems_under_test import Name, sides, staffed
from config.settings import ROOT

SEATS: Final = 80
"""Enough for fifty talks and one that is watched."""

INVITE_LIMIT_MS: Final = 50.0
TALK_LIMIT_MS: Final = 150.0

LOOK_SECONDS: Final = 3.0
"""How long the machine is looked at before anything is started."""

RESULT: Final = "one-key.json"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one way, ms: the median and what 99 of 100 do not exceed."""

    way: Way
    presses: int
    missed: int
    """Further watched calls in which the keys did not lead to the centre."""
    lost: int
    """Calls of the load that failed."""
    invite_ms: tuple[float, float]
    talk_ms: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Result:
    """One whole run."""

    machine: Mapping[str, Any]
    found: Sequence[Figures]

    @property
    def holds(self) -> bool:
        """One key is quick enough, and nobody of its load was lost."""
        (ours,) = (one for one in self.found if one.way is Way.ONE_KEY)
        return ours.invite_ms[1] <= INVITE_LIMIT_MS and ours.talk_ms[1] <= TALK_LIMIT_MS and not ours.missed + ours.lost

    def lines(self) -> list[tuple[str, ...]]:
        """Way, calls watched, INVITE p50 and p99, talk p50 and p99, keys in vain, calls of the load lost."""
        return [
            (
                str(one.way),
                str(one.presses),
                *(f"{ms:.1f}" for ms in (*one.invite_ms, *one.talk_ms)),
                str(one.missed),
                str(one.lost),
            )
            for one in self.found
        ]


def shares(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99 of 100 (nearest rank), ms."""
    ranked = sorted(seconds)
    at = [ranked[max(0, -(-len(ranked) * share // 100) - 1)] for share in (50, 99)]
    return round(at[0] * 1000, 1), round(at[1] * 1000, 1)


def write(result: Result, folder: Path) -> None:
    """The JSON and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {**asdict(result), "holds": result.holds}
    (folder / RESULT).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "one-key.md").write_text(page(result), "utf-8")


def page(result: Result) -> str:
    """docs/bench/one-key.md."""
    table = "\n".join(f"| {' | '.join(line)} |" for line in result.lines())
    told = "\n".join(f"- {key}: {value}" for key, value in result.machine.items())
    return f"""\
# One key, against Asterisk's own transfers

Written by `.venv/bin/python -m bench.one_key`, all of it in one run; `{
        RESULT
    }` beside this page holds the same figures.

| way | calls | key to INVITE, p50 (ms) | p99 (ms) | key to talk, p50 (ms) | p99 (ms) | keys in vain | load lost |
|---|---|---|---|---|---|---|---|
{table}

Limits for one key: {INVITE_LIMIT_MS:g} ms to the INVITE and {TALK_LIMIT_MS:g} ms to three talking, 99 of 100. This run
{"holds them" if result.holds else "does **not** hold them"}.

- Each way is watched amid {RATE} calls a second and about {
        round(RATE * TALK_SECONDS)
    } talking, on its own Asterisk, with
  phones of our own. Both Asterisks, with their phones, are up all the time; the ways take turns.
- The clock starts at the release of the last key, as the agent's phone sends it. It stops at the centre's INVITE, and
  at the first sound in the ear of the centre, who answers at once. The centre hears 20 ms of sound at a time.
- **One key**: \\*110 in the product. Citizen and agent speak by turns, one call each, so that both are seen to be with
  the centre.
- **Blind transfer**: Asterisk's `blindxfer`, \\*1 and 110. Two talk; the agent is gone.
- **Attended transfer**: Asterisk's `atxfer`, \\*2 and 110, and its three-way key \\*3 when the centre has answered.
  Only then does the citizen, who has heard music, speak with the centre: the clock of "key to talk" starts at \\*3.

## The machine of this run
{told}
"""


async def _measure(presses: int, rounds: int, console: Console) -> Result:
    busy = await asyncio.to_thread(psutil.cpu_percent, LOOK_SECONDS)
    told = machine() | {
        "CPU in use by others before the run": f"{busy:.0f} %",
        "load average before the run": f"{os.getloadavg()[0]:.1f}",
    }
    times, lost = {way: Times() for way in Way}, dict.fromkeys(Way, 0)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("one key under load", total=presses * rounds * len(Way))
        async with AsyncExitStack() as stack:
            people = {}
            for side in await stack.enter_async_context(sides(SEATS, probe=True)):
                await stack.enter_async_context(staffed(side, but_last=True))
                people[side.name] = await watched(side)
            assert set(people) == set(Name)
            for _ in range(rounds):
                for way in Way:
                    lost[way] += await amid_load(
                        people[way.side], way, presses, times[way], lambda: progress.advance(bar)
                    )
    found = [
        Figures(way, len(seen.invite), seen.missed, lost[way], shares(seen.invite), shares(seen.talk))
        for way, seen in times.items()
    ]
    return Result(told, found)


def main() -> None:
    """Measure, print, write docs/bench; status 1 when one key is over a limit or a call of its load was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.one_key", description="One key against Asterisk's own.")
    parser.add_argument("--presses", type=int, default=25, help="watched calls of each way in a turn (25)")
    parser.add_argument("--rounds", type=int, default=4, help="turns of each way (4)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    console = Console()
    result = asyncio.run(_measure(asked.presses, asked.rounds, console))
    table = Table(
        "", "calls", "INVITE p50", "p99", "talk p50", "p99", "in vain", "lost", title="one key under load (ms)"
    )
    for line in result.lines():
        table.add_row(*line)
    console.print(table)
    write(result, asked.out)
    raise SystemExit(0 if result.holds else 1)


if __name__ == "__main__":
    main()
