"""Reading the orders as they are this moment: the database, and what is still only in the journal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from database.connection import Database
from ledger.model import Kind
from ledger.reader import facts_now, undrained
from orders.model import Order
from orders.serialisation import fold
from orders.store import known_since


async def raised(database: Database, folder: Path, node: str, since: datetime) -> list[Order]:
    """Every order of this node that is open, or was over after ``since``. Raises DatabaseError."""
    # The journal first: what is drained meanwhile is then seen twice, and never missed.
    pending = {fact.call for fact in await undrained(database, folder, node) if fact.kind is Kind.ORDER}
    async with database.reading() as session:
        known = {one.number: one for one in await known_since(session, since)}
    for call in pending:
        facts = await facts_now(database, folder, node, call)
        told = fold(call, ((fact.id, fact.data) for fact in facts if fact.kind is Kind.ORDER))
        known |= {one.number: one for one in told}
    return [one for one in known.values() if one.number.startswith(f"{node}-")]
