"""Fixtures: an empty database of either kind, and one with its schema in place."""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from database.connection import Database, open_database
from database.schema import upgrade
from tests.postgres import create_database, drop_database, temporary_cluster
from tests.support.leaks import keep


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """Superuser URL of a temporary PostgreSQL: the test command's, or one that lives as long as this run."""
    given = os.environ.get("HOTLINE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with temporary_cluster() as cluster:
        keep(cluster.pid, cluster.port)
        yield cluster.url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """A test that asks for a database runs on both kinds."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/hotline.db"
        return
    with _postgres_database(request.getfixturevalue("postgres_cluster")) as url:
        yield url


@pytest_asyncio.fixture
async def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database at the newest schema, copied from one that was upgraded once."""
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("upgraded_sqlite"), tmp_path / "hotline.db")
        opened = open_database(f"sqlite:///{tmp_path}/hotline.db")
        yield opened
        await opened.close()
        return
    template: str = request.getfixturevalue("upgraded_postgres")
    with _postgres_database(request.getfixturevalue("postgres_cluster"), template) as url:
        opened = open_database(url)
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("upgraded") / "hotline.db"
    _apart(lambda: asyncio.run(upgrade(f"sqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def upgraded_postgres(postgres_cluster: str) -> Iterator[str]:
    """Name of a PostgreSQL database at the newest schema, to be copied."""
    with _postgres_database(postgres_cluster) as url:
        _apart(lambda: asyncio.run(upgrade(url)))
        yield url.rpartition("/")[2]


@contextmanager
def _postgres_database(cluster: str, template: str = "template0") -> Iterator[str]:
    name = f"hotline_test_{uuid.uuid4().hex}"
    create_database(cluster, name, template)
    try:
        yield f"{cluster.rpartition('/')[0]}/{name}"
    finally:
        drop_database(cluster, name)


def _apart(work: Callable[[], object]) -> None:
    """Run in a thread of its own, because the test's thread has its own event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
