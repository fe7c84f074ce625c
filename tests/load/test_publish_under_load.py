"""Publishing at full size while calls come in: nobody is lost, and each call is decided by one version, whole."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from bench.floor import floor
from bench.instance import Product, product, until
from bench.routing import grown
from bench.sides import Name, Side, staffed
from database.connection import open_database
from engine.engine import journal_folder
from ledger.model import Kind
from ledger.reader import stories_between
from phones.load import CallerLoad
from routing.model import Table
from telephony.model import GroupId

pytestmark = [pytest.mark.load, pytest.mark.timeout(480)]

SEATS, RATE, SECONDS, NUMBERS = 90, 20, 16, 10_000
NUMBER = "12333"
ODD = {"group": "market", "last_day": "2099-12-31", "note": "单"}
EVEN = {"group": "transport", "last_day": "2026-07-02", "note": "双"}
EXPECTED = {1: ("market", "legacy.full.during"), 0: ("transport", "legacy.full.after")}
"""By the version's parity: group and rule of a call to NUMBER."""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hlp-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def big(table: Table) -> Table:
    """The floor, 10,000 numbers, and NUMBER as every odd version has it; every agent serves both groups."""
    table = grown(floor(SEATS)(table), NUMBERS)
    rows = tuple(
        replace(row, group=GroupId("market"), last_day=date(2099, 12, 31), note="单") if row.number == NUMBER else row
        for row in table.numbers
    )
    groups = tuple(GroupId(group) for group in ("general", "market", "transport"))
    agents = tuple(replace(agent, groups=(*groups, *agent.groups[1:])) for agent in table.agents)
    return replace(table, numbers=rows, agents=agents)


async def test_publishing_at_ten_thousand_numbers_while_calls_come_loses_none_and_mixes_none(home: Path) -> None:
    async with product(home, edit=big) as running:
        async with staffed(Side(Name.PRODUCT, running)):
            settings = running.settings
            load = CallerLoad(
                settings.bind, settings.sip_port, NUMBER, rate=RATE, seconds=SECONDS, patience=30, hang_up_after=5
            )
            calls = asyncio.create_task(load.run())
            spent = [await switched(running, version) for version in range(2, 8)]
            tally = await calls
        assert tally.created == RATE * SECONDS
        assert (tally.created - tally.succeeded, tally.failures) == (0, {})

        async def over() -> bool:
            status = await running.ask("/api/status")
            return bool(status["calls"] == 0 and status["database"]["lag_facts"] == 0)

        await until(over, "the books to be done", 60)
        seen = await entered(running)
        assert len(seen) == tally.created
        for told in seen:
            assert (told["group"], told["rule"]) == EXPECTED[told["version"] % 2], told
        assert len({told["version"] for told in seen}) > 1  # calls really came while versions changed
        print(json.dumps({"command to first call on the new version, s": spent}))


async def switched(running: Product, version: int) -> float:
    """Edit and publish the next version: seconds from the command to the first call that is decided by it."""
    fields = ODD if version % 2 else EVEN
    edits = [{"kind": "numbers", "key": NUMBER, "fields": fields}]
    await running.ask("/api/routing/draft", {"edits": edits, "by": "试"})
    began = perf_counter()
    told = await running.ask("/api/routing/publish", {"reason": "试", "by": "试"})
    assert told["version"] == version
    published = perf_counter() - began
    await asyncio.sleep(1.5)
    return round(published, 3)


async def entered(running: Product) -> list[dict[str, Any]]:
    """What the ledger says of each call's entrance."""
    database = open_database(running.settings.database_url)
    try:
        folder, node, now = journal_folder(running.settings.data_dir), running.settings.node, datetime.now(UTC)
        stories = await stories_between(database, folder, node, now - timedelta(hours=1), now)
    finally:
        await database.close()
    return [dict(fact.data) for story in stories for fact in story if fact.kind is Kind.ENTERED]
