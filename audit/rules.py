"""Sealing entries into a chain, and finding what was done to it. Pure: entries and anchors in, findings out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from audit.model import GENESIS, Act, Actor, Anchor, Entry, Finding, Wrong

MAY_LAG: Final = 20
"""So many entries may be sealed and not noted outside the database yet."""

LOST: Final = "audit.anchors-lost"
"""Entry of the engine that found the file of anchors emptied, and wrote it anew."""


def seal(last: Entry | None, actor: Actor, act: Act, at: datetime) -> Entry:
    """The act as the entry after ``last`` (None: the first)."""
    seq, previous = (last.seq + 1, last.hash) if last is not None else (1, GENESIS)
    return Entry(seq, at, actor, act, previous, digest(seq, at, actor, act, previous))


def digest(seq: int, at: datetime, actor: Actor, act: Act, previous: str) -> str:
    """SHA-256 of the entry's canonical text, in hex."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    told = [seq, moment, actor.name, actor.origin, act.action, act.subject, act.reason, dict(act.detail), previous]
    return hashlib.sha256(
        json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def verify(entries: Sequence[Entry], anchors: Iterable[Anchor], *, filed: bool = False) -> tuple[Finding, ...]:
    """Everything that was changed, deleted, inserted, moved, cut off or sealed anew; empty when the audit is whole.

    ``entries`` are in the order of their numbers. Only the anchors can tell that the end is gone, or that somebody
    who may write to the database sealed a chain of their own; whoever can rewrite them as well is not found out.
    ``filed``: the anchors are those of our own file, in which every entry should be.
    """
    found: list[Finding] = []
    seq, previous = 0, GENESIS
    for entry in entries:
        found += [Finding(lost, Wrong.MISSING) for lost in range(seq + 1, entry.seq)]
        if digest(entry.seq, entry.at, entry.actor, entry.act, entry.previous) != entry.hash:
            found.append(Finding(entry.seq, Wrong.CHANGED))
        elif entry.seq == seq + 1 and entry.previous != previous:
            found.append(Finding(entry.seq, Wrong.MOVED))
        seq, previous = entry.seq, entry.hash
    anchors = tuple(anchors)
    noted = {anchor.seq for anchor in anchors}
    # The file is never behind by more than what was sealed a moment ago.
    unknown = [entry.seq for entry in entries if entry.seq not in noted and entry.seq <= seq - MAY_LAG]
    if filed and (unknown or (entries and not noted)):
        found.append(Finding(unknown[0] if unknown else entries[0].seq, Wrong.UNKNOWN))
    found += [Finding(entry.seq, Wrong.UNKNOWN) for entry in entries if entry.act.action == LOST]
    told = {one.seq for one in found}
    known = {entry.seq: entry.hash for entry in entries}
    for anchor in anchors:
        if anchor.seq > seq:
            found.append(Finding(anchor.seq, Wrong.CUT))
        elif anchor.seq in known and known[anchor.seq] != anchor.hash and anchor.seq not in told:
            found.append(Finding(anchor.seq, Wrong.REPLACED))
    return tuple(sorted(set(found), key=lambda one: (one.seq, one.wrong)))
