from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from database.connection import open_database
from tests.support.web_harness import Hall, opened


@pytest.fixture
async def hall(upgraded_sqlite: Path, tmp_path: Path) -> AsyncIterator[Hall]:
    """The browsers' listener, on a database of its own."""
    shutil.copy(upgraded_sqlite, tmp_path / "hotline.db")
    database = open_database(f"sqlite:///{tmp_path}/hotline.db")
    async with opened(database, tmp_path) as made:
        yield made
    await database.close()
