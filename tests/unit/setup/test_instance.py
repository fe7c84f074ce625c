"""The instance as who looks after it sees it, on a real database and real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from config.credentials import credentials
from config.settings import Settings
from database.connection import Database
from routing.publish import ensure_published
from setup.instance import InstanceDiagnostics
from telephony.model import SeatId

pytestmark = pytest.mark.unit

SQLITE_TRIGGERS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_log'"
TRIGGERS = "SELECT DISTINCT trigger_name FROM information_schema.triggers WHERE event_object_table = 'audit_log'"
EVERYWHERE = "0.0.0.0"  # noqa: S104  what an admin may have set


async def test_an_entry_changed_behind_the_audit_s_back_is_found(database: Database, tmp_path: Path) -> None:
    table = await ensure_published(database, tmp_path)
    care = InstanceDiagnostics(Settings(data_dir=tmp_path), database, lambda: table)
    found = await care.verified()
    assert (found.count, list(found.findings)) == (2, [])
    assert found.last.startswith("2:")
    async with database.transaction() as session:
        sqlite = session.get_bind().dialect.name == "sqlite"
        triggers = await session.scalars(text(SQLITE_TRIGGERS if sqlite else TRIGGERS))
        for name in [*triggers]:
            await session.execute(text(f"DROP TRIGGER {name}" + ("" if sqlite else " ON audit_log")))
        await session.execute(text("UPDATE audit_log SET reason = '没有原因' WHERE seq = 2"))
    assert "第 2 条被改过" in (await care.verified()).findings[0]


async def test_a_phone_gets_the_password_that_asterisk_has(database: Database, tmp_path: Path) -> None:
    table = await ensure_published(database, tmp_path)
    kept = credentials(tmp_path, table.seats)
    for bind, server in (("127.0.0.1", "127.0.0.1"), (EVERYWHERE, "")):
        care = InstanceDiagnostics(Settings(data_dir=tmp_path, bind=bind), database, lambda: table)
        line = await care.line(SeatId("8001"))
        assert line is not None
        assert (line.server, line.port, line.password) == (server, 5062, kept.seat_passwords["8001"])
        assert await care.line(SeatId("9999")) is None
