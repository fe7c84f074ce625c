"""What belongs into a backup, and which backups are kept. Pure: names in, answers out.

Everything below the data folder is taken unless it stands here as something that is made again or belongs to this
machine alone. So a file that a later version adds is in the backup without anybody having to think of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from setup.backup.model import DATABASE, OUTSIDE, Entry, EntryKind
from telephony.model import CALL_ID

MADE_AGAIN: Final = frozenset(
    {
        "sounds", "sounds-16k", "sounds-next", "sounds.turn", "moh",  # built from the table, prompts/ and recorded/
        "asterisk/etc", "asterisk/agi-bin", "asterisk/share", "asterisk/log", "log", "run",
        "backup", "instance.id", "setup.lock", "reserve", "uv", "pictures",
    }
)  # fmt: skip
"""Folders and files that every start makes, or that say which installation this is."""

RECORDINGS: Final = ("recordings", "drills")
"""Folders that grow for years; they are taken only when the operator wants them."""

RESTORING: Final = ".restoring"
"""Where a restore gathers everything before it takes effect; while it is there, nothing may start."""

_DRAFT: Final = re.compile(r"\..*|.*\.(new|part|draft)|.*-(wal|shm|journal)|lock|core(\.\d+)?")
"""Drafts that a crash leaves behind, locks, core files, and what SQLite keeps beside a database."""

_PLAIN: Final = re.compile(r"[^/\0]+(/[^/\0]+)*")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def wanted(path: str, *, recordings: bool) -> bool:
    """Whether a file or folder of the data folder belongs into a backup. ``path`` is relative, with slashes."""
    parts = path.split("/")
    if any("/".join(parts[: end + 1]) in MADE_AGAIN for end in range(len(parts))):
        return False
    if parts[0] in RECORDINGS:
        return recordings
    return not _DRAFT.fullmatch(parts[-1])


def began_later(path: str, epoch: float) -> bool:
    """Whether this is a recording of a call that began after that moment, which the copied ledger cannot know."""
    parts = path.split("/")
    if parts[0] not in RECORDINGS:
        return False
    call = re.sub(r"(-(caller|agent))?\.wav", "", parts[-1])
    return bool(CALL_ID.fullmatch(call)) and int(call.rpartition("-")[2].partition(".")[0]) > epoch


def unsafe(entries: Sequence[Entry]) -> str | None:
    """The first path that would be written outside the data folder, or is no path; None when there is none."""
    for entry in entries:
        path = entry.path.removeprefix(OUTSIDE)
        if not _SHA256.fullmatch(entry.sha256) or entry.size < 0:
            return entry.path
        if entry.path == DATABASE:
            continue
        if not _PLAIN.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
            return entry.path
        if entry.path.startswith("@") and not entry.path.startswith(OUTSIDE):
            return entry.path
        if entry.kind is EntryKind.POSTGRES or path.split("/")[0] in (RESTORING, "run", "backup"):
            return entry.path
    return None


def outdated(backups: Sequence[str], keep: int) -> tuple[str, ...]:
    """Which backups go when only the newest ``keep`` stay; ``keep`` 0: none ever goes."""
    return tuple(sorted(backups)[:-keep]) if keep > 0 else ()
