"""The sample table that ships with the product: every row is marked 示例，待核."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from routing.model import Snapshot, Table
from routing.snapshot import freeze
from routing.toml import read_table

SAMPLE_FILE: Final = Path(__file__).with_name("sample.toml")

_NEVER_PUBLISHED: Final = datetime(2026, 1, 1, tzinfo=UTC)


def sample_table() -> Table:
    """The rows of routing/sample.toml."""
    return read_table(SAMPLE_FILE.read_text(encoding="utf-8"))


def sample_snapshot() -> Snapshot:
    """The sample as a snapshot, version 0: good for trying the rules where nothing was published yet."""
    return freeze(sample_table(), version=0, published_at=_NEVER_PUBLISHED)
