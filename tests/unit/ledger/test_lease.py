"""One instance keeps a node's books; a second one of the same name is told who does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from database.connection import Database
from ledger.lease import FREE_AFTER, LeaseTaken, lease_of

pytestmark = pytest.mark.unit

NOW = datetime(2026, 10, 10, 8, tzinfo=UTC)


async def test_a_second_instance_is_refused_until_the_first_is_gone(database: Database, tmp_path: Path) -> None:
    first, second = lease_of("hl1", tmp_path / "one"), lease_of("hl1", tmp_path / "two")
    await second.require_free(database, NOW)
    await first.take(database, NOW)
    for ask in (second.take, second.require_free):
        with pytest.raises(LeaseTaken, match=r"one，5 秒前还在.*HOTLINE_NODE"):
            await ask(database, NOW + timedelta(seconds=5))
    await lease_of("hl2", tmp_path / "two").take(database, NOW)
    await first.take(database, NOW + timedelta(seconds=5))
    with pytest.raises(LeaseTaken):
        await second.take(database, NOW + FREE_AFTER)
    await second.take(database, NOW + timedelta(seconds=5) + FREE_AFTER)
    with pytest.raises(LeaseTaken, match="two"):
        await first.take(database, NOW + timedelta(seconds=6) + FREE_AFTER)


async def test_a_restart_takes_its_own_at_once_and_a_stop_gives_it_back(database: Database, tmp_path: Path) -> None:
    await lease_of("hl1", tmp_path / "one").take(database, NOW)
    again = lease_of("hl1", tmp_path / "one")
    await again.take(database, NOW)
    await again.give_back(database)
    await lease_of("hl1", tmp_path / "two").take(database, NOW)
    await again.give_back(database)
    with pytest.raises(LeaseTaken):
        await again.take(database, NOW)
