"""Keys of new rows, made from the name that somebody typed: 社会保障 is ``shehui-baozhang``.

One job: a key that the lint accepts and no row has had. People see names; a row that is renamed keeps its key.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final

MADE: Final[frozenset[str]] = frozenset({
    "groups", "schedules", "skills", "trunks", "partners", "departments", "order_types", "wrap_up_codes",
    "announcements",
})  # fmt: skip
"""Kinds whose keys mean nothing to people. The others' are numbers that somebody dials or presses."""

LONGEST: Final = 24
"""Characters; some keys become part of a prompt's file name or of a queue's."""

_STEM: Final = {
    "groups": "group",
    "schedules": "hours",
    "skills": "skill",
    "trunks": "trunk",
    "partners": "partner",
    "departments": "department",
    "order_types": "order",
    "wrap_up_codes": "code",
    "announcements": "notice",
}
"""In place of a name without a syllable or a letter."""


def new_key(kind: str, name: str, taken: Container[str]) -> str:
    """A free key for a new row of one of the kinds in MADE. Raises KeyError for another kind."""
    stem = _stem(name) or _STEM[kind]
    key, number = stem, 1
    while key in taken:
        number += 1
        key = f"{stem}-{number}"
    return key


def _stem(name: str) -> str:
    # Imported when first needed: its dictionary takes 0.2 s to load.
    from pypinyin import lazy_pinyin

    words = re.findall("[a-z0-9]+", " ".join(lazy_pinyin(name.lower(), errors="default")))
    found = ""
    for word in words:
        longer = f"{found}-{word}" if found else word
        if len(longer) > LONGEST:
            break
        found = longer
    return found if found[:1].isalpha() else ""
