"""Groups that a supervisor has closed, in a small file, so that a restart does not open them.

One job: remember. What it means for a caller is routing.closed_groups's, who may is calls.supervision's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Container
from pathlib import Path
from typing import Final

import structlog

from config.json_file import write_json
from telephony.model import GROUP_ID, GroupId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FILE: Final = "closed-groups.json"


class ClosedGroups:
    """Of one node."""

    def __init__(self, path: Path | None = None) -> None:
        """``path`` None: remembered in memory only."""
        self._path = path
        self._closed: dict[GroupId, str] = _read(path) if path is not None else {}
        self._changing = asyncio.Lock()

    @property
    def closed(self) -> Container[GroupId]:
        """The closed ones."""
        return self._closed.keys()

    def shown(self) -> dict[str, str]:
        """Group to who closed it and why."""
        return {str(group): why for group, why in self._closed.items()}

    async def close(self, group: GroupId, why: str) -> None:
        """Raises OSError, and nothing is closed, when it cannot be kept."""
        async with self._changing:
            await self._keep({**self._closed, group: why})

    async def open(self, group: GroupId) -> None:
        """Raises OSError, and nothing is opened, when it cannot be kept."""
        async with self._changing:
            await self._keep({name: why for name, why in self._closed.items() if name != group})

    async def _keep(self, closed: dict[GroupId, str]) -> None:
        if self._path is not None:
            await write_json(self._path, closed)
        self._closed = closed


def _read(path: Path) -> dict[GroupId, str]:
    """A file that cannot be read closes nothing: calls come first."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.error("closed groups not read, all are open", file=str(path), error=str(error))
        return {}
    rows = told.items() if isinstance(told, dict) else ()
    return {GroupId(name): str(why) for name, why in rows if GROUP_ID.fullmatch(name)}
