"""Reading Asterisk's CEL files: only what is new, across renames and truncations.

One job: bytes to events with a place to come back to. A file is known by its first record, not by its
name, so a rotated file is recognised and a new one of the same name is not mistaken for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.cel import FILE, Event, parse

BLOCK_BYTES: Final = 4 << 20
HEAD_BYTES: Final = 64
"""Enough for event, time and unique id of the first record, which no other file shares."""

CURSOR: Final = "cursor.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the CEL files; an empty mark is before everything."""

    mark: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """What was new."""

    events: tuple[tuple[Place, Event], ...]
    next: Place
    torn: int
    more: bool
    """Whether there is more to read at once."""


def read(folder: Path, place: Place, block_bytes: int = BLOCK_BYTES) -> Read:
    """Up to one block of records after ``place``. A file that is gone is passed over for the oldest there is."""
    files = _files(folder)
    marks = [mark for mark, _ in files]
    if place.mark not in marks:
        if not files:
            return Read((), place, 0, more=False)
        place = Place(marks[0], 0)
    at = marks.index(place.mark)
    path = files[at][1]
    newest = at == len(files) - 1
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            start = place.offset if place.offset <= size else 0
            file.seek(start)
            block = file.read(block_bytes)
    except FileNotFoundError:
        return Read((), place, 0, more=False)
    whole_file = start + len(block) >= size
    parsed = parse(block, last=whole_file and not newest)
    consumed = parsed.consumed
    if not consumed and not whole_file:
        consumed = len(block)  # a record longer than a block is none of Asterisk's
    events = tuple((Place(place.mark, start + offset), event) for offset, event in parsed.events)
    after = Place(place.mark, start + consumed)
    if whole_file and not newest:
        return Read(events, Place(marks[at + 1], 0), parsed.torn, more=True)
    return Read(events, after, parsed.torn, more=not whole_file)


def tidy(folder: Path, place: Place, rotate_bytes: int) -> None:
    """Rename the file Asterisk writes when it has grown past ``rotate_bytes``; delete files before ``place``."""
    files = _files(folder)
    marks = [mark for mark, _ in files]
    if place.mark in marks:
        for _, path in files[: marks.index(place.mark)]:
            path.unlink(missing_ok=True)
    current = folder / FILE
    with contextlib.suppress(FileNotFoundError):
        status = current.stat()
        if status.st_size > rotate_bytes:
            current.rename(folder / f"{FILE}.{status.st_mtime_ns}")


def load_place(folder: Path) -> Place:
    """Where reading got to before the last stop; the beginning when that is not known."""
    try:
        row = json.loads((folder / CURSOR).read_text())
        return Place(str(row["mark"]), max(0, int(row["offset"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Place()


def save_place(folder: Path, place: Place) -> None:
    """Remember ``place``; all of it or nothing."""
    draft = folder / f"{CURSOR}.new"
    draft.write_text(json.dumps({"mark": place.mark, "offset": place.offset}))
    draft.replace(folder / CURSOR)


def _files(folder: Path) -> list[tuple[str, Path]]:
    """The files there are, oldest first, each with its mark; one without a whole first record is left out."""
    found = []
    for path in folder.glob(f"{FILE}*"):
        try:
            with path.open("rb") as file:
                head = file.read(HEAD_BYTES)
                modified = os.fstat(file.fileno()).st_mtime_ns
        except FileNotFoundError:
            continue
        if len(head) == HEAD_BYTES:
            found.append((path.name == FILE, modified, path.name, hashlib.sha256(head).hexdigest()[:32], path))
    return [(mark, path) for _, _, _, mark, path in sorted(found)]
