"""One word for one thing, on screens, phones, in manuals and in the commands: the glossary's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]

INSTEAD: Final = {
    "耳语": "密语",
    "中继": "线路",
    "坐席": "座席",
    "排班表": "班表",
}
"""What nobody is to read -> what is said."""

WHERE: Final = ("**/*.py", "**/*.vue", "**/*.ts", "docs/*.md", "*.md", "routing/*.toml")
LEFT_OUT: Final = frozenset({".venv", "node_modules", "dist", "tests", "var", ".git"})
OLD: Final = frozenset({"CHANGELOG.md"})
"""What was said at the time."""


def texts() -> Iterator[Path]:
    seen = {path for pattern in WHERE for path in ROOT.glob(pattern)}
    yield from sorted(
        path for path in seen if not LEFT_OUT & set(path.relative_to(ROOT).parts) and path.name not in OLD
    )


def test_no_text_uses_another_word() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word} → {INSTEAD[word]}"
        for path in texts()
        for word in re.findall("|".join(INSTEAD), path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_there_are_texts_to_look_at() -> None:
    assert len(list(texts())) > 400
