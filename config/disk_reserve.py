"""A piece of the disk that is kept, and given back when the disk is full: for the journal and Asterisk's own records.

One job: one file. It is taken again once there is room. Recordings may fill what was given back, too; it buys the time
in which somebody who was called by the alarm can act.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FILE: Final = "reserve"
MOST_BYTES: Final = 256 << 20
SHARE: Final = 50
"""No more than one part in so many of the disk."""
ROOM: Final = 4
"""Taken (again) only while so many times as much is free."""


class DiskReserve:
    """Of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE

    @property
    def held(self) -> bool:
        return self._path.exists()

    def look(self) -> None:
        """Take it, or give it back, by what is free now. A disk that refuses is no error here."""
        with suppress(OSError):
            seen = os.statvfs(self._path.parent)
            size = min(MOST_BYTES, seen.f_blocks * seen.f_frsize // SHARE)
            free = seen.f_bavail * seen.f_frsize
            if self.held and free < size // ROOM:
                self._path.unlink()
                log.error("disk nearly full, reserve given back", bytes=size, folder=str(self._path.parent))
            elif not self.held and free > size * ROOM:
                self._take(size)

    def _take(self, size: int) -> None:
        draft = self._path.with_suffix(".new")
        file = os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(file)
        draft.replace(self._path)
