"""Writes the generated parts of the documentation: ``make docs``.

One job: put each state table's diagram, and the table of rights, between its marks. A test fails when it was forgotten.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

if __name__ == "__main__":
    # Run by its path: the rooms are found from the project's root, not from this folder.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import asterisk_conf.modules
import orders.rules
import queues.states
import transfers.states
from console.access.permissions import BY_ROW
from users.model import Role
from users.rules import ROLE_WORDS

PAGES: Final = tuple(Path(__file__).with_name(name) for name in ("states.md", "rights.md", "modules.md"))
RIGHTS: Final = Path(__file__).with_name("rights.csv")
"""Who may do what, written by hand; tests/unit/console/test_rights.py asks every cell of it over HTTP."""

CELLS: Final = {"yes": "✓", "own": "自己的", "no": "", "signature": "凭签名"}

DIAGRAMS: Final[Mapping[str, Callable[[], str]]] = {
    "queues.states": queues.states.diagram,
    "orders.rules": orders.rules.diagram,
    "transfers.states": transfers.states.diagram,
}

_PART: Final = re.compile(r"<!-- generated: (\S+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str) -> str:
    """The page with every generated part as it must be. Raises KeyError for a part that nothing generates."""
    return _PART.sub(_part, page)


def _part(found: re.Match[str]) -> str:
    name = found[1]
    shown = TABLES[name]() if name in TABLES else f"```mermaid\n{DIAGRAMS[name]()}```\n"
    return f"<!-- generated: {name} -->\n{shown}<!-- end -->"


def matrix() -> list[dict[str, str]]:
    """The rows of rights.csv."""
    with RIGHTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def rights() -> str:
    """The matrix as a table for people."""
    who = ["nobody", *Role, "program"]
    words = ["未登录", *(ROLE_WORDS[role] for role in Role), "程序"]
    lines = [f"| 做什么 | 接口 | {' | '.join(words)} |", "|---" * (2 + len(words)) + "|"]
    for row in matrix():
        door = BY_ROW[row["method"], row["path"]]
        cells = " | ".join(CELLS[row[one]] for one in who)
        lines.append(f"| {door.what} | `{row['method']} {row['path']}` | {cells} |")
    return "\n".join(lines) + "\n"


TABLES: Final[Mapping[str, Callable[[], str]]] = {"rights": rights, "modules": asterisk_conf.modules.table}


def main() -> None:
    """Write the pages again that are behind."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        if (new := filled(page)) != page:
            path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
