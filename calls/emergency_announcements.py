"""重大灾情提示: announcements that a supervisor raises to all callers at once, and stops.

One job: what stands now, kept in one small file so that a restart changes nothing. The sentences are rows of the
routing table whose sound was built when they were published: nothing has to be spoken at night.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from calls.registry import Calls
from config.json_file import write_json
from ledger.model import NO_CALL, Kind
from queues.model import NotAllowed
from routing.announcements import prompt_of
from routing.model import Snapshot

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FILE: Final = "announcements.json"


@dataclass(frozen=True, slots=True)
class Raised:
    """One announcement that all callers hear."""

    id: str
    at: str
    """ISO 8601, UTC."""
    by: str
    reason: str


class Announcements:
    """Of one node."""

    def __init__(self, folder: Path, snapshot: Callable[[], Snapshot], calls: Calls) -> None:
        self._file = folder / FILE
        self._snapshot = snapshot
        self._calls = calls
        self._standing: dict[str, Raised] = {}
        self._changing = asyncio.Lock()

    def load(self) -> None:
        """Take up what stood before. A file that cannot be read is told of, and nothing stands."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            self._standing = {row["id"]: Raised(**row) for row in rows}
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.error("raised announcements not known, raise them again", file=str(self._file), reason=str(error))

    def prompts(self) -> tuple[str, ...]:
        """What every caller is to hear, in the order raised; a row that the table has lost is not said."""
        if not self._standing:
            return ()
        known = self._snapshot().announcements
        return tuple(prompt_of(name) for name in self._standing if name in known)

    def told(self) -> list[dict[str, Any]]:
        """Every announcement of the table, and what stands, as plain data."""
        rows = self._snapshot().announcements
        named = [*rows, *(name for name in self._standing if name not in rows)]
        return [
            {
                "id": name,
                "text": rows[name].text if name in rows else "",
                "in_table": name in rows,
                "raised": asdict(self._standing[name]) if name in self._standing else None,
            }
            for name in named
        ]

    async def start(self, name: str, by: str, reason: str) -> None:
        """From now on all callers hear it. Raises NotAllowed."""
        async with self._changing:
            known = self._snapshot().announcements
            if name not in known:
                raise NotAllowed(
                    f"没有公告 {name}；备好的有 {'、'.join(known) or '（无）'}，可在路由表的公告中添加并发布"
                )
            if name in self._standing:
                raise NotAllowed(f"公告 {name} 已经在播")
            raised = Raised(name, datetime.now(UTC).isoformat(timespec="seconds"), by, reason)
            await self._keep({**self._standing, name: raised})
            self._deed("announce", name, by, reason)

    async def stop(self, name: str, by: str, reason: str) -> None:
        """Nobody hears it any more, but those who hear it just now. Raises NotAllowed."""
        async with self._changing:
            if name not in self._standing:
                raise NotAllowed(f"公告 {name} 没有在播；正在播的有 {'、'.join(self._standing) or '（无）'}")
            await self._keep({key: one for key, one in self._standing.items() if key != name})
            self._deed("announce-end", name, by, reason)

    async def _keep(self, standing: dict[str, Raised]) -> None:
        try:
            await write_json(self._file, [asdict(one) for one in standing.values()])
        except OSError as error:
            raise NotAllowed(f"写不进 {self._file}（{error.strerror}），没有改动；请检查磁盘") from None
        self._standing = standing

    def _deed(self, what: str, name: str, by: str, reason: str) -> None:
        self._calls.record_fact(Kind.OPERATOR_ACTION, NO_CALL, what=what, by=by, to=name, reason=reason)
        log.info("announced", what=what, announcement=name, by=by, reason=reason)
