"""What a call is connected with, for who reads its story: orders, messages, callbacks, and other calls of its number.

One job: gather and shape. Numbers are masked; whose calls may be opened is the asker's right.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from ledger.model import Fact
from ledger.records import CallRecord
from ledger.related import linked
from ledger.store import CallFilter
from ledger.story import outline

MATTER: Final = timedelta(days=30)
"""Calls of one number so far apart are taken to be about the same matter. Ours to choose."""

MOST: Final = 5
"""Earlier and later calls that are shown: the nearest."""

LOOKED_AT: Final = 50
"""Later calls that the nearest are taken from; the ledger gives the newest first."""

Find = Callable[[CallFilter], Awaitable[Sequence[CallRecord]]]


async def related(find: Find, record: CallRecord, facts: Sequence[Fact], agent: str) -> dict[str, Any]:
    """Links of a call. ``agent``: whose calls alone may be opened; empty for anybody's. Raises DatabaseError."""
    found: dict[str, Any] = {"links": [asdict(link) for link in linked(facts)], "earlier": [], "later": []}
    if not record.caller:
        return found  # a withheld number is not one person's
    at = record.entered_at
    before = CallFilter(caller=record.caller, agent=agent, since=at - MATTER, before=(at, record.call), limit=MOST)
    after = CallFilter(caller=record.caller, agent=agent, since=at, until=at + MATTER, limit=LOOKED_AT)
    later = [one for one in await find(after) if (one.entered_at, one.call) > (at, record.call)]
    found["earlier"] = [outline(one) for one in await find(before)]
    found["later"] = [outline(one) for one in reversed(later[-MOST:])]
    return found
