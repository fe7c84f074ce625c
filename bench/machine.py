"""What the figures were measured on. One job: say so, in words for docs/bench."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]


def machine() -> dict[str, Any]:
    """The machine, the commit (``+``: with changes that are not committed) and the day."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Asterisk": "22 LTS, as the product runs it",
        "commit": _commit(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }


def _commit() -> str:
    asked = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty=+", "--exclude=*", "--abbrev=9"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
