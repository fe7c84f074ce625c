"""Log files that others write, kept short."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

LOG_BYTES: Final = 50_000_000
"""A log file longer than this is moved to ``NAME.log.1`` (the one before it is dropped)."""


def trim_log(path: Path, longest: int = LOG_BYTES) -> None:
    """Copy a log that is too long to ``.1`` and empty it in place, because a child holds it open."""
    if path.exists() and path.stat().st_size > longest:
        shutil.copyfile(path, path.with_name(path.name + ".1"))
        os.truncate(path, 0)
