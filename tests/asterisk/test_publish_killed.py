"""A publish killed at any step leaves the old or the new version, whole: in database, snapshot, Asterisk and a call.

The real engine is killed (SIGKILL) at the named step of a publish that changes a number, a trunk and a seat, so that
Asterisk must reload, too. The program that runs it for the test is below; the product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from functools import partial

import pytest

from asterisk_conf.files import check
from asterisk_conf.plan import switch_plan
from config.credentials import credentials
from console.client import EngineUnreachable
from database.connection import open_database
from ledger.model import Kind
from routing.model import Snapshot
from routing.service import latest
from routing.snapshot import load_snapshot
from tests.asterisk.support.product import Product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(240)]

KILLED_AT = """
import os, signal, sys
from functools import partial
import engine.publish_target, engine.serve
from asterisk_conf import apply as live
from cli.main import main

wanted = sys.argv[1] if sys.argv[1:] else "nothing more"

async def on_step(step):
    if step == wanted:
        os.kill(os.getpid(), signal.SIGKILL)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

engine.serve.Publisher = partial(engine.serve.Publisher, on_step=on_step)
if wanted == "files written, not read":
    live._tell = die
if wanted == "read, not verified":
    engine.publish_target.verify = die
if wanted == "file put, reference not swapped":
    engine.publish_target.RunningEngineTarget.swap = die
main(["serve"])
"""

OLD = ("check", "stage", "apply", "files written, not read", "read, not verified", "commit")
NEW = ("swap", "file put, reference not swapped", "done")
"""Steps before and after the version is in the database, which is what decides."""

GROUPS = ("market", "general")
NUMBER, TRUNK = "12333", "subcentre-12366"


async def test_a_publish_killed_at_any_step_leaves_one_version_whole_on_the_running_switch(hotline: Product) -> None:
    await hotline.signal_engine(signal.SIGKILL)
    steps = (*OLD, *NEW)
    await hotline.start_engine("-c", KILLED_AT, steps[0])
    for turn, step in enumerate(steps):
        before = await in_database(hotline)
        await edit(hotline, turn)
        with pytest.raises(EngineUnreachable):
            await hotline.ask("/api/routing/publish", {"reason": f"在 {step} 断电", "by": "测试"})
        assert hotline.engine is not None
        await asyncio.wait_for(hotline.engine.wait(), 20)
        left, table = on_disk(hotline), await in_database(hotline)
        assert left in (before, table), step
        assert table.version == before.version + (step in NEW), step
        assert (table.numbers[NUMBER].group == GROUPS[turn % 2]) == (step in NEW), step

        await hotline.start_engine("-c", KILLED_AT, *steps[turn + 1 : turn + 2])
        assert on_disk(hotline) == await in_database(hotline) == table, step
        await until(partial(follows, hotline, table), f"Asterisk's files to be of one version after {step}")
        switched = partial(on_the_switch, hotline, table, seat_of(turn), step in NEW)
        await until(switched, f"Asterisk to have that version after {step}")
        assert await decided(hotline) == (table.version, table.numbers[NUMBER].group), step


async def edit(hotline: Product, turn: int) -> None:
    """A number, a trunk and a seat, otherwise than in any turn before."""
    edits = [
        {"kind": "numbers", "key": NUMBER, "fields": {"group": GROUPS[turn % 2]}},
        {"kind": "trunks", "key": TRUNK, "fields": {"port": 17000 + turn}},
        {"kind": "seats", "key": seat_of(turn), "fields": {}},
    ]
    await hotline.ask("/api/routing/draft", {"edits": edits, "by": "测试"})


def seat_of(turn: int) -> str:
    return f"81{turn:02}"


def on_disk(hotline: Product) -> Snapshot:
    """What the last-resort script reads: never missing, never half."""
    return load_snapshot(hotline.settings.snapshot_file)


async def in_database(hotline: Product) -> Snapshot:
    database = open_database(hotline.settings.database_url)
    try:
        found = await latest(database)
    finally:
        await database.close()
    assert found is not None
    return found


async def follows(hotline: Product, table: Snapshot) -> bool:
    """Whether every file of Asterisk's is exactly the table's."""
    secrets = credentials(hotline.settings.data_dir, table.seats)
    return not await asyncio.to_thread(check, switch_plan(hotline.settings, secrets, table, hotline.asterisk))


async def on_the_switch(hotline: Product, table: Snapshot, seat: str, there: bool) -> bool:
    """Whether Asterisk itself has that trunk and that seat, and no other version's."""
    trunk = await hotline.cli(f"pjsip show aor {TRUNK}")
    known = "Unable to find" not in await hotline.cli(f"pjsip show endpoint {seat}")
    return f":{table.trunks[TRUNK].port}" in trunk and known is there


async def decided(hotline: Product) -> tuple[int, str]:
    """Version and group of a call that comes in now."""
    known = {record.call for record in await hotline.calls()}
    call = await hotline.citizen().call(NUMBER)

    async def entered() -> bool:
        return any(record.call not in known for record in await hotline.calls())

    await until(entered, "the call to enter")
    (new,) = [record.call for record in await hotline.calls() if record.call not in known]
    (fact,) = [fact for fact in await hotline.facts(new) if fact.kind is Kind.ENTERED]
    with suppress(TimeoutError):
        await call.hang_up()
    return fact.data["version"], fact.data["group"]
