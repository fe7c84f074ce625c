"""What prompts are called: what they are for, where the table names them, else the words that they say.

One job: a table and the city's name in, the names of all its rows and prompts out.
"""

from __future__ import annotations

from pathlib import Path

from ivr.prompts.catalogue import CatalogueFault, catalogue
from routing.model import Snapshot
from routing.naming import NO_NAMES, Names, names_of
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot


def names_with_prompts(snapshot: Snapshot, city: str) -> Names:
    """The names of a table in force, those of the product's own prompts among them."""
    try:
        texts = {prompt.id: prompt.text for prompt in catalogue(snapshot, city).values()}
    except CatalogueFault:
        texts = {}  # a published table has none; a file that somebody has put there may
    return names_of(snapshot).with_prompts(texts)


def names_in_file(snapshot: Path, city: str) -> Names:
    """The names of the table in force as its file has it; none where there is no such file."""
    try:
        return names_with_prompts(load_snapshot(snapshot), city)
    except (SnapshotMissing, SnapshotCorrupt):
        return NO_NAMES
