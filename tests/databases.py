"""Fixtures: an empty database of either kind, and one with its schema in place."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from database.connection import Database, open_database
from database.schema import upgrade
from tests.postgres import create_database, drop_database, temporary_postgres


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """Superuser URL of a temporary PostgreSQL: the test command's, or one that lives as long as this run."""
    given = os.environ.get("HOTLINE_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with temporary_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database; a test that asks for it runs on both kinds."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/hotline.db"
        return
    cluster: str = request.getfixturevalue("postgres_cluster")
    name = f"hotline_test_{uuid.uuid4().hex}"
    create_database(cluster, name)
    yield f"{cluster.rpartition('/')[0]}/{name}"
    drop_database(cluster, name)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database at the newest schema."""
    await upgrade(database_url)
    opened = open_database(database_url)
    yield opened
    await opened.close()
