"""A subscription (订阅) and its records. Pure: no table, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class What(StrEnum):
    """What a department may subscribe to; also the first part of a record's key and its schema."""

    CALLS = "calls"
    """受理信息: each call that came in to be answered by 12345, when it is over."""
    DISPOSITIONS = "dispositions"
    """处理结果: what a call came to, each time that somebody says so."""
    RATINGS = "ratings"
    """评价: a citizen's rating of a call."""
    ORDERS = "orders"
    """应急工单: each step of an urgent order that was raised in a call."""
    DAYS = "days"
    """日汇总: the figures of a day, when it is over, and again when late facts change them."""


SCHEMA: Final = 1
"""Version of every record's body. A field may be added to a version; one that goes or changes makes a new version."""

EVERYTHING: Final = "*"
"""As the only number of a scope: all calls."""

GENESIS: Final = "0" * 64
"""What stands before the first record of a chain."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one department is told."""

    id: str
    name: str
    """The department's, for people."""
    what: frozenset[What]
    numbers: frozenset[str]
    """Dialled numbers in its scope, or :data:`EVERYTHING`."""
    groups: frozenset[str]
    """Groups in its scope, beside the numbers."""
    url: str = ""
    """Where records are pushed to; empty: the department fetches them."""
    client: str = ""
    """Id of the program that may fetch; its rights decide whether callers' numbers are told in full."""
    created_at: datetime | None = None
    ended_at: datetime | None = None
    """Nothing is told any more; what was told stays."""

    @property
    def everything(self) -> bool:
        return EVERYTHING in self.numbers


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has its place in a chain."""

    key: str
    """Of what it tells, the same whenever that is told again: a key is in a chain once."""
    what: What
    body: str
    """JSON, exactly as it is hashed and sent."""
    full: bool = False
    """A caller's number stands in it unmasked."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of one subscription's chain."""

    subscription: str
    seq: int
    """From 1, without gaps, in the order in which the records were written."""
    key: str
    what: What
    at: datetime
    """When it was written; what it tells may be older."""
    body: str
    previous: str
    """Hash of the record before it, or :data:`GENESIS`."""
    hash: str
    full: bool = False
