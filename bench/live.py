"""``python -m bench.live``: from an event to 300 screens at a steady rate of calls, and what screens cost the calls.

One job: the same load with and without pages that watch, in turn in one run; the ratios and the delays.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_urlsafe
from statistics import mean, median
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import load
from bench.machine import machine
from bench.seat_floor import FIRST_AGENT
from bench.systems_under_test import Side, sides, staffed
from config.settings import ROOT
from console.screens.topics import Topic
from database.connection import open_database
from tests.support.product import Product, now
from users import store
from users.model import Role, Session
from users.passwords import digest

SEATS: Final = 290
"""With a page at each; the rest of :data:`PAGES` are supervisors', which watch everything."""

PAGES: Final = 300
RATE: Final = 20
LIMIT_MS: Final = 300.0
"""95 of 100 changes are on the screens within so long."""

SAME: Final = 1.25
"""The answer time with pages is taken for unchanged up to so many times that without, or :data:`NOISE_MS` more."""

NOISE_MS: Final = 5.0
RESULT: Final = "live.json"
DESK: Final = ",".join((Topic.ME, Topic.ROUTES, Topic.ANNOUNCEMENTS, Topic.WORK, Topic.GROUPS))
WALL: Final = ",".join(topic for topic in Topic if topic is not Topic.ME)
LINE_BYTES: Final = 1 << 26


@dataclass(frozen=True, slots=True)
class Watched:
    """One load while the pages watched."""

    run: load.Run
    delays_ms: Sequence[int]
    """Of every seat state that came to a screen: from the engine hearing of it to the page having the frame."""
    frames: int
    """Frames that the pages got, of all topics."""


@dataclass(frozen=True, slots=True)
class Result:
    """One whole run."""

    alone: Sequence[load.Run]
    watched: Sequence[Watched]
    closed: int
    """Pages that were let go."""
    machine: Mapping[str, Any]

    @property
    def delays_ms(self) -> list[int]:
        return sorted(ms for one in self.watched for ms in one.delays_ms)

    def share_ms(self, share: float) -> int:
        """The delay that such a share of the changes does not exceed."""
        delays = self.delays_ms
        return delays[min(len(delays) - 1, int(share * len(delays)))] if delays else 0

    @property
    def lost(self) -> int:
        return sum(run.lost for run in (*self.alone, *(one.run for one in self.watched)))

    def answer_ms(self, place: int) -> tuple[float, float]:
        """Without and with pages; place 0: the median, 1: what 95 of 100 do not exceed. Medians over the runs."""
        return (
            median(run.answer_ms[place] for run in self.alone),
            median(one.run.answer_ms[place] for one in self.watched),
        )

    @property
    def holds(self) -> bool:
        """Quick enough, and the median call does not feel it; the slowest are shown, and not judged."""
        without, with_pages = self.answer_ms(0)
        same = with_pages <= max(SAME * without, without + NOISE_MS)
        return bool(self.delays_ms) and self.share_ms(0.95) <= LIMIT_MS and same and not self.lost and not self.closed

    def lines(self) -> list[tuple[str, str, str, str]]:
        """What, without pages, with them, ratio."""
        rows = []
        for place, name in enumerate(("median", "95 of 100")):
            rows.append(_row(f"INVITE to 200, {name} (ms)", *self.answer_ms(place)))
        pairs = (
            ("CPU of the engine per call (ms)", "engine_ms"),
            ("CPU of Asterisk per call (ms)", "asterisk_ms"),
        )
        for name, field in pairs:
            without = mean(getattr(run, field) for run in self.alone)
            rows.append(_row(name, without, mean(getattr(one.run, field) for one in self.watched)))
        return rows


def _row(what: str, without: float, with_pages: float) -> tuple[str, str, str, str]:
    return what, f"{without:.1f}", f"{with_pages:.1f}", f"{with_pages / without:.2f}" if without else "–"


class Watchers:
    """The process with the pages."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Tell it something, and what it answers. Raises RuntimeError when it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the pages' process has ended")
        return dict(json.loads(line))


@asynccontextmanager
async def watchers(running: Product, pages: Sequence[Mapping[str, str]]) -> AsyncIterator[Watchers]:
    """Pages that have everything and watch."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.live_clients", env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES,
    )  # fmt: skip
    try:
        made = Watchers(process)
        await made.ask({"origin": f"http://127.0.0.1:{running.settings.http_port}", "pages": list(pages)})
        yield made
    finally:
        process.kill()
        await process.wait()


async def signed_in(running: Product) -> list[dict[str, str]]:
    """A user with a session for every page: agents at their desks, then supervisors. Without the work of passwords."""
    pages, at = [], now()
    database = open_database(running.settings.database_url)
    try:
        async with database.transaction() as session:
            for place in range(PAGES):
                role, agent = (Role.AGENT, str(FIRST_AGENT + place)) if place < SEATS else (Role.SUPERVISOR, "")
                name, token = f"page{place}", token_urlsafe(32)
                session.add(
                    store.UserRow(
                        name=name, display="测量", roles=role.value, agent=agent, password="", must_change=False,
                        disabled=False, totp_secret="", totp_step=0, recovery="[]", created_at=at,
                    )
                )  # fmt: skip
                await session.flush()
                await store.begin_session(session, Session(digest(token), name, at, at, "bench"))
                pages.append({"cookie": f"hotline={token}", "topics": DESK if role is Role.AGENT else WALL})
    finally:
        await database.close()
    return pages


async def _watched(side: Side, seats: Any, pages: Watchers, seconds: float) -> tuple[Watched, int]:
    await pages.ask({})
    found = await load.run(side, seats, RATE, seconds)
    told = await pages.ask({})
    return Watched(found, told["delays_ms"], told["frames"]), told["closed"]


async def measure(rounds: int, seconds: float, console: Console) -> Result:
    """With and without pages, in turn."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    load_before = os.getloadavg()[0]
    alone, watched, closed = [], [], 0
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(f"{RATE} calls/s", total=rounds * 2)
        async with AsyncExitStack() as stack:
            _, side = await stack.enter_async_context(sides(SEATS))
            seats = await stack.enter_async_context(staffed(side))
            pages = await signed_in(side.instance)
            await load.run(side, seats, RATE, 3)  # the first calls of a process are not like the others
            for _ in range(rounds):
                alone.append(await load.run(side, seats, RATE, seconds))
                progress.advance(bar)
                async with watchers(side.instance, pages) as opened:
                    found, gone = await _watched(side, seats, opened, seconds)
                watched.append(found)
                closed += gone
                progress.advance(bar)
    told = machine() | {"load average before the run": f"{load_before:.1f}"}
    return Result(alone, watched, closed, told)


def page(result: Result) -> str:
    """docs/bench/live.md."""
    table = "\n".join(f"| {' | '.join(line)} |" for line in result.lines())
    told = "\n".join(f"- {key}: {value}" for key, value in result.machine.items())
    seconds = sum(one.run.seconds for one in result.watched)
    frames = sum(one.frames for one in result.watched)
    return f"""\
# Screens that watch, and the calls

Written by `make bench-live`, all of it in one run; `{RESULT}` beside this page holds the runs.

From the engine hearing of a change to a page having it: median {result.share_ms(0.5)} ms, 95 of 100 within
**{result.share_ms(0.95)} ms**, 99 of 100 within {result.share_ms(0.99)} ms, {len(result.delays_ms)} changes. The
limit is {LIMIT_MS:g} ms for 95 of 100.

| {RATE} calls/s | without pages | with {PAGES} | ratio |
|---|---|---|---|
{table}

This run {"holds both" if result.holds else "does **not** hold both"}: the limit, and a median answer time that is
unchanged (up to {SAME:g} times, or {NOISE_MS:g} ms). Lost calls: {result.lost}; pages let go: {result.closed}.

- {PAGES} pages, each a WebSocket of its own session, in one process of their own on the same machine: {SEATS} agents'
  desks, which watch `{DESK}`, and {PAGES - SEATS} supervisors', which watch everything. They got
  {frames / seconds:.0f} frames a second. Their own work is done by the same cores as the calls, which real browsers
  would not do.
- A change is a seat's state. It is told at most every 100 ms, so that a mean of 50 ms is waiting on purpose.
- The runs without and with pages take turns; {len(result.alone)} of each, {result.alone[0].seconds:g} s long.

## The machine of this run
{told}
"""


def write(result: Result, folder: Path) -> None:
    """The JSON and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    shares = {f"p{share}": result.share_ms(share / 100) for share in (50, 95, 99, 100)}
    plain = {
        "delays_ms": shares,
        "changes": len(result.delays_ms),
        "lines": result.lines(),
        "holds": result.holds,
        "alone": [asdict(run) for run in result.alone],
        "watched": [asdict(one.run) | {"frames": one.frames} for one in result.watched],
        "machine": dict(result.machine),
    }
    (folder / RESULT).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "live.md").write_text(page(result), "utf-8")


def main() -> None:
    """Measure, print, write docs/bench; status 1 when it is too slow, or the calls feel it."""
    parser = argparse.ArgumentParser(prog="python -m bench.live", description="Events to screens, under load.")
    parser.add_argument("--rounds", type=int, default=2, help="runs without and with pages (2)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a run (20)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    console = Console()
    result = asyncio.run(measure(asked.rounds, asked.seconds, console))
    table = Table("", "without", "with pages", "ratio", title=f"{RATE} calls/s and {PAGES} pages")
    for line in result.lines():
        table.add_row(*line)
    console.print(table)
    console.print({f"p{share}": result.share_ms(share / 100) for share in (50, 95, 99, 100)})
    write(result, asked.out)
    raise SystemExit(0 if result.holds else 1)


if __name__ == "__main__":
    main()
