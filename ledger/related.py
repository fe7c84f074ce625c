"""What else belongs to a call: its urgent orders, the message left in it, the callback promised in it.

One job: its own facts to links, pure. Other calls of the same number are not in them; the ledger is asked for those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ledger.model import Fact, Kind
from ledger.records import ordered, word
from ledger.story import tell

REACHED: Final = frozenset({"dialling", "reached", "kept", "left"})
"""States of a callback whose attempt is a call of its own, with a story."""


@dataclass(frozen=True, slots=True)
class Link:
    """One thing, as it stands by the last fact about it."""

    kind: str
    """order, message or callback."""
    id: str
    text: str
    call: str = ""
    """The call to open for more; empty: there is none."""


def linked(facts: Iterable[Fact]) -> tuple[Link, ...]:
    """Everything that belongs to the one call that these facts are about, in the order in which it began."""
    found: dict[tuple[str, str], Link] = {}
    for fact in ordered(facts):
        if fact.kind is Kind.ORDER:
            link = Link("order", word(fact.data, "number"), _text(fact))
        elif fact.kind is Kind.MESSAGE:
            link = Link("message", fact.call, _text(fact))
        elif fact.kind is Kind.CALLBACK:
            before = found.get(("callback", fact.call))
            reached = word(fact.data, "attempt") if word(fact.data, "state") in REACHED else ""
            link = Link("callback", fact.call, _text(fact), reached or (before.call if before else ""))
        else:
            continue
        found[link.kind, link.id] = link
    return tuple(found.values())


def _text(fact: Fact) -> str:
    (line,) = tell([fact])
    return line.text
