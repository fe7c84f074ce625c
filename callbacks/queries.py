"""Reading the promises as they are this moment: the database, and what is still only in the journal."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from pathlib import Path

from callbacks import voicemail_rules
from callbacks.model import Callback
from callbacks.serialisation import fold
from callbacks.store import known_since, messages_since
from callbacks.voicemail_rules import Voicemail
from database.connection import Database
from ledger.model import Fact, Kind
from ledger.reader import facts_now, undrained
from telephony.model import CallId


async def open_voicemails(database: Database, folder: Path, node: str, since: datetime) -> list[Voicemail]:
    """Every message that is open, or was closed after ``since``. Raises DatabaseError."""
    pending = {fact.call for fact in await undrained(database, folder, node) if fact.kind is Kind.MESSAGE}
    async with database.reading() as session:
        known = {one.id: one for one in await messages_since(session, since)}
    for call in pending:
        facts = await facts_now(database, folder, node, call)
        newest = voicemail_rules.fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.MESSAGE))
        if newest is not None:
            known[call] = newest
    return list(known.values())


async def open_callbacks(database: Database, folder: Path, node: str, since: datetime) -> list[Callback]:
    """Every promise that is open, or was closed after ``since``. Raises DatabaseError."""
    # The journal first: what is drained meanwhile is then seen twice, and never missed.
    pending: dict[CallId, list[Fact]] = defaultdict(list)
    for fact in await undrained(database, folder, node):
        if fact.kind is Kind.CALLBACK:
            pending[fact.call].append(fact)
    async with database.reading() as session:
        known = {one.id: one for one in await known_since(session, since)}
    for call in pending:
        facts = await facts_now(database, folder, node, call)
        newest = fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.CALLBACK))
        if newest is not None:
            known[call] = newest
    return list(known.values())
