"""An entry of the audit, and what can be found wrong with the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What the first entry is sealed to."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where."""

    name: str
    origin: str
    """E.g. ``命令行 root@hl1 pts/0``."""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did."""

    action: str
    """Stable word, e.g. ``routing.publish``."""
    subject: str
    """What it was done to, in Chinese, e.g. ``版本 7``."""
    reason: str = ""
    """Why, as the person said it."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """Plain data for programs; no secrets."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An act as it is kept."""

    seq: int
    """1, 2, 3 … without a gap."""
    at: datetime
    actor: Actor
    act: Act
    previous: str
    """Hash of the entry before."""
    hash: str
    """SHA-256 over everything above, in hex."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A number and hash of an entry, noted outside the database."""

    seq: int
    hash: str


class Wrong(StrEnum):
    """What was done behind the audit's back."""

    CHANGED = "changed"
    """An entry is not what was sealed."""
    MISSING = "missing"
    """An entry in the middle is gone."""
    MOVED = "moved"
    """An entry does not follow the one before it: inserted, or put elsewhere."""
    CUT = "cut"
    """The end is gone: an anchor knows later entries than the database has."""
    UNKNOWN = "unknown"
    """Nothing outside the database knows of it: the anchors were emptied, or never written."""
    REPLACED = "replaced"
    """Sealed anew: the entry fits its neighbours, but an anchor knows another hash."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong, with the number of the entry."""

    seq: int
    wrong: Wrong

    def __str__(self) -> str:
        return {
            Wrong.CHANGED: f"第 {self.seq} 条被改过：内容与封印不符",
            Wrong.MISSING: f"第 {self.seq} 条被删除",
            Wrong.MOVED: f"第 {self.seq} 条不是接在前一条之后写下的：有记录被插入、替换或调换",
            Wrong.CUT: f"末尾被截断：第 {self.seq} 条曾经写下，现在没有",
            Wrong.UNKNOWN: f"第 {self.seq} 条起在数据库之外没有校验值：校验值文件被清空、删除或没有写成",
            Wrong.REPLACED: f"第 {self.seq} 条被整体重写：与当时在数据库之外记下的校验值不符",
        }[self.wrong]
