from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database.connection import Database
from tests.unit.users.people import People


@pytest.fixture
def people(database: Database, tmp_path: Path) -> Iterator[People]:
    made = People(database, tmp_path)
    yield made
    made.hashing.stop()
