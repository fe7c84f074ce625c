"""Publishing and rolling back: the old version or the new one, whole, whatever happens in between."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from audit.anchors import FILE, anchors
from audit.model import Actor
from audit.rules import verify
from audit.store import entries
from database.connection import Database
from database.errors import DatabaseUnavailable
from routing.draft import Edit
from routing.faults import TableInvalid
from routing.model import CallFacts, Snapshot, Table
from routing.publish import Publisher, PublishRefused, PublishRequest, PublishStep, ensure_published, plain_lint_context
from routing.rules import decide
from routing.service import discard_draft, edit_draft, latest, load_draft, load_sample
from routing.snapshot import SNAPSHOT_FILE, load_snapshot, thaw

pytestmark = pytest.mark.unit

WHO = Actor("张三", "命令行 root@hl1 pts/0")
ROOT = Path(__file__).parents[3]

KILLED = """
import asyncio, os, pathlib, signal, sys
from audit.model import Actor
from database.connection import open_database
from routing.publish import Publisher, PublishRequest, plain_lint_context
from routing.service import load_draft

async def on_step(step):
    if step == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = open_database(sys.argv[1])
    table = (await load_draft(database)).table
    publisher = Publisher(database, pathlib.Path(sys.argv[2]), plain_lint_context, on_step=on_step)
    await publisher.publish(PublishRequest(table, Actor("张三", "试"), "断电"))

asyncio.run(main())
"""


class Switch:
    """Where calls run, as publishing needs it; ``told`` is what it was asked to do."""

    def __init__(self, refuses: str = "") -> None:
        self.refuses = refuses
        self.told: list[str] = []
        self.snapshot: Snapshot | None = None
        self.version = 0

    async def apply(self, new: Snapshot) -> None:
        self.told.append(f"apply {new.version}")
        if self.refuses:
            raise PublishRefused(self.refuses)

    async def rollback(self) -> None:
        self.told.append("abandon")

    async def swap(self, new: Snapshot) -> None:
        self.told.append(f"swap {new.version}")
        self.snapshot = new
        self.version = new.version


@pytest.fixture
async def first(database: Database, tmp_path: Path) -> Snapshot:
    return await ensure_published(database, tmp_path)


async def edit(database: Database, number: str = "12315", **fields: object) -> Table:
    await edit_draft(database, [Edit(("numbers", number), fields)], by="张三")
    return (await load_draft(database)).table


def publisher(database: Database, folder: Path, where: Switch | None = None) -> Publisher:
    return Publisher(database, folder, plain_lint_context, where or Switch())


def debris(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".snapshot.json*")]


async def test_what_was_published_is_in_force_everywhere(database: Database, first: Snapshot, tmp_path: Path) -> None:
    switch = Switch()
    table = await edit(database, mode="full", schedule="")
    made = await publisher(database, tmp_path, switch).publish(PublishRequest(table, WHO, "试行"))
    assert made.snapshot.version == first.version + 1
    assert [str(change) for change in made.changes] == [
        "12315：由双号并行改为整体并入；班表由每天早八点到晚八点改为（空），影响 6 条规则"
    ]
    assert await latest(database) == load_snapshot(tmp_path / SNAPSHOT_FILE) == made.snapshot == switch.snapshot
    assert switch.told == ["apply 2", "swap 2"]
    async with database.reading() as session:
        told = await entries(session)
    assert told[-1].actor == WHO
    assert told[-1].act.subject == "发布路由表版本 2，共 1 处改动"
    assert told[-1].act.reason == "试行"
    assert verify(told, anchors(tmp_path / FILE)) == ()
    assert anchors(tmp_path / FILE)[-1].seq == told[-1].seq


async def test_a_switch_that_cannot_take_it_leaves_the_old_version(
    database: Database, first: Snapshot, tmp_path: Path
) -> None:
    switch = Switch("线路没有装上")
    table = await edit(database, note="x")
    with pytest.raises(PublishRefused, match="线路没有装上"):
        await publisher(database, tmp_path, switch).publish(PublishRequest(table, WHO, "试行"))
    assert switch.told == ["apply 2", "abandon"]
    assert await latest(database) == load_snapshot(tmp_path / SNAPSHOT_FILE) == first
    assert debris(tmp_path) == []


async def test_errors_of_the_lint_block_and_nothing_is_touched(
    database: Database, first: Snapshot, tmp_path: Path
) -> None:
    switch = Switch()
    table = replace(thaw(first), default_group=thaw(first).groups[0].id, trunks=())
    with pytest.raises(TableInvalid, match="没有通往 110 的紧急线路"):
        await publisher(database, tmp_path, switch).publish(PublishRequest(table, WHO, "试行"))
    assert switch.told == []
    assert await latest(database) == first


@pytest.mark.parametrize("reason", ["", "  ", "长" * 501, "x\x00y"])
async def test_a_reason_is_needed(database: Database, first: Snapshot, tmp_path: Path, reason: str) -> None:
    with pytest.raises(PublishRefused, match="原因"):
        await publisher(database, tmp_path).publish(PublishRequest(await edit(database, note="x"), WHO, reason))


async def test_what_is_in_force_is_not_published_again(database: Database, first: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(PublishRefused, match="不必发布"):
        await publisher(database, tmp_path).publish(PublishRequest(thaw(first), WHO, "再来"))


async def test_who_looked_at_an_older_version_is_told(database: Database, first: Snapshot, tmp_path: Path) -> None:
    here = publisher(database, tmp_path)
    await here.publish(PublishRequest(await edit(database, note="x"), WHO, "甲"))
    with pytest.raises(PublishRefused, match="您看到的是版本 1"):
        await here.publish(PublishRequest(await edit(database, note="y"), WHO, "乙", seen=1))


async def test_a_version_published_elsewhere_meanwhile_stops_this_one(
    database: Database, first: Snapshot, tmp_path: Path
) -> None:
    class Slow(Switch):
        async def apply(self, new: Snapshot) -> None:
            await super().apply(new)
            table = replace(thaw(first), seats=("8001", "8002"))
            await publisher(database, tmp_path / "elsewhere").publish(PublishRequest(table, WHO, "抢先"))

    switch = Slow()
    with pytest.raises(PublishRefused, match="版本 2 刚刚由他人发布"):
        await publisher(database, tmp_path, switch).publish(PublishRequest(await edit(database, note="x"), WHO, "慢"))
    assert switch.told == ["apply 2", "abandon"]
    assert load_snapshot(tmp_path / SNAPSHOT_FILE) == first


async def test_a_lost_answer_to_a_commit_that_happened_counts_as_published(
    database: Database, first: Snapshot, tmp_path: Path
) -> None:
    switch = Switch()
    here = publisher(database, tmp_path, switch)

    class Torn:
        """The link breaks after the database has committed."""

        def __init__(self) -> None:
            self.inner = database.transaction()

        async def __aenter__(self) -> object:
            return await self.inner.__aenter__()

        async def __aexit__(self, *exc: object) -> None:
            await self.inner.__aexit__(*exc)  # type: ignore[arg-type]
            raise DatabaseUnavailable("连接中断")

    torn = cast("Database", _Torn(database, Torn))
    made = await replace(here, database=torn).publish(PublishRequest(await edit(database, note="x"), WHO, "试"))
    assert await latest(database) == made.snapshot == switch.snapshot


class _Torn:
    """A database whose transactions tell that they failed although they did not."""

    def __init__(self, real: Database, torn: Callable[[], object]) -> None:
        self._real, self.transaction = real, torn

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


@pytest.mark.parametrize("step", list(PublishStep))
async def test_killed_at_any_step_leaves_the_old_or_the_new_version_whole(
    database: Database, first: Snapshot, tmp_path: Path, step: PublishStep
) -> None:
    wanted = await edit(database, mode="full", schedule="")
    url = database.engine.url.render_as_string(hide_password=False)
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, str(tmp_path), step, cwd=ROOT)
    assert await killed.wait() == -signal.SIGKILL
    committed = step in (PublishStep.SWAP, PublishStep.DONE)
    # What the last-resort script reads meanwhile is whole, and the old one until the file was replaced.
    assert load_snapshot(tmp_path / SNAPSHOT_FILE).version == (2 if step is PublishStep.DONE else 1)
    served = await ensure_published(database, tmp_path)
    assert thaw(served) == (wanted if committed else thaw(first))
    assert load_snapshot(tmp_path / SNAPSHOT_FILE) == served == await latest(database)
    assert debris(tmp_path) == []
    assert (await load_draft(database)).table == wanted  # nothing typed is lost
    async with database.reading() as session:
        told = await entries(session)
    assert verify(told, anchors(tmp_path / FILE)) == ()
    assert any(entry.act.reason == "断电" for entry in told) == committed  # version and audit, or neither
    if not committed:
        again = await publisher(database, tmp_path).publish(PublishRequest(wanted, WHO, "再来"))
        assert again.snapshot.version == 2


async def test_a_rollback_restores_exactly_the_earlier_behaviour(
    database: Database, first: Snapshot, tmp_path: Path
) -> None:
    here = publisher(database, tmp_path)
    await edit(database, mode="full", schedule="", group="general", overflow_seconds=60)
    await edit(database, "12366", schedule="daily")
    changed = (await here.publish(PublishRequest((await load_draft(database)).table, WHO, "改错了"))).snapshot
    back = (await here.rollback(1, WHO, "改错了，退回")).snapshot
    assert back.version == 3
    assert matrix(changed) != matrix(first)
    assert matrix(back) == matrix(first)
    assert thaw(back) == thaw(first)
    async with database.reading() as session:
        assert (await entries(session))[-1].act.action == "routing.rollback"
    with pytest.raises(PublishRefused, match="没有版本 9"):
        await here.rollback(9, WHO, "没有")
    # The draft still has what was typed; to begin anew from what is in force is a step of its own.
    assert (await load_draft(database)).table == thaw(changed)
    await discard_draft(database, by="张三")
    assert (await load_draft(database)).table == thaw(first)


def matrix(snapshot: Snapshot) -> list[object]:
    """What is decided for every number, a fortnight of half-hours long."""
    begin = datetime(2026, 9, 25, tzinfo=UTC)
    numbers = [*snapshot.numbers, "12345", "110", "066312333", "99999"]
    return [
        (decision.target, decision.rule, decision.prompts, decision.group, decision.overflow)
        for number in numbers
        for half_hours in range(14 * 48)
        for decision in [decide(CallFacts(number), snapshot, begin + timedelta(minutes=30 * half_hours))]
    ]


async def test_the_sample_is_published_at_the_first_start_and_audited(database: Database, tmp_path: Path) -> None:
    await load_sample(database)
    await ensure_published(database, tmp_path)
    async with database.reading() as session:
        actions = [entry.act.action for entry in await entries(session)]
    assert actions == ["routing.draft", "routing.publish"]
