"""The number and hash of each entry in a file beside the database, so that a cut or a rewritten end is found.

One job: the file. One line for each entry, appended and synced after the database has it: a crash in between leaves
the file behind by one line, never ahead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from audit.model import Anchor, Entry

FILE: Final = "audit.anchors"
TAIL_BYTES: Final = 8192
"""About a hundred lines: more than are ever out of order."""

_LINE: Final = re.compile(r"(\d{1,18}) ([0-9a-f]{64})")


def note(path: Path, entry: Entry) -> None:
    """Append the entry's number and hash. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, f"{entry.seq} {entry.hash}\n".encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def anchors(path: Path) -> tuple[Anchor, ...]:
    """Every anchor in the file; none when there is no file. A torn last line is left out."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return ()
    return tuple(_read(text))


def newest(path: Path) -> int:
    """Number of the newest entry in the file, 0 for none; read from its end, however long it has grown."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read().decode("ascii", errors="replace")
    except FileNotFoundError:
        return 0
    found = max((one.seq for one in _read(tail)), default=0)
    if found == 0 and size > TAIL_BYTES:
        return max((one.seq for one in anchors(path)), default=0)
    return found


def anchor(text: str) -> Anchor:
    """``SEQ:HASH`` as somebody wrote it down. Raises ValueError in Chinese."""
    match = _LINE.fullmatch(text.strip().replace(":", " ", 1))
    if match is None:
        raise ValueError(f"{text!r} 不是“序号:校验值”；请用 hotline audit verify 上次打印的末条，例如 12:9f86…")
    return Anchor(int(match[1]), match[2])


def _read(text: str) -> Iterator[Anchor]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            yield Anchor(int(match[1]), match[2])
