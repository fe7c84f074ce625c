"""Facts told by the names of what they are about, instead of keys of the routing table.

One job: put names into copies of facts, for stories and timelines. What is kept in the ledger holds keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ledger.model import Fact, Kind

Called = Callable[[str, str], str]
"""Kind of row and key -> its name, or the key itself."""

_KINDS: Final[Mapping[str, str]] = {
    "group": "groups",
    "trunk": "trunks",
    "target": "partners",
    "centre": "partners",
    "prompts": "prompts",
    "department": "departments",
    "acknowledged_by": "departments",
}
"""Field of a fact -> kind of the row that it names."""


def by_name(facts: Iterable[Fact], called: Called) -> list[Fact]:
    """The same facts, with names."""
    return [replace(fact, data=_named(fact, called)) for fact in facts]


def _named(fact: Fact, called: Called) -> dict[str, Any]:
    data = dict(fact.data)
    for field, kind in _KINDS.items():
        if fact.kind is Kind.ORDER or field not in data:  # an order has its names in it
            continue
        value = data[field]
        if isinstance(value, str):
            data[field] = called(kind, value)
        elif isinstance(value, list | tuple):
            data[field] = [called(kind, str(one)) for one in value]
    if fact.kind is Kind.OPERATOR_ACTION and data.get("what") == "move" and isinstance(data.get("to"), str):
        data["to"] = called("groups", data["to"])
    if isinstance(agent := data.get("agent"), str) and (name := called("agents", agent)) != agent:
        data["agent_name"] = name
    return data
