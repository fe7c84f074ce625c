"""A release: a table that waits for a second person, or for its hour, before it is published.

One job: its states, and what becomes of it when others published meanwhile. Pure; routing/release_store.py keeps it.

    asked ──approve──► ready ──due──► published
      └──reject──► rejected   └──►  failed        cancel ends both of the first
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from routing.draft import changes
from routing.labels_zh import row_words
from routing.model import Table
from routing.naming import names_of
from routing.table_rows import rows_of, table_of


class State(StrEnum):
    ASKED = "asked"
    """待批准"""
    READY = "ready"
    """待发布"""
    PUBLISHED = "published"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Its hour came, and it could not be published."""


class Happening(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    PUBLISHED = "published"
    FAILED = "failed"


TRANSITIONS: Final[Mapping[tuple[State, Happening], State]] = {
    (State.ASKED, Happening.APPROVED): State.READY,
    (State.ASKED, Happening.REJECTED): State.REJECTED,
    (State.ASKED, Happening.CANCELLED): State.CANCELLED,
    (State.READY, Happening.CANCELLED): State.CANCELLED,
    (State.READY, Happening.PUBLISHED): State.PUBLISHED,
    (State.READY, Happening.FAILED): State.FAILED,
}
"""All else is refused: what is over stays over."""

WORDS: Final[Mapping[State, str]] = {
    State.ASKED: "待批准",
    State.READY: "待发布",
    State.PUBLISHED: "已发布",
    State.REJECTED: "已驳回",
    State.CANCELLED: "已撤销",
    State.FAILED: "未能发布",
}


@dataclass(frozen=True, slots=True)
class Release:
    """One of them, without its table."""

    id: int
    asked_at: datetime
    author: str
    origin: str
    """Where the author asked from."""
    reason: str
    due_at: datetime | None
    """None: as soon as it is ready."""
    base: int
    """The version in force when it was asked for."""
    state: State
    decided_by: str = ""
    version: int | None = None
    trouble: str = ""


class ReleaseRefused(Exception):
    """What was asked of a release cannot be; the text says why, in Chinese."""


def after(release: Release, happening: Happening, by: str) -> State:
    """The next state. Raises ReleaseRefused; nobody approves what they wrote themselves."""
    state = TRANSITIONS.get((release.state, happening))
    if state is None:
        raise ReleaseRefused(f"第 {release.id} 号发布申请{WORDS[release.state]}，不能再改")
    if happening is Happening.APPROVED and by == release.author:
        raise ReleaseRefused(f"第 {release.id} 号发布申请是 {by} 自己提出的，须由另一人批准")
    return state


class Overtaken(Exception):
    """Somebody else published a change of the same rows meanwhile; the text names them."""


def rebased(base: Table, wanted: Table, current: Table) -> Table:
    """The changes from ``base`` to ``wanted``, made to what is in force now.

    Raises Overtaken when a row that is wanted otherwise was changed otherwise since.
    """
    was, want, now = rows_of(base), rows_of(wanted), rows_of(current)
    ours, theirs = changes(was, want), changes(was, now)
    both = [key for key, row in ours.items() if key in theirs and theirs[key] != row]
    if both:
        names = names_of(current).over(names_of(wanted))
        lines = "；".join(row_words(key, names) for key in both)
        raise Overtaken(f"在此期间已发布的版本也改了 {lines}；请在草稿中核对后重新提出发布")
    merged = dict(now)
    for key, row in ours.items():
        if row is None:
            merged.pop(key, None)
        else:
            merged[key] = row
    return table_of(merged)
