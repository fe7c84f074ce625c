from __future__ import annotations

import asyncio

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from database import schema
from database.connection import Database, open_database
from database.errors import SchemaTooNew
from database.schema import MIGRATIONS, check, state_of, upgrade

pytestmark = pytest.mark.unit


async def execute(url: str, *statements: str) -> None:
    database = open_database(url)
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))
    await database.close()


def test_the_migrations_are_one_line_of_descent() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert len(scripts.get_heads()) == 1
    assert [script.revision for script in scripts.walk_revisions()][-1] == "0001"


async def test_an_empty_database_is_told_and_brought_to_head(database_url: str) -> None:
    before = await check(database_url)
    assert before.current is None
    assert "./hotline db upgrade" in before.sentence
    after = await upgrade(database_url)
    assert after.current == after.head
    assert await upgrade(database_url) == after == await check(database_url)


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    state = await state_of(database)
    assert state.drift == ()
    assert state.healthy
    assert "一致" in state.sentence


async def test_checking_an_empty_database_changes_nothing(database_url: str) -> None:
    await check(database_url)
    assert (await check(database_url)).current is None


async def test_upgrades_at_the_same_time_do_not_collide(database_url: str) -> None:
    states = await asyncio.gather(*(upgrade(database_url) for _ in range(3)))
    assert {state.current for state in states} == {states[0].head}


async def test_a_newer_schema_is_left_alone_and_explained(database_url: str) -> None:
    await upgrade(database_url)
    await execute(database_url, "UPDATE alembic_version SET version_num = '9999'")
    state = await check(database_url)
    assert not state.known
    assert not state.healthy
    with pytest.raises(SchemaTooNew, match="请用新版程序"):
        await upgrade(database_url)


async def test_tables_changed_by_hand_are_named(database_url: str) -> None:
    await upgrade(database_url)
    await execute(
        database_url,
        "ALTER TABLE routing_draft ADD COLUMN extra INTEGER",
        "DROP TABLE routing_draft_history",
        "CREATE TABLE stray (id INTEGER PRIMARY KEY)",
    )
    state = await check(database_url)
    assert not state.healthy
    assert {"缺少表 routing_draft_history", "多出表 stray", "多出列 routing_draft.extra"} <= set(state.drift)
    assert "多出表 stray" in state.sentence


async def test_a_schema_that_is_at_head_is_not_compared_again_at_each_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(database_url)

    def compared(*_: object) -> None:
        raise AssertionError("half a second of CPU")

    monkeypatch.setattr(schema, "compare_metadata", compared)
    state = await upgrade(database_url)
    assert state.current == state.head
    with pytest.raises(AssertionError):
        await check(database_url)
