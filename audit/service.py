"""The audit between database and file: what the database has sealed is noted outside it, soon and in order.

One job: bring the anchors up to the database. Safe to repeat, and in several processes: a line twice does no harm.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from audit import anchors
from audit.model import Act, Actor
from audit.rules import LOST, MAY_LAG
from audit.store import after, append
from database.connection import Database

_noted: Final[dict[Path, int]] = {}
"""The last number that this process has noted in a file: a file that knows less has lost something."""

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)


async def anchor_new_entries(database: Database, data_dir: Path) -> None:
    """Note every entry after the last anchor, in the file and in the log. Raises DatabaseError or OSError."""
    path = data_dir / anchors.FILE
    last = await asyncio.to_thread(anchors.newest, path)
    async with database.reading() as session:
        new = await after(session, last)
    if last < _noted.get(path, 0) or (last == 0 and len(new) > MAY_LAG):
        # Written anew below; that it was lost stays in the chain.
        act = Act(LOST, f"第 {last + 1} 条起的校验值不在文件里，已按数据库重新写下；请与抄在别处的校验值核对")
        async with database.transaction() as session:
            await append(session, Actor("热线", "审计"), act, datetime.now(UTC))
        async with database.reading() as session:
            new = await after(session, last)
    for entry in new:
        await asyncio.to_thread(anchors.note, path, entry)
        _noted[path] = entry.seq
        log.info("audit", seq=entry.seq, hash=entry.hash, action=entry.act.action)
