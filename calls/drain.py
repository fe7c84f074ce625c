"""Draining (排空): no new ordinary calls, those that are here are served to their end.

One job: remember who drains since when and why, over a restart of the engine too. Refusing is the dialplan's, driven by
calls/admission.py: ordinary calls get 503, so that the carrier goes elsewhere; calls to emergency numbers and calls of
centres never do, nor does anything in a talk. An engine that dies while draining lets calls in again after seconds.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from config.json_file import write_json
from ledger.alarms import Alarms

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FILE: Final = "drain.json"
ALARM: Final = "drain"


@dataclass(frozen=True, slots=True)
class Draining:
    """Who lets no more calls in."""

    since: str
    """ISO 8601, UTC."""
    by: str
    reason: str


class Drain:
    """Of one instance."""

    def __init__(self, data_dir: Path, alarms: Alarms) -> None:
        self._path = data_dir / FILE
        self._alarms = alarms
        self.now: Draining | None = None
        """None: calls are let in."""

    def load(self) -> None:
        """What was so before the start; a file that cannot be read drains nothing: calls come first."""
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
            self.now = Draining(**stored) if stored else None
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            log.error("not known whether calls are drained, they are let in", reason=str(error))
        self._update_alarm()

    async def start(self, by: str, reason: str) -> None:
        """Let no more ordinary calls in. Raises OSError, and nothing has changed, when it cannot be kept."""
        if self.now is None:
            await self._set(Draining(datetime.now(UTC).isoformat(timespec="seconds"), by, reason))

    async def stop(self) -> None:
        """Let calls in again. Raises OSError."""
        if self.now is not None:
            await self._set(None)

    async def _set(self, draining: Draining | None) -> None:
        await write_json(self._path, asdict(draining) if draining else None)
        self.now = draining
        log.warning("drain", draining=draining is not None)
        self._update_alarm()

    def _update_alarm(self) -> None:
        if self.now is None:
            self._alarms.clear(ALARM)
            return
        text = (
            f"正在排空（{self.now.by}：{self.now.reason}）：新的普通来电以 503 拒接，应急来电照接，已打进来的照常服务；"
            "恢复接听：hotline drain --undo"
        )
        self._alarms.renew(ALARM, text)
