"""Where tests keep what they write: in memory where there is room, for a disk makes two cores wait more than compute.

Every SQLite transaction, every line of the journal and every PostgreSQL commit is forced to the disk; side by side that
makes each of them wait for all, now and then for seconds. What a disk does to the product is measured by the tests
beside which nothing runs, and those keep to the disk.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
LEAST_BYTES: Final = 4 << 30
"""A few products of 30 MB each, a PostgreSQL, and what the tests of an evening leave behind."""


def keep_in_memory(memory: Path = MEMORY, least: int = LEAST_BYTES) -> bool:
    """From now on temporary folders of this process are made there; False where that much is not free."""
    try:
        seen = os.statvfs(memory)
    except OSError:
        return False
    if seen.f_bavail * seen.f_frsize < least or not os.access(memory, os.W_OK | os.X_OK):
        return False
    tempfile.tempdir = str(memory)
    return True
