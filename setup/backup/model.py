"""What a backup is made of. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

PRODUCT: Final = "hotline12345"
FORMAT: Final = 1
"""Raised when an older program could no longer read what a newer one writes."""

DATABASE: Final = "@database"
"""Path of the entry that holds the database, wherever the instance keeps it."""

OUTSIDE: Final = "@config/"
"""Before the name of a file that lies outside the data folder: the settings file, certificates."""


class EntryKind(StrEnum):
    """How an entry was copied, and so how it is put back."""

    FILE = "file"
    SQLITE = "sqlite"
    """A SQLite file, copied by its online backup API."""
    POSTGRES = "postgres"
    """What ``pg_dump -Fc`` wrote."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the backup."""

    path: str
    """Relative to the data folder, with slashes; or :data:`DATABASE`; or below :data:`OUTSIDE`."""
    kind: EntryKind
    sha256: str
    """Of the content, in hex; also the name of the stored object."""
    size: int
    """Bytes."""
    modified_ns: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything one backup holds."""

    backup: str
    """Its id: the UTC moment at which it began, ``20261130T060001Z``."""
    version: str
    """Of the program that made it."""
    node: str
    began_at: str
    """ISO 8601, UTC."""
    seconds: float
    database: EntryKind
    schema: str
    """Revision of the database's schema."""
    recordings: bool
    """Whether recordings are in it."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """Table to number of rows, of the very state that was copied."""
    entries: tuple[Entry, ...] = ()
    product: str = PRODUCT
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes of all entries together."""
        return sum(entry.size for entry in self.entries)

    def dump(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, indent=1)


def manifest_of(text: str) -> Manifest:
    """Read what :meth:`Manifest.dump` wrote. Raises ValueError for anything else."""
    told: Any = json.loads(text)
    if not isinstance(told, dict) or told.get("product") != PRODUCT:
        raise ValueError("not a manifest of ours")
    if told.get("format") != FORMAT:
        raise ValueError(f"format {told.get('format')}")
    try:
        entries = tuple(Entry(**{**row, "kind": EntryKind(row["kind"])}) for row in told["entries"])
        manifest = Manifest(**{**told, "database": EntryKind(told["database"]), "entries": entries})
    except (TypeError, KeyError) as error:
        raise ValueError(f"a field is missing or unknown: {error}") from None
    names = [entry.path for entry in entries]
    if len(set(names)) != len(names):
        raise ValueError("a path stands there twice")
    return manifest
