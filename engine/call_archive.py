"""Past calls, their recordings and the audit, as the console reads them.

One job: put database, journal and folder together for who may ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from audit.model import Entry
from audit.query import AuditQuery
from audit.store import search
from database.connection import Database
from ledger.model import Fact
from ledger.reader import calls_now, facts_now
from ledger.records import CallRecord, fold
from ledger.store import CallFilter
from recordings.model import Recording
from recordings.store import list_recordings
from telephony.model import CallId


class CallArchive:
    """One node's. Everything raises DatabaseError while the database is away."""

    def __init__(self, database: Database, journal: Path, node: str, folder: Path, messages: Path) -> None:
        self._database = database
        self._journal = journal
        self._node = node
        self.folder = folder
        self.messages = messages

    async def calls(self, wanted: CallFilter) -> Sequence[CallRecord]:
        """The calls wanted, newest first."""
        return await calls_now(self._database, self._journal, self._node, wanted)

    async def story(self, call: CallId) -> tuple[CallRecord, Sequence[Fact]] | None:
        """One call with its facts; None for one that nobody knows."""
        facts = await facts_now(self._database, self._journal, self._node, call)
        record = fold(facts)
        return None if record is None else (record, facts)

    async def recordings(self, since: datetime | None, until: datetime | None, limit: int) -> Sequence[Recording]:
        """Recordings, newest first."""
        async with self._database.reading() as session:
            return await list_recordings(session, since=since, until=until, limit=limit)

    async def audit(self, query: AuditQuery) -> Sequence[Entry]:
        """The newest entries that are asked for, in their order."""
        async with self._database.reading() as session:
            return await search(session, query)
