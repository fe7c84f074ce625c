"""A server that is stopped takes connections and says nothing: nobody waits for it longer than was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from database import connection
from database.connection import Breaker, Database, open_database
from database.errors import DatabaseUnavailable
from database.schema import upgrade
from tests.postgres import Cluster, temporary_cluster
from users.model import Role, Session, User
from users.passwords import Hashing, digest
from users.seal import Seal
from users.sessions import Sessions

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with temporary_cluster() as running:
        yield running


@pytest.fixture
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    await upgrade(cluster.url)
    opened = open_database(cluster.url)
    await opened.promptly(one)
    yield opened
    cluster.thaw()
    await asyncio.gather(*connection._abandoned, return_exceptions=True)  # they end now that the server answers
    await opened.close()


async def one(session: AsyncSession) -> int:
    return int((await session.execute(text("SELECT 1"))).scalar_one())


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_question_is_given_up_promptly_and_the_next_one_at_once(cluster: Cluster, database: Database) -> None:
    cluster.freeze()
    began = now()
    with pytest.raises(DatabaseUnavailable, match="没有应答"):
        await database.promptly(one)
    assert now() - began < 1.9, "the server never answers, and giving a statement up must not wait for it"
    with pytest.raises(DatabaseUnavailable, match="没有应答"):
        await database.promptly(one)
    given_up = now()
    with pytest.raises(DatabaseUnavailable, match="没有应答"):
        async with database.reading():
            pass
    with pytest.raises(DatabaseUnavailable, match="没有应答"):
        async with database.transaction():
            pass
    assert now() - given_up < 0.5
    cluster.thaw()

    async def answers() -> bool:
        with suppress(DatabaseUnavailable):
            return await database.promptly(one) == 1
        return False

    async with asyncio.timeout(20):
        while not await answers():
            await asyncio.sleep(0.1)


async def test_who_is_signed_in_stays_so_while_the_database_says_nothing(
    cluster: Cluster, database: Database, tmp_path: Path
) -> None:
    sessions = Sessions(database, Hashing(), anchor=nothing, seal=Seal(tmp_path))
    moment = datetime.now(UTC)
    user = User("wang", "王", frozenset({Role.AGENT}), "1001", must_change=False)
    sessions._remember(Session(digest("token"), "wang", moment, moment, "网页"), user)
    cluster.freeze()
    began = now()
    known = [await sessions.identify("token") for _ in range(5)]
    assert all(who is not None and who.user == user for who in known)
    assert now() - began < 3.5, "two of them wait, for a second each"
    with pytest.raises(DatabaseUnavailable, match="没有应答"):
        await sessions.identify("somebody else's")
    assert now() - began < 4.5


async def nothing() -> None: ...


async def test_a_locked_table_is_told_as_such(
    cluster: Cluster, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {**connection._LIMITS["server_settings"], "lock_timeout": "200"}
    monkeypatch.setitem(connection._LIMITS, "server_settings", limits)
    impatient = open_database(cluster.url)
    try:
        async with database.transaction() as holder:
            await holder.execute(text("LOCK TABLE facts IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(DatabaseUnavailable, match="被其他程序锁住"):
                async with impatient.reading() as session:
                    await session.execute(text("SELECT count(*) FROM facts"))
    finally:
        await impatient.close()


def test_the_breaker_closes_by_itself() -> None:
    clock = [10.0]
    breaker = Breaker(lambda: clock[0])
    seen = [breaker.open]
    breaker.silent()
    breaker.answered()
    breaker.silent()
    seen.append(breaker.open)
    breaker.silent()
    seen.append(breaker.open)
    clock[0] += connection.BREAK_SECONDS
    assert [*seen, breaker.open] == [False, False, True, False]
