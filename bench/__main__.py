"""``python -m bench``: the product against a static dialplan, in turn in one run; prints the ratios.

One job: the order of a run, and its progress.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import idle_latency, load, report
from bench.machine import machine
from bench.systems_under_test import Side, sides, staffed
from config.settings import ROOT
from phones.errors import SippFailed
from phones.load import CalleeLoad

SEATS = 200
RATE = 20


def main() -> None:
    """Measure, print, and write docs/bench; status 1 for a lost call, or for either kind over the limit."""
    asked = _arguments()
    console = Console()
    result = asyncio.run(_measure(asked, console))
    table = Table("", "static", "product", "ratio", title="product against static dialplan")
    for line in result.lines():
        table.add_row(*line)
    console.print(table)
    report.write(result, asked.out)
    console.print(f"lost by the product at {RATE} calls/s: {result.lost}; written to {asked.out}")
    raise SystemExit(0 if report.holds(result) else 1)


async def _measure(asked: argparse.Namespace, console: Console) -> report.Result:
    load_before = os.getloadavg()[0]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        steady: dict[bool, list[load.Run]] = {True: [], False: []}
        steps: list[load.Run] = []
        async with sides(SEATS) as both:
            for voices in (True, False):
                async with staffed(both[0], voices=voices) as one, staffed(both[1], voices=voices) as two:
                    pairs = ((both[0], one), (both[1], two))
                    name = f"{RATE} calls/s, {'with voices' if voices else 'silent'}"
                    bar = progress.add_task(name, total=asked.rounds * 2)
                    for _ in range(asked.rounds):
                        for side, seats in pairs:
                            found = await load.run(
                                side, seats, RATE, asked.seconds, settle=load.SETTLE_SECONDS, voices=voices
                            )
                            steady[voices].append(found)
                            console.print(_line(found))
                            progress.advance(bar)
                    if not voices:
                        steps = await _search(pairs, progress)
        async with sides(1) as both:
            bar = progress.add_task("one key", total=asked.presses * 2)
            quick = [await idle_latency.quick(side, asked.presses, lambda: progress.advance(bar)) for side in both]
    told = machine() | {"load average before the run": f"{load_before:.1f}"}
    return report.Result(told, steady[True], steady[False], steps, quick)


async def _search(pairs: Sequence[tuple[Side, CalleeLoad]], progress: Progress) -> list[load.Run]:
    """Higher and higher rates; a side is out after its first loss, which has to happen twice to count."""
    rates = load.rates()
    bar = progress.add_task("highest rate", total=len(rates))
    racing, steps = list(pairs), []
    for rate in rates:
        for pair in tuple(racing):
            found = await _step(pair, rate)
            if found.lost:
                found = await _step(pair, rate)
            steps.append(found)
            progress.console.print(_line(found))
            if found.lost:
                racing.remove(pair)
        progress.advance(bar)
        if not racing:
            break
    return steps


async def _step(pair: tuple[Side, CalleeLoad], rate: int) -> load.Run:
    """One short run; a side that does not come to rest, or whose SIPp does not end, has lost its calls."""
    try:
        return await load.run(*pair, rate, load.STEP_SECONDS, talk=load.STEP_TALK_SECONDS)
    except (TimeoutError, SippFailed):
        calls = round(rate * load.STEP_SECONDS)
        return load.Run(pair[0].name, rate, load.STEP_SECONDS, calls, calls, 0, 0.0, 0.0, (0.0, 0.0))


def _line(found: load.Run) -> str:
    return (
        f"{found.side}: {found.rate} calls/s, {found.calls} calls, {found.lost} lost, "
        f"Asterisk {found.asterisk_ms} ms, engine {found.engine_ms} ms"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="The product against a static dialplan.")
    parser.add_argument("--seconds", type=float, default=30, help="length of each steady run (30)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each side (1)")
    parser.add_argument("--presses", type=int, default=10, help="calls for the quiet figures (10)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
