"""Which announcements (公告) a caller hears after the greeting.

One job: the table's rows, a number, a group and a moment in; prompt ids out. What a supervisor raises by hand is
calls/emergency_announcements.py's.
"""

from __future__ import annotations

from datetime import datetime

from routing.model import Announcement, Snapshot
from telephony.model import GroupId


def prompt_of(name: str) -> str:
    """Id of the prompt that speaks this announcement."""
    return f"announcement-{name}"


def plays(row: Announcement, now: datetime) -> bool:
    """Whether it is played by itself at the aware moment ``now``: from its first moment up to, not at, its last."""
    if row.since is None and row.until is None:
        return False
    return (row.since is None or row.since <= now) and (row.until is None or now < row.until)


def concerns(row: Announcement, number: str, group: GroupId) -> bool:
    """Whether it is for who dialled this number and comes to this group."""
    return (not row.groups or group in row.groups) and (not row.numbers or number in row.numbers)


def announced(snapshot: Snapshot, number: str, group: GroupId, now: datetime) -> tuple[str, ...]:
    """The announcements that this caller hears now, by id, in the table's order."""
    return tuple(row.id for row in snapshot.announcements.values() if plays(row, now) and concerns(row, number, group))
