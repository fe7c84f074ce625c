"""Which pages of docs/bench are older than the last change of the call path: ``python -m bench.stale`` (make check).

One job: hold the commit that each page's JSON names against the history of the call path. It only tells, and never
fails: a clone without history knows nothing, and pages are renewed on a quiet machine, not in the middle of a change.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

CALL_PATH: Final = (
    "agi_scripts",
    "asterisk_conf/templates",
    "calls/registry.py",
    "calls/ivr_backend.py",
    "engine/engine.py",
    "calls/switch/ami_events.py",
    "ivr/flows",
    "ledger/journal_replicator.py",
    "ledger/journal.py",
    "queues",
    "routing/rules.py",
    "telephony",
)
"""What a call passes through, and what each of its steps costs."""


def stale(root: Path, folder: Path) -> Iterator[str]:
    """A line for each page that is older than the call path; nothing where there is no history to ask."""
    newest = _git(root, "log", "-1", "--format=%H", "--", *CALL_PATH)
    if not newest:
        return
    for path in sorted(folder.glob("*.json")):
        measured = str(json.loads(path.read_text("utf-8")).get("machine", {}).get("commit", "")).removesuffix("+")
        if not measured:
            yield f"{path.name}: does not say at which commit it was measured"
        elif not _git(root, "rev-parse", "--verify", "--quiet", f"{measured}^{{commit}}"):
            yield f"{path.name}: measured at {measured}, which this history does not have"
        elif (changes := _git(root, "rev-list", "--count", f"{measured}..HEAD", "--", *CALL_PATH)) not in {"", "0"}:
            yield f"{path.name}: measured at {measured}, {changes} changes of the call path ago"


def _git(root: Path, *arguments: str) -> str:
    """What git says; empty when it fails or is missing."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def main() -> None:
    """Tell, and end well."""
    for line in stale(ROOT, ROOT / "docs" / "bench"):
        print(f"stale: docs/bench/{line}")


if __name__ == "__main__":
    main()
