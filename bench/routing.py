"""How the routing table bears its size: ``python -m bench.routing``, from 10 to 10,000 numbers.

One job: measure decide() alone, and a publish without an engine, on tables that are seeded, so that two
runs differ only by the machine. The figures go to docs/bench/routing.json and routing.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, thread_time_ns
from typing import Any, Final

from audit.model import Actor
from config.settings import ROOT
from database.connection import open_database
from database.schema import upgrade
from routing.model import CallFacts, Group, LegacyNumber, MergeMode, Period, Schedule, Snapshot, Table
from routing.publish import Publisher, PublishRequest, plain_lint_context
from routing.rules import decide
from routing.sample_table import sample_table
from routing.service import load_draft, load_rows
from routing.snapshot import SNAPSHOT_FILE, freeze, load_snapshot
from telephony.model import GroupId

SIZES: Final = (10, 100, 1_000, 10_000)
CALLS: Final = 100_000
LIMIT_US: Final = 100.0
"""p99 of decide() at the largest size, µs."""
SCHEDULES: Final = 500
RULES: Final = 1_000
"""Numbers that have hours, and so a rule for open and one for closed."""
START: Final = datetime(2026, 9, 25, tzinfo=UTC)


def table_of(numbers: int, seed: int = 12345) -> Table:
    """The sample, grown to so many numbers."""
    return grown(sample_table(), numbers, seed)


def grown(base: Table, numbers: int, seed: int = 12345) -> Table:
    """So many numbers more, a tenth of them (at most RULES) with hours, and up to SCHEDULES schedules.

    They have no prompts of their own, and no group wants to hear their names: what is measured is the table, not the
    voices.
    """
    dice = random.Random(seed)
    schedules = tuple(_schedule(n, dice) for n in range(min(SCHEDULES, max(1, numbers // 2))))
    groups = tuple(Group(GroupId(f"desk-{n}"), f"专席{n}") for n in range(min(100, max(1, numbers // 10))))
    hours = set(dice.sample(range(numbers), min(RULES, max(1, numbers // 10))))
    rows = tuple(_number(n, n in hours, schedules, groups, dice) for n in range(numbers))
    # Each group is served, and no agent serves all: app_queue looks through every member of every queue at each change
    # of a phone, and 90 agents in 100 queues keep it from following 20 calls/s.
    agents = tuple(
        replace(agent, groups=(*agent.groups, *(group.id for group in groups[n :: len(base.agents)])))
        for n, agent in enumerate(base.agents)
    )
    return replace(
        base,
        numbers=(*base.numbers, *rows),
        schedules=(*base.schedules, *schedules),
        groups=(*(replace(group, whisper=False) for group in base.groups), *groups),
        agents=agents,
    )


def measure_decide(snapshot: Snapshot, calls: int = CALLS) -> dict[str, float]:
    """Microseconds of CPU for one decision: median, p99, worst; numbers and times at random."""
    dice = random.Random(1)
    known = list(snapshot.numbers)
    asked = [
        (CallFacts(_dialled(dice, known)), START + timedelta(seconds=dice.randrange(365 * 86400))) for _ in range(calls)
    ]
    spent = []
    for facts, now in asked[:2000]:
        decide(facts, snapshot, now)
    gc.collect()
    gc.freeze()
    for facts, now in asked:
        began = thread_time_ns()
        decide(facts, snapshot, now)
        spent.append(thread_time_ns() - began)
    gc.unfreeze()
    spent.sort()
    return {name: round(spent[min(calls - 1, int(calls * share))] / 1000, 1) for name, share in _SHARES}


_SHARES: Final = (("median_us", 0.5), ("p99_us", 0.99), ("worst_us", 1.0))


async def measure_publish(numbers: int) -> dict[str, float]:
    """Milliseconds of each step of a publish into SQLite, of one changed row; and of reading the file again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/hotline.db"
        await upgrade(url)
        database = open_database(url)
        try:
            spent: dict[str, float] = {}
            with _timed(spent, "first_load_ms"):
                await load_rows(database, table_of(numbers))
            publisher = Publisher(database, folder, plain_lint_context)
            who = Actor("bench", "bench")
            await publisher.publish(PublishRequest((await load_draft(database)).table, who, "first"))
            with _timed(spent, "publish_ms"):
                table = (await load_draft(database)).table
                changed = replace(table, numbers=(replace(table.numbers[0], note="changed"), *table.numbers[1:]))
                await publisher.publish(PublishRequest(changed, who, "second"))
            with _timed(spent, "rollback_ms"):
                await publisher.rollback(1, who, "back")
            with _timed(spent, "read_file_ms"):
                load_snapshot(folder / SNAPSHOT_FILE)
            return spent
        finally:
            await database.close()


@contextmanager
def _timed(spent: dict[str, float], name: str) -> Iterator[None]:
    began = perf_counter()
    yield
    spent[name] = round((perf_counter() - began) * 1000, 1)


def _schedule(n: int, dice: random.Random) -> Schedule:
    def period() -> Period:
        days = frozenset(dice.sample(range(1, 8), dice.randrange(1, 8)))
        return Period(days, time(dice.randrange(24), 30), time(dice.randrange(24)))

    return Schedule(f"hours-{n}", f"班表{n}", tuple(period() for _ in range(3)), (period(),))


def _number(
    n: int, hours: bool, schedules: tuple[Schedule, ...], groups: tuple[Group, ...], dice: random.Random
) -> LegacyNumber:
    begins = date(2026, 1, 1) + timedelta(days=dice.randrange(365))
    return LegacyNumber(
        number=str(20_000_000 + n),
        name="人社",
        mode=MergeMode.DUAL if hours else MergeMode.FULL,
        group=dice.choice(groups).id,
        first_day=begins,
        last_day=begins + timedelta(days=180),
        prompt="",
        prompt_after="",
        schedule=dice.choice(schedules).id if hours else "",
    )


def _dialled(dice: random.Random, known: list[str]) -> str:
    number = dice.choice(known)
    return dice.choice((number, f"0663{number}", f"+86663{number}", "12345", "110", "99999999"))


def main() -> None:
    """Measure, write, and end with status 1 when the limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description="The routing table at every size.")
    parser.add_argument("--calls", type=int, default=CALLS, help=f"decisions at each size ({CALLS})")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    rows = []
    for size in SIZES:
        snapshot = freeze(table_of(size), 1, START)
        row: dict[str, Any] = {"numbers": size, "schedules": len(snapshot.schedules), "groups": len(snapshot.groups)}
        row |= measure_decide(snapshot, asked.calls) | asyncio.run(measure_publish(size))
        rows.append(row)
        print(json.dumps(row))
    result = {"machine": machine(), "rows": rows}
    (asked.out / "routing.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (asked.out / "routing.md").write_text(page(result), encoding="utf-8")
    if rows[-1]["p99_us"] > LIMIT_US:
        raise SystemExit(f"decide() p99 is {rows[-1]['p99_us']} µs at {SIZES[-1]} numbers; the limit is {LIMIT_US} µs")


def page(result: dict[str, Any]) -> str:
    """The figures as a page."""
    columns: tuple[tuple[str, Callable[[dict[str, Any]], object]], ...] = (
        ("numbers", lambda row: row["numbers"]),
        ("schedules", lambda row: row["schedules"]),
        ("decide() median (µs)", lambda row: row["median_us"]),
        ("p99 (µs)", lambda row: row["p99_us"]),
        ("publish (ms)", lambda row: row["publish_ms"]),
        ("rollback (ms)", lambda row: row["rollback_ms"]),
        ("read the file (ms)", lambda row: row["read_file_ms"]),
    )
    lines = ["# The routing table at every size", "", _ABOUT, ""]
    lines.append("| " + " | ".join(name for name, _ in columns) + " |")
    lines.append("|" + "---|" * len(columns))
    lines += ["| " + " | ".join(str(value(row)) for _, value in columns) + " |" for row in result["rows"]]
    lines += ["", "## The machine of this run", *(f"- {name}: {value}" for name, value in result["machine"].items())]
    return "\n".join(lines) + "\n"


_ABOUT: Final = """Written by `.venv/bin/python -m bench.routing`; `routing.json` beside this page holds all figures.

A tenth of the numbers, at most 1,000, have hours of their own. decide() is called for known and unknown numbers,
written in several forms, at random moments of a year; its time is CPU time, so that other work on the machine does not
count. The other columns are elapsed time, and it does. A publish is that of one changed row into SQLite, from reading
the draft to the file in its place, without an engine; a rollback is the same for an earlier version. The limit is a p99
of 100 µs for decide() at 10,000 numbers; a run that breaks it ends with status 1."""


def machine() -> dict[str, Any]:
    """What a run was made on."""
    return {
        "cores": os.cpu_count(),
        "load average at the end": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


if __name__ == "__main__":
    main()
