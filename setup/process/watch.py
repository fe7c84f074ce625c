"""Watching a switch that systemd runs: one that does not answer is ended, and systemd starts it again.

One job: the same questions as under ``hotline up`` (setup/process/watchdog.py), for a process that is not our child.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from config.process_identity import ProcessIdentity
from setup.process.supervisor import Watch, watch_process

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0


async def watch(pid_file: Path, watch_: Watch, hung: Callable[[int], None]) -> None:
    """The process that ``pid_file`` names, and the next one after it; ``hung`` hears of one that was ended."""
    while True:
        identity = _running(pid_file)
        if identity is None:
            await asyncio.sleep(LOOK_SECONDS)
            continue
        watching = asyncio.create_task(watch_process("asterisk", watch_, identity, adopted=False, tell=hung))
        try:
            await identity.ended()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _running(pid_file: Path) -> ProcessIdentity | None:
    try:
        pid = int(pid_file.read_text(encoding="ascii"))
        ours = b"asterisk" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return ProcessIdentity.of(pid) if ours else None
    except (OSError, ValueError):
        return None
