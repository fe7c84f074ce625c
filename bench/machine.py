"""What the figures were measured on. One job: say so, in words for docs/bench."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any


def machine() -> dict[str, Any]:
    """The machine and the day."""
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Asterisk": "22 LTS, as the product runs it",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
