"""Reading agents' calls as they are this moment: the database, and what is still only in the journal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from database.connection import Database
from ledger.model import Kind
from ledger.reader import facts_now, undrained
from outbound.model import OutboundCall
from outbound.serialisation import latest
from outbound.store import asked_since


async def calls_since(database: Database, folder: Path, node: str, since: datetime) -> list[OutboundCall]:
    """Every call of this node that is not over, or was asked for after ``since``. Raises DatabaseError."""
    # The journal first: what is drained meanwhile is then seen twice, and never missed.
    pending = {fact.call for fact in await undrained(database, folder, node) if fact.kind is Kind.OUTBOUND}
    async with database.reading() as session:
        known = {one.id: one for one in await asked_since(session, since)}
    for call in pending:
        facts = await facts_now(database, folder, node, call)
        newest = latest(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.OUTBOUND))
        if newest is not None:
            known[call] = newest
    return [one for one in known.values() if one.id.startswith(f"{node}-")]
