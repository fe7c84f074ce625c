"""Reading the journal's segments: whole lines only, from a cursor on.

One job: files to facts. It never writes, so the engine, its drainer and a command
in another process may read the same folder at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.codec import BadFact, decode
from ledger.model import Fact

SUFFIX: Final = ".jsonl"
NAME: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}\.jsonl")
"""A ULID: segments sort by time, and no two journals ever use the same name."""


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the journal. Segment names rise with time; an empty name is before everything."""

    segment: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """What lies between two cursors."""

    facts: tuple[Fact, ...]
    next: Cursor
    damaged: tuple[bytes, ...] = ()
    """Whole lines that are no facts."""
    torn: int = 0
    """Last lines cut off by a crash."""


def segments(folder: Path) -> list[str]:
    """Names of the segments, oldest first. A folder that is not there has none."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return []


def read(folder: Path, cursor: Cursor, limit: int) -> Page:
    """Up to ``limit`` lines after ``cursor``.

    A cursor whose segment is gone starts at the oldest that is there: reading twice is harmless,
    leaving out is not. The last segment's unfinished line is left for later; an unfinished last
    line of an older segment was torn by a crash and is passed over.
    """
    names = segments(folder)
    if cursor.segment not in names:
        cursor = Cursor(names[0], 0) if names else cursor
    facts: list[Fact] = []
    damaged: list[bytes] = []
    torn = 0
    for name in names:
        if name < cursor.segment:
            continue
        start = cursor.offset if name == cursor.segment else 0
        lines, offset, rest = _lines(folder / name, start, limit - len(facts) - len(damaged))
        for line in lines:
            try:
                facts.append(decode(line))
            except BadFact:
                damaged.append(line)
        cursor = Cursor(name, offset)
        if len(facts) + len(damaged) >= limit:
            break
        torn += bool(rest) and name != names[-1]
    return Page(tuple(facts), cursor, tuple(damaged), torn)


def count_after(folder: Path, cursor: Cursor) -> int:
    """How many lines lie after ``cursor``."""
    names = segments(folder)
    known = cursor.segment in names
    count = 0
    for name in names:
        if known and name < cursor.segment:
            continue
        try:
            with (folder / name).open("rb") as file:
                file.seek(cursor.offset if name == cursor.segment else 0)
                while block := file.read(1 << 20):
                    count += block.count(b"\n")
        except FileNotFoundError:
            continue
    return count


def _lines(path: Path, offset: int, limit: int) -> tuple[list[bytes], int, bytes]:
    """Whole lines from ``offset``, the offset after them, and an unfinished rest."""
    lines: list[bytes] = []
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while len(lines) < limit:
                line = file.readline()
                if not line.endswith(b"\n"):
                    return lines, offset, line
                offset += len(line)
                lines.append(line)
    except FileNotFoundError:
        pass
    return lines, offset, b""
