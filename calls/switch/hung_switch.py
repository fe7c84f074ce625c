"""What is kept of a switch that hung and was restarted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HUNG_FILE: Final = "asterisk-hung.json"
"""In ``run_dir``: the last restart of a hung switch, for the engine's alarm."""


@dataclass(frozen=True, slots=True)
class Hung:
    """A switch that was restarted because it did not answer."""

    at: str
    """UTC, ISO 8601."""
    evidence: str
    """The file that says what its threads were at."""


def last_hung(run_dir: Path) -> Hung | None:
    """The last restart of a hung switch; None when there was none."""
    try:
        return Hung(**json.loads((run_dir / HUNG_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
