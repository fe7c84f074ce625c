"""Words of the house's old private language in identifiers, counted: a ratchet that may only go down.

``python -m tests.support.private_words`` (``make words``) writes the counts anew; tests/unit/test_words.py compares
them. docs/glossary.md has the word to use instead.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
COUNTS: Final = ROOT / "tests/unit/private_words.json"
PRIVATE: Final = frozenset({
    "again", "anew", "around", "asked", "asker", "bell", "book", "books", "bring", "care", "deed", "deeds", "door",
    "doors", "ears", "fetch", "found", "gone", "hall", "hand", "healed", "healing", "hear", "heard", "hearers",
    "held", "house", "hush", "keep", "kept", "known", "lately", "learn", "let", "look", "looked", "looks",
    "meant", "mended", "met", "news", "noted", "one", "owes", "paper", "people", "placed", "press", "promise",
    "promised", "promises", "putting", "reach", "rooms", "said", "seen", "sheet", "sights", "speak", "spoken",
    "standing", "stir", "stirred", "stray", "surroundings", "take", "taken", "tell", "terms", "told", "tried",
    "undelivered", "wanted", "way", "ways", "who", "whoever", "why", "wish", "withdrawn", "wrapped",
})  # fmt: skip
"""Each has a plain word of the field for each of its meanings, or should be named for its type."""


def folders() -> list[Path]:
    """The rooms: folders of code beside the tests."""
    return sorted(path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests")


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Every name that is given in a file: of classes, functions, arguments, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def is_private(identifier: str) -> bool:
    """Whether one of its words is of the private language."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    return any(word.lower() in PRIVATE for word in words)


def counted() -> Counter[str]:
    """How often each identifier with a private word is given in the rooms."""
    found: Counter[str] = Counter()
    for folder in folders():
        for path in folder.rglob("*.py"):
            if "node_modules" not in path.parts and "migrations" not in path.parts:
                found.update(filter(is_private, identifiers(ast.parse(path.read_text(encoding="utf-8")))))
    return found


def main() -> None:
    """Write the counts."""
    COUNTS.write_text(json.dumps(dict(sorted(counted().items())), indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
