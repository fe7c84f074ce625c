"""What agents have noted of the calls that are up, read back from the ledger after a restart.

One job: fill what an engine that has just begun does not know of a call that went on without it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from calls.registry import Calls
from database.errors import DatabaseError
from ledger.model import Fact, Kind
from telephony.model import CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FIELDS: Final = ("address", "summary")

Noted = Callable[[datetime, datetime], Awaitable[list[Fact]]]
"""Facts of the kind NOTED from, up to but not at, in their order. Raises DatabaseError and its kin."""


async def restore_notes(calls: Calls, noted: Noted, told: Callable[[Kind, CallId, dict[str, str]], None]) -> None:
    """Fill the empty fields of the calls that are up; what has been noted since the start stands.

    ``told`` hears of each call that was filled, as of a fact: screens show it then. A ledger that cannot be read costs
    a line in the log: agents' pages keep what they typed themselves.
    """
    began = [held.since_ms for held in calls.live.values() if held.since_ms]
    if not began:
        return
    since, now = datetime.fromtimestamp(min(began) / 1000, UTC), datetime.now(UTC)
    try:
        facts = await noted(since, now)
    except (DatabaseError, SQLAlchemyError, OSError) as error:
        log.warning("notes of the calls that are up not known", reason=str(error))
        return
    last: dict[CallId, dict[str, str]] = {}
    for fact in facts:
        last.setdefault(fact.call, {}).update({name: str(fact.data[name]) for name in FIELDS if name in fact.data})
    for call, texts in last.items():
        held = calls.live.get(call)
        if held is None:
            continue
        held.address = held.address or texts.get("address", "")
        held.summary = held.summary or texts.get("summary", "")
        told(Kind.NOTED, call, texts)
