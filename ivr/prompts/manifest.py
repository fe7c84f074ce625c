"""What was built: one JSON file beside the sounds, so that only changed prompts are built again.

One job: remember. It builds nothing and measures nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ivr.prompts.catalogue import Source

NAME: Final = "manifest.json"

Key = tuple[str, str]
"""Language and prompt id."""


@dataclass(frozen=True, slots=True)
class Built:
    """One sound file: what it says, whose voice, and what was measured on the line's own file."""

    id: str
    language: str
    text: str
    source: Source
    fingerprint: str
    """Changes when the text, the voice, the recording or a tool does."""
    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    clipped: int
    remark: str = ""
    """In Chinese, what should be done better about a file that may be played all the same."""


def load(sounds: Path) -> dict[Key, Built]:
    """What was built before; empty when nothing was, or when the file cannot be read (all is built again then)."""
    try:
        rows = json.loads((sounds / NAME).read_text("utf-8"))
        built = [Built(**{**row, "source": Source(row["source"])}) for row in rows]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return {}
    return {(row.language, row.id): row for row in built}


def dump(built: Mapping[Key, Built]) -> bytes:
    """The file's content, in an order that does not change by itself."""
    rows: Iterable[Built] = (built[key] for key in sorted(built))
    return json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=1).encode() + b"\n"
