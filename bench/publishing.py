"""From the command to publish to the first call on the new version: ``python -m bench.publishing``.

One job: 10,000 numbers on a real engine and Asterisk, calls at a rate, one version after the other. Both moments are
wall-clock times of one machine: the command's before it is sent, the call's from the fact of its entrance. The test of
publishing under load takes its table and its steps from here. The figures go to docs/bench/publishing.json and .md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bench.routing import grown, machine
from bench.seat_floor import floor
from bench.systems_under_test import Name, Side, staffed
from config.settings import ROOT
from database.connection import open_database
from engine.engine import journal_folder
from ledger.model import Fact, Kind
from ledger.reader import stories_between
from phones.load import CallerLoad
from phones.sipp import Tally
from routing.model import Table
from telephony.model import GroupId
from tests.support.product import Product, product, until

SEATS, RATE, NUMBERS, VERSIONS = 90, 20, 10_000, 8
LIMIT_SECONDS: Final = 1.0
"""From the command to the first call on the new version."""
APART_SECONDS: Final = 1.5
"""Calls that each version gets for itself before the next command."""
TALK_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 30.0
BOOKS_SECONDS: Final = 120.0

NUMBER: Final = "12333"
ODD: Final = {"group": "market", "last_day": "2099-12-31", "note": "单"}
EVEN: Final = {"group": "transport", "last_day": "2026-07-02", "note": "双"}


@dataclass(frozen=True, slots=True)
class Publish:
    """One version's way into force."""

    version: int
    commanded: datetime
    answered: datetime
    """When the command was told that it is done."""


@dataclass(frozen=True, slots=True)
class Run:
    """Publishes amid calls, and what the ledger tells of every call's entrance."""

    publishes: Sequence[Publish]
    tally: Tally
    entered: Sequence[Fact]

    def first_call_seconds(self, publish: Publish) -> float | None:
        """From the command to the first call that the version decided; None when no call met it."""
        met = [fact.at for fact in self.entered if fact.data["version"] == publish.version]
        return (min(met) - publish.commanded).total_seconds() if met else None


def big(table: Table) -> Table:
    """A full floor, 10,000 numbers, and NUMBER as every odd version has it; every agent serves both groups."""
    table = grown(floor(SEATS)(table), NUMBERS)
    rows = tuple(
        replace(row, group=GroupId("market"), last_day=date(2099, 12, 31), note="单") if row.number == NUMBER else row
        for row in table.numbers
    )
    groups = tuple(GroupId(group) for group in ("general", "market", "transport"))
    agents = tuple(replace(agent, groups=(*groups, *agent.groups[1:])) for agent in table.agents)
    return replace(table, numbers=rows, agents=agents)


async def run(home: Path, versions: int) -> Run:
    """Publish so many versions while calls come in; wait for the last call and for the books."""
    async with product(home, edit=big) as running:
        async with staffed(Side(Name.PRODUCT, running)):
            ip, port = running.settings.bind, running.settings.sip_port
            load = CallerLoad(
                ip, port, NUMBER, rate=RATE, seconds=(versions + 1) * (APART_SECONDS + LIMIT_SECONDS),
                patience=PATIENCE_SECONDS, hang_up_after=TALK_SECONDS,
            )  # fmt: skip
            calls = asyncio.create_task(load.run())
            await until(lambda: _taking_calls(running), "the first calls")
            publishes = [await _published(running, version) for version in range(2, versions + 2)]
            tally = await calls
        await until(lambda: _books_done(running), "the books to be done", BOOKS_SECONDS)
        return Run(publishes, tally, await _entered(running))


async def _published(running: Product, version: int) -> Publish:
    """Edit one row and publish it; then let calls come in on the new version."""
    edits = [{"kind": "numbers", "key": NUMBER, "fields": ODD if version % 2 else EVEN}]
    await running.ask("/api/routing/draft", {"edits": edits, "by": "试"})
    commanded = datetime.now(UTC)
    told = await running.ask("/api/routing/publish", {"reason": "试", "by": "试"})
    answered = datetime.now(UTC)
    if told["version"] != version:
        raise RuntimeError(f"version {told['version']} was published instead of {version}")
    await asyncio.sleep(APART_SECONDS)
    return Publish(version, commanded, answered)


async def _taking_calls(running: Product) -> bool:
    return bool((await running.ask("/api/status"))["calls"])


async def _books_done(running: Product) -> bool:
    status = await running.ask("/api/status")
    return bool(status["calls"] == 0 and status["database"]["lag_facts"] == 0)


async def _entered(running: Product) -> list[Fact]:
    database = open_database(running.settings.database_url)
    try:
        folder, node, now = journal_folder(running.settings.data_dir), running.settings.node, datetime.now(UTC)
        stories = await stories_between(database, folder, node, now - timedelta(hours=1), now)
    finally:
        await database.close()
    return [fact for story in stories for fact in story if fact.kind is Kind.ENTERED]


def figures(found: Run) -> dict[str, Any]:
    """Seconds, except where the name says otherwise."""
    tally = found.tally
    return {
        "first_call": [
            None if (seconds := found.first_call_seconds(one)) is None else round(seconds, 3) for one in found.publishes
        ],
        "command": [round((one.answered - one.commanded).total_seconds(), 3) for one in found.publishes],
        "calls": tally.created,
        "lost": tally.created - tally.succeeded,
        "invite_to_200_ms": {
            name: round(tally.answer_share(share) * 1000)
            for name, share in (("median", 0.5), ("95 of 100", 0.95), ("99 of 100", 0.99), ("worst", 1.0))
        },
    }


def holds(found: dict[str, Any]) -> bool:
    """Whether every version met a call within the limit, and no call was lost."""
    return found["lost"] == 0 and all(
        seconds is not None and seconds <= LIMIT_SECONDS for seconds in found["first_call"]
    )


def page(found: dict[str, Any], ran_on: dict[str, Any]) -> str:
    """The figures as a page."""
    rows = zip(range(2, len(found["command"]) + 2), found["command"], found["first_call"], strict=True)
    lines = ["# Publishing while calls come in", "", _ABOUT, ""]
    lines += ["| version | command answered after (s) | first call on it after (s) |", "|---|---|---|"]
    lines += [
        f"| {version} | {command} | {'none came' if first is None else first} |" for version, command, first in rows
    ]
    seen = ", ".join(f"{name} {value}" for name, value in found["invite_to_200_ms"].items())
    lines += ["", f"{found['calls']} calls, {found['lost']} lost. INVITE to 200 of all of them (ms): {seen}."]
    lines += ["", "## The machine of this run", *(f"- {name}: {value}" for name, value in ran_on.items())]
    return "\n".join(lines) + "\n"


_ABOUT: Final = f"""Written by `.venv/bin/python -m bench.publishing`; `publishing.json` beside this page holds all.

A real engine and Asterisk with {NUMBERS:,} numbers, {SEATS} seats, and {RATE} calls/s to a number whose row every
version changes. Each row is an edit and a publish over the control API. The first column runs from the command to its
answer, the second from the command to the first call that the new version decided, as the ledger has it; with {RATE}
calls/s the next call is up to {1000 // RATE} ms away, and that is in it. SIPp, Asterisk and the engine share the
machine. The limit is {LIMIT_SECONDS:.0f} s for each version and no lost call; a run that breaks it ends with
status 1."""


def main() -> None:
    """Measure, write, and end with status 1 when the limit is broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.publishing", description="Publishing while calls come in.")
    parser.add_argument("--versions", type=int, default=VERSIONS, help=f"how many are published ({VERSIONS})")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hlp-") as home:
        found = figures(asyncio.run(run(Path(home), asked.versions)))
    ran_on = machine()
    print(json.dumps(found))
    (asked.out / "publishing.json").write_text(json.dumps({"machine": ran_on, **found}, indent=1) + "\n", "utf-8")
    (asked.out / "publishing.md").write_text(page(found, ran_on), "utf-8")
    if not holds(found):
        raise SystemExit(f"a call was lost, or a version met its first call later than {LIMIT_SECONDS:.0f} s")


if __name__ == "__main__":
    main()
