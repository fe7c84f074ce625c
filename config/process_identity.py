"""One operating-system process we care for: told apart for certain, awaited, ended.

One job: the pid, and proof that it still is the process we mean. It knows nothing of what runs in it.
A pid alone can be anybody's by now; with the start time and the boot it is exactly one process.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Which process, for certain."""

    pid: int
    started_ticks: int
    """Field 22 of ``/proc/PID/stat``: clock ticks from boot to its start."""
    boot: str
    fingerprint: str = ""
    """What it was started as; a process of another fingerprint is not adopted."""

    @classmethod
    def of(cls, pid: int, fingerprint: str = "") -> Self | None:
        """The process that has this pid now; None when there is none (a zombie counts as none)."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]), boot, fingerprint)

    @property
    def alive(self) -> bool:
        """Whether exactly this process still runs."""
        return ProcessIdentity.of(self.pid, self.fingerprint) == self

    def save(self, path: Path) -> None:
        """Write it down, whole or not at all."""
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """What was written down, if it still runs; anything unreadable counts as nothing."""
        try:
            identity = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return identity if identity.alive else None

    def signal_group(self, number: signal.Signals) -> None:
        """Signal it and all it started; each of our children leads a group of its own. A gone group is no error."""
        if self.alive:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    async def ended(self) -> None:
        """Wait until it has ended, be it our child or an adopted one."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if not self.alive:
                return
            over = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(descriptor, over.set)
            try:
                await over.wait()
            finally:
                loop.remove_reader(descriptor)
        finally:
            os.close(descriptor)
