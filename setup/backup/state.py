"""When the last good backup was made, and whether that is too long ago.

One job: a small file in the data folder, and the alarm that is made from it. It runs no backup.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import structlog

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FOLDER: Final = "backup"
FILE: Final = "last.json"
LOOK_SECONDS: Final = 60.0
ALARM: Final = "backup-old"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """The last backup that was completed."""

    backup: str
    at: str
    """ISO 8601, UTC: the moment that it holds."""
    where: str
    seconds: float
    bytes_new: int
    drilled_at: str = ""
    """When a drill last restored a backup and found it right; empty: never."""


class AlarmSink(Protocol):
    def renew(self, key: str, text: str, *, grave: bool = True) -> None: ...

    def clear(self, key: str) -> None: ...


def load(data_dir: Path) -> LastBackup | None:
    """None when there has been no backup, or the file cannot be read."""
    try:
        return LastBackup(**json.loads((data_dir / FOLDER / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def save(data_dir: Path, last: LastBackup) -> None:
    """Raises OSError."""
    place = data_dir / FOLDER / FILE
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = place.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(last), file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)


def overdue(last: LastBackup | None, hours: int, now: datetime) -> str:
    """What the alarm says; empty while all is well. ``hours`` 0: nobody asked to be told."""
    if hours == 0:
        return ""
    if last is None:
        return f"还没有做过备份（要求每 {hours} 小时内一次）；请运行 hotline backup，并检查定时备份是否在运行"
    age = now - datetime.fromisoformat(last.at)
    if age <= timedelta(hours=hours):
        return ""
    return (
        f"最近一次完好的备份已是 {age.total_seconds() / 3600:.0f} 小时前（要求 {hours} 小时内）；"
        "请运行 hotline backup，看它说什么"
    )


class BackupReminder:
    """Raises the alarm of one node when its last good backup is too old, and clears it after the next one."""

    def __init__(
        self, data_dir: Path, hours: int, alarms: AlarmSink, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._data_dir = data_dir
        self._hours = hours
        self._alarms = alarms
        self._now = now

    async def look(self) -> None:
        told = overdue(await asyncio.to_thread(load, self._data_dir), self._hours, self._now())
        if told:
            self._alarms.renew(ALARM, told, grave=False)
        else:
            self._alarms.clear(ALARM)

    async def run(self) -> None:
        """Look now and every minute."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)
