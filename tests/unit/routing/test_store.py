from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.connection import Database, open_database
from routing import store
from routing.draft import Edit
from routing.faults import TableInvalid
from routing.model import (
    Agent,
    CallbackPolicy,
    CallOutPolicy,
    DayKind,
    Department,
    Group,
    Holiday,
    LegacyNumber,
    MergeMode,
    NeverCalled,
    OrderType,
    Partner,
    Period,
    Schedule,
    Table,
    WrapUpCode,
)
from routing.publish import PublishRefused, ensure_published, publish_draft
from routing.sample_table import sample_table
from routing.service import edit_draft, latest, load_draft, load_rows, load_sample
from routing.snapshot import SNAPSHOT_FILE, SnapshotCorrupt, load_snapshot
from telephony.model import GroupId

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 11, 22, 4, 5, 6, 789, tzinfo=UTC)


async def read(database: Database) -> Table:
    return (await load_draft(database)).table


async def note(database: Database, text: str) -> None:
    await edit_draft(database, [Edit(("numbers", "12333"), {"note": text})], by="管理员")


async def test_the_sample_comes_back_exactly(database: Database) -> None:
    assert await load_sample(database)
    assert await read(database) == sample_table()


async def test_every_kind_of_row_comes_back_exactly(database: Database) -> None:
    general, night = GroupId("general"), GroupId("night")
    table = replace(
        sample_table(),
        groups=(Group(night, "夜班", 30, 0, whisper=False), Group(general, "综合受理")),
        schedules=(
            Schedule(
                "night",
                "夜间",
                (Period(frozenset({7, 1}), time(20, 30, 15), time(8)), Period(frozenset({3}), time(0), time(0))),
                (Period(frozenset({6}), time(23, 59, 59, 999999), time(0, 0, 0, 1)),),
            ),
        ),
        callback=CallbackPolicy(schedule="night", per_day=0),
        call_out=CallOutPolicy(schedule="night", number_per_day=1),
        partners=(
            Partner("water", "供水", "701", ("utility-water", "utility-gas"), "night", 5, "示例，待核"),
            Partner("shantou", "汕头12345", "999", ("neighbour-0754",)),
        ),
        departments=(Department("water", "供水", ("8768124", "8768125"), "https://10.0.0.20/orders", 3, "示例，待核"),),
        order_types=(
            OrderType("outage", "停水", ("water",), 120, 0, "示例，待核"),
            OrderType("flood", "水浸", ("water",)),
        ),
        never_called=(NeverCalled("13800000009", "本人要求", None, "示例，待核"),),
        wrap_up_codes=(WrapUpCode("done", "1", "办结", (night,), "示例，待核"), WrapUpCode("wrong", "a", "误拨")),
        wrap_up_code_required=True,
        holidays=(Holiday(date(2028, 2, 29), DayKind.HOLIDAY, "闰日"),),
        known_years=(2028,),
        numbers=(
            LegacyNumber(
                "8768123", "热线", MergeMode.DUAL, night, None, None, "p", "q", "night", general, 0, "", "备注"
            ),
            LegacyNumber("12348", "法援", MergeMode.FULL, general, date(2028, 2, 29), None, "p", "q"),
        ),
        agents=(Agent("1001", "座席1001", (night, general), supervisor=True), Agent("1002", "座席1002", ())),
        auto_answer=("8002", "8003"),
        pause_reasons={"0": "用餐", "7": "培训"},
        rating_keys={"0": 5, "9": 1},
        area_code="",
    )
    assert await load_rows(database, table)
    assert await read(database) == table


async def test_the_sample_never_overwrites_what_people_edited(database: Database) -> None:
    await load_rows(database, replace(sample_table(), seats=("9001",)))
    assert not await load_sample(database)
    assert (await read(database)).seats == ("9001",)
    assert await load_sample(database, force=True)
    assert await read(database) == sample_table()


async def test_a_table_with_faults_is_not_loaded(database: Database) -> None:
    with pytest.raises(TableInvalid, match="default_group"):
        await load_rows(database, replace(sample_table(), default_group=GroupId("gone")))
    async with database.reading() as session:
        assert await store.is_empty(session)


async def test_an_empty_database_says_what_to_do(database: Database, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="没有路由表"):
        await publish_draft(database, tmp_path, "管理员", "试")
    assert await latest(database) is None


async def test_publishing_numbers_keeps_and_writes_a_version(database: Database, tmp_path: Path) -> None:
    await load_sample(database)
    first = await publish_draft(database, tmp_path, "管理员", "首次", clock=lambda: MOMENT)
    await note(database, "改过")
    second = await publish_draft(database, tmp_path, "管理员", "再次")
    assert (first.version, second.version) == (1, 2)
    assert first.published_at == MOMENT.isoformat()
    assert await latest(database) == second == load_snapshot(tmp_path / SNAPSHOT_FILE)
    async with database.reading() as session:
        newest, oldest = await store.history(session)
    assert (newest.version, newest.reason, len(newest.sha256)) == (2, "再次", 64)
    assert (oldest.version, oldest.author, oldest.published_at) == (1, "管理员", MOMENT)


async def test_of_two_publishers_at_once_the_second_is_told(database: Database, tmp_path: Path) -> None:
    await load_sample(database)
    other = open_database(database.engine.url)
    try:
        made = await asyncio.gather(
            *(publish_draft(one, tmp_path, "管理员", "并发") for one in (database, other)), return_exceptions=True
        )
    finally:
        await other.close()
    (refused,) = [one for one in made if isinstance(one, PublishRefused)]
    assert "刚刚由他人发布" in str(refused) or "不必发布" in str(refused)
    assert await latest(database) in made


async def test_a_faulty_edit_cannot_be_published(database: Database, tmp_path: Path) -> None:
    await load_sample(database)
    async with database.transaction() as session:
        gone = """UPDATE routing_draft SET body = '{"value":"gone"}' WHERE key = 'default_group'"""
        await session.execute(text(gone))
    with pytest.raises(TableInvalid, match="default_group"):
        await publish_draft(database, tmp_path, "管理员", "坏表")
    assert await latest(database) is None
    assert not (tmp_path / SNAPSHOT_FILE).exists()


@pytest.mark.parametrize("change", ["UPDATE routing_versions SET author = 'x'", "DELETE FROM routing_versions"])
async def test_a_published_version_cannot_be_changed(database: Database, tmp_path: Path, change: str) -> None:
    await load_sample(database)
    await publish_draft(database, tmp_path, "管理员", "首次")
    with pytest.raises(DBAPIError, match="a published version is never changed"):
        async with database.transaction() as session:
            await session.execute(text(change))
    assert await latest(database) is not None


async def test_a_row_that_does_not_match_its_checksum_is_refused(database: Database) -> None:
    async with database.transaction() as session:
        await store.add_version(session, store.Version(1, MOMENT, "管理员", "首次", "0" * 64), "{}")
    with pytest.raises(SnapshotCorrupt, match="校验和不符"):
        await latest(database)


async def test_a_start_publishes_once_and_mends_the_file(database: Database, tmp_path: Path) -> None:
    path = tmp_path / SNAPSHOT_FILE
    first = await ensure_published(database, tmp_path)
    assert first.version == 1
    assert load_snapshot(path) == first
    for damage in (path.unlink, lambda: path.write_text("{"), lambda: path.write_text("")):
        damage()
        assert await ensure_published(database, tmp_path) == first
        assert load_snapshot(path) == first
    await note(database, "改过")
    second = await publish_draft(database, tmp_path / "elsewhere", "管理员", "别处发布")
    assert await ensure_published(database, tmp_path) == second == load_snapshot(path)
