from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, UniqueConstraint, event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from database.base import UtcDateTime, insert_ignore
from database.connection import Database, async_url, open_database
from database.errors import DatabaseRefused, DatabaseUnavailable, DatabaseUrlInvalid
from database.schema import upgrade

pytestmark = pytest.mark.unit

metadata = MetaData()
things = Table(
    "test_things",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(20), nullable=False),
    Column("at", UtcDateTime),
    UniqueConstraint("name"),
)
MOMENT = datetime(2026, 11, 22, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))


@pytest.fixture
async def opened(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return database


async def test_times_come_back_aware_and_in_utc(opened: Database) -> None:
    async with opened.transaction() as session:
        await session.execute(insert(things).values(id=1, name="一", at=MOMENT))
        await session.execute(insert(things).values(id=2, name="二", at=None))
    async with opened.reading() as session:
        first, second = (await session.scalars(select(things.c.at).order_by(things.c.id))).all()
        assert await session.scalar(select(func.count()).where(things.c.at == MOMENT.astimezone(UTC))) == 1
    assert first == MOMENT
    assert first.tzinfo is UTC
    assert second is None


async def test_a_naive_time_is_refused(opened: Database) -> None:
    with pytest.raises(StatementError, match="naive datetime"):
        async with opened.transaction() as session:
            await session.execute(insert(things).values(id=1, name="一", at=MOMENT.replace(tzinfo=None)))


async def test_inserting_again_changes_nothing(opened: Database) -> None:
    statement = insert_ignore(opened.dialect, things, ["id"])
    for name in ("一", "二"):
        async with opened.transaction() as session:
            await session.execute(statement, [{"id": 1, "name": name}, {"id": len(name) + 5, "name": f"{name}号"}])
    async with opened.reading() as session:
        assert (await session.scalars(select(things.c.name).order_by(things.c.id))).all() == ["一", "一号"]


async def test_only_the_key_that_was_meant_is_ignored(opened: Database) -> None:
    async with opened.transaction() as session:
        await session.execute(insert(things).values(id=1, name="一"))
    with pytest.raises(DBAPIError):
        async with opened.transaction() as session:
            await session.execute(insert_ignore(opened.dialect, things, ["id"]), {"id": 2, "name": "一"})
    async with opened.transaction() as session:
        await session.execute(insert_ignore(opened.dialect, things), {"id": 2, "name": "一"})


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="mysql"):
        insert_ignore("mysql", things)


async def test_an_error_rolls_the_whole_transaction_back(opened: Database) -> None:
    async def fail() -> None:
        async with opened.transaction() as session:
            await session.execute(insert(things).values(id=1, name="一"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with opened.reading() as session:
        assert await session.scalar(select(func.count()).select_from(things)) == 0


async def test_an_error_about_files_is_not_taken_for_the_databases(opened: Database) -> None:
    with pytest.raises(FileNotFoundError):
        async with opened.transaction():
            raise FileNotFoundError("elsewhere")


async def test_readers_do_not_wait_for_a_writer(opened: Database) -> None:
    async with opened.transaction() as writer:
        await writer.execute(insert(things).values(id=1, name="一"))
        async with opened.reading() as reader:
            assert await reader.scalar(select(func.count()).select_from(things)) == 0


async def test_reading_before_writing_never_ends_in_locked(tmp_path: Path) -> None:
    """A deferred transaction that reads, then writes after another one wrote, fails at once; ours queue instead."""
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)

    async def add() -> None:
        async with database.transaction() as session:
            count = await session.scalar(select(func.count()).select_from(things))
            await session.execute(insert(things).values(id=count, name=str(count)))

    try:
        await asyncio.gather(*(add() for _ in range(8)))
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(things)) == 8
    finally:
        await database.close()


async def test_a_new_file_that_another_one_is_writing_is_waited_for(tmp_path: Path) -> None:
    """SQLite's busy timeout does not hold for the switch to its write-ahead log."""
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("CREATE TABLE early (id INTEGER)")
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.2, other.execute, "COMMIT")
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    try:
        async with database.reading() as session:
            assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
    finally:
        await database.close()
        other.close()


async def test_sqlite_is_durable_enough_and_strict(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/deep/er/a.db")
    try:
        async with database.reading() as session:
            found = {
                name: await session.scalar(text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
    finally:
        await database.close()
    assert found == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 5000}


async def test_a_locked_file_is_a_sentence(tmp_path: Path) -> None:
    holder, other = (open_database(f"sqlite:///{tmp_path}/a.db") for _ in range(2))

    def impatient(connection: object, _record: object) -> None:
        connection.cursor().execute("PRAGMA busy_timeout=1")  # type: ignore[attr-defined]

    event.listen(other.engine.sync_engine, "connect", impatient)
    try:
        async with holder.transaction() as writer:
            await writer.execute(text("SELECT 1"))
            with pytest.raises(DatabaseUnavailable, match=r"a\.db 被其他程序锁住"):
                async with other.transaction() as session:
                    await session.execute(text("SELECT 1"))
    finally:
        await holder.close()
        await other.close()


async def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("这不是数据库" * 100)
    database = open_database(f"sqlite:///{tmp_path}/a.db")
    with pytest.raises(DatabaseRefused, match="不是完好的 SQLite 数据库"):
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
    await database.close()


async def test_a_server_out_of_reach_is_a_sentence_without_the_password() -> None:
    database = open_database("postgresql://hotline:geheim@127.0.0.1:1/hotline")
    with pytest.raises(DatabaseUnavailable, match=r"连不上数据库 127\.0\.0\.1:1/hotline") as caught:
        async with database.reading() as session:
            await session.execute(text("SELECT 1"))
    assert "geheim" not in str(caught.value)


async def test_postgres_refusals_are_sentences(postgres_cluster: str) -> None:
    url = async_url(postgres_cluster)
    cases = {"拒绝登录": url.set(password="wrong"), "不存在": url.set(database="nowhere")}
    for sentence, target in cases.items():
        database = open_database(target)
        with pytest.raises(DatabaseRefused, match=sentence):
            async with database.reading() as session:
                await session.execute(text("SELECT 1"))
        await database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "无法识别"),
        ("hotline.db", "无法识别"),
        ("mysql://root:geheim@127.0.0.1/x", "不支持 mysql"),
        ("sqlite:////proc/nowhere/a.db", "建不了"),
    ],
)
def test_an_address_that_cannot_work_says_what_would(url: str, says: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match=says) as caught:
        open_database(url)
    assert "例如 sqlite:///" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite://", "sqlite+aiosqlite"),
        ("sqlite+aiosqlite://", "sqlite+aiosqlite"),
        ("postgres://u@h/d", "postgresql+asyncpg"),
        ("postgresql://u@h/d", "postgresql+asyncpg"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg"),
    ],
)
def test_plain_addresses_get_the_asynchronous_driver(url: str, driver: str) -> None:
    assert async_url(url).drivername == driver


async def test_a_file_that_was_moved_away_is_out_of_reach_until_it_is_back(tmp_path: Path) -> None:
    await upgrade(f"sqlite:///{tmp_path}/a.db")
    database = open_database(f"sqlite:///{tmp_path}/a.db", must_exist=True)
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE kept (n INTEGER)"))
    (tmp_path / "a.db").rename(tmp_path / "b.db")
    with pytest.raises(DatabaseUnavailable, match="不见了"):
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO kept VALUES (1)"))
    assert not (tmp_path / "a.db").exists()
    (tmp_path / "b.db").rename(tmp_path / "a.db")
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO kept VALUES (2)"))
        assert list(await session.scalars(text("SELECT n FROM kept"))) == [2]
    await database.close()
