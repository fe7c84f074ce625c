"""Writes the generated parts of the documentation: ``make docs``.

One job: put each state table's diagram between its marks in states.md. A test fails when it was forgotten.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    # Run by its path: the rooms are found from the project's root, not from this folder.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import queues.states
import transfers.states

PAGE: Final = Path(__file__).with_name("states.md")

DIAGRAMS: Final[Mapping[str, Callable[[], str]]] = {
    "queues.states": queues.states.diagram,
    "transfers.states": transfers.states.diagram,
}

_PART: Final = re.compile(r"<!-- generated: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str) -> str:
    """The page with every generated part as it must be. Raises KeyError for a part that nothing generates."""
    return _PART.sub(_part, page)


def _part(found: re.Match[str]) -> str:
    name = found[1]
    return f"<!-- generated: {name} -->\n```mermaid\n{DIAGRAMS[name]()}```\n<!-- end -->"


def main() -> None:
    """Write the page again when it is behind."""
    page = PAGE.read_text(encoding="utf-8")
    if (new := filled(page)) != page:
        PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
