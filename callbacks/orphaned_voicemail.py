"""Messages that were left while no engine lived: a file is there, and no fact tells of it.

One job: find them once, after a start. Who called is read from the ledger.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from callbacks.registry import REMEMBERED
from callbacks.voicemail import Mailbox
from database.connection import Database
from ledger.model import Kind
from ledger.reader import facts_now
from ledger.records import word
from recordings.layout import call_of
from telephony.model import CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

STILL_WRITTEN: Final = timedelta(seconds=2)
"""A file younger than this may belong to somebody who still speaks."""


@dataclass(frozen=True, slots=True)
class OrphanedFile:
    """One file."""

    call: CallId
    size: int
    at: datetime


def files(folder: Path, now: datetime) -> Iterator[OrphanedFile]:
    """Files of messages that were finished within the last day: what is older was taken, or closed, long ago."""
    for path in folder.glob("*/*/*/*.wav"):
        call = call_of(path.relative_to(folder).as_posix())
        if call is None:
            continue
        status = path.stat()
        at = datetime.fromtimestamp(status.st_mtime, UTC)
        if STILL_WRITTEN < now - at < REMEMBERED:
            yield OrphanedFile(call, status.st_size, at)


async def recover_orphans(mailbox: Mailbox, folder: Path, database: Database, journal: Path, node: str) -> int:
    """Take every message of which no fact tells. Returns how many. Raises DatabaseError."""
    taken = 0
    for found in await asyncio.to_thread(lambda: list(files(folder, datetime.now(UTC)))):
        if mailbox.get(found.call) is not None:
            continue
        facts = await facts_now(database, journal, node, found.call)
        told = next((fact.data for fact in facts if fact.kind is Kind.ENTERED), {})
        caller, line, group = (word(told, name) for name in ("caller", "number", "group"))
        taken += mailbox.take(found.call, caller=caller, line=line, group=group, size=found.size, at=found.at)
    if taken:
        log.warning("messages found that no fact told of", messages=taken)
    return taken
