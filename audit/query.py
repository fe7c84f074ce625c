"""Which entries of the audit somebody asks for, and what they say of one row of the routing table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audit.model import Entry

DRAFT: Final = "routing.draft"
"""The action whose entries carry rows of the table."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """An empty field does not restrict. ``since`` is included, ``until`` is not."""

    limit: int = 100
    action: str = ""
    """How the action begins, e.g. ``look.``."""
    actor: str = ""
    """A part of the name."""
    text: str = ""
    """A part of what was done, or of the reason."""
    row: str = ""
    """A row of the routing table, e.g. ``numbers.12315``."""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0
    """Only entries with smaller numbers: the next page."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One entry's part in the history of a row; a row that is None is not there."""

    entry: Entry
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    first: bool
    """The oldest entry that tells of the row: what it was before stands nowhere."""

    @property
    def fields(self) -> dict[str, tuple[Any, Any]]:
        """Each field that differs, with both values."""
        old, new = self.old or {}, self.new or {}
        return {name: (old.get(name), new.get(name)) for name in sorted({*old, *new}) if old.get(name) != new.get(name)}


def row_history(entries: Iterable[Entry], row: str) -> list[RowChange]:
    """What became of a row, by the entries in the order of their numbers; each holds the whole row as it was left."""
    changes: list[RowChange] = []
    for entry in entries:
        rows = entry.act.detail.get("rows")
        if entry.act.action != DRAFT or not isinstance(rows, Mapping) or row not in rows:
            continue
        old = changes[-1].new if changes else None
        value = rows[row]
        changes.append(RowChange(entry, old, value if isinstance(value, Mapping) else None, not changes))
    return changes
