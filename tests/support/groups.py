"""What runs beside what: three groups of tests, and the order of their modules.

``real-time`` tests talk with other processes and mostly wait; ``computing`` tests keep a core busy and care for no
clock; ``exclusive`` tests measure time, fill a disk or load the machine, so nothing may run beside them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
SECONDS: Final = Path(__file__).with_name("module_seconds.json")
"""How long each module took in some run, the longest first; ``pytest --note-seconds`` writes it."""
UNKNOWN_SECONDS: Final = 45.0
"""A module that is not in that file yet."""
QUICK_SECONDS: Final = 1.0
"""`make check` runs the computing modules that take less."""
MAX_SECOND_TRIES: Final = 10
"""A run in which more tests needed a second try has failed."""


class Group(StrEnum):
    """One pytest run of ``hotline test``."""

    COMPUTING = "computing"
    REAL_TIME = "real-time"
    EXCLUSIVE = "exclusive"


FOLDERS: Final[Mapping[Group, frozenset[str]]] = {
    Group.COMPUTING: frozenset({"unit", "protocol", "flow"}),
    Group.REAL_TIME: frozenset({"asterisk", "browser"}),
    Group.EXCLUSIVE: frozenset({"asterisk", "browser", "load"}),
}
"""Where the tests of a group are; no other folder is read for it."""


class Misplaced(ValueError):
    """A test stands where its group is not looked for; the text says which."""


def group_of(node_id: str, folder: str, marks: Iterable[str]) -> Group:
    """Its group, by its folder below tests/ and the names of its marks. Raises Misplaced."""
    marks = frozenset(marks)
    if folder not in marks:
        raise Misplaced(f"{node_id}: tests in tests/{folder} are marked {folder}")
    if folder == "load" or "exclusive" in marks:
        group = Group.EXCLUSIVE
    elif folder in FOLDERS[Group.REAL_TIME]:
        group = Group.REAL_TIME
    else:
        group = Group.COMPUTING
    if folder not in FOLDERS[group]:
        raise Misplaced(f"{node_id}: no {group} test is looked for in tests/{folder}")
    return group


def is_quick(module: str) -> bool:
    """Whether this file, named from the project's root, is one of those that `make check` runs."""
    return _at_start().get(module, 0.0) < QUICK_SECONDS


def folder_of(path: Path) -> str:
    """The folder below tests/ in which this file lies; empty outside."""
    return path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) and path != TESTS else ""


def known_seconds() -> Mapping[str, float]:
    """By module, as noted."""
    found: dict[str, float] = json.loads(SECONDS.read_text()) if SECONDS.exists() else {}
    return found


_at_start = cache(known_seconds)


def note_seconds(taken: Mapping[str, float]) -> None:
    """Write what these modules took; others stay as they are."""
    seconds = {**known_seconds(), **{module: round(value, 1) for module, value in taken.items() if value >= 1}}
    kept = {module: value for module, value in seconds.items() if (TESTS.parent / module).exists()}
    ordered = dict(sorted(kept.items(), key=lambda row: (-row[1], row[0])))
    SECONDS.write_text(json.dumps(ordered, indent=0) + "\n")
