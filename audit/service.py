"""The audit between database and file: what the database has sealed is noted outside it, soon and in order.

One job: bring the anchors up to the database. Safe to repeat, and in several processes: a line twice does no harm.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import structlog

from audit import anchors
from audit.store import after
from database.connection import Database

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)


async def note_new(database: Database, data_dir: Path) -> None:
    """Note every entry after the last anchor, in the file and in the log. Raises DatabaseError or OSError."""
    path = data_dir / anchors.FILE
    last = await asyncio.to_thread(anchors.newest, path)
    async with database.reading() as session:
        new = await after(session, last)
    for entry in new:
        await asyncio.to_thread(anchors.note, path, entry)
        log.info("audit", seq=entry.seq, hash=entry.hash, action=entry.act.action)
