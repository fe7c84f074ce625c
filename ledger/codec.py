"""A fact as one line of JSON, and back.

One job: the line's shape, safe for both databases. It knows no file and no table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ledger.model import Fact, Kind
from telephony.model import CallId

MAX_ID: Final = 96
MAX_CALL: Final = 64
MAX_SOURCE: Final = 16
MAX_TEXT: Final = 1000
"""Characters kept of any one text in a fact's data; outside text has passed a filter long before."""

MAX_DEPTH: Final = 4
MAX_ITEMS: Final = 100

_KEY: Final = re.compile(r"[!-~]+")


class BadFact(ValueError):
    """A line that is no fact: torn, damaged, or written by a program that knows more kinds than this one."""


def encode(fact: Fact) -> bytes:
    """One line, ending in a newline. Texts are shortened and cleaned, so that no fact is refused later."""
    return (
        json.dumps(
            {
                "id": fact.id,
                "kind": fact.kind.value,
                "call": fact.call,
                "at": fact.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "data": clean(fact.data),
                "source": fact.source,
            },
            separators=(",", ":"),
        ).encode("ascii")
        + b"\n"
    )


def decode(line: bytes) -> Fact:
    """The fact in one line. Raises BadFact."""
    try:
        row = json.loads(line)
        at = datetime.fromisoformat(row["at"])
        data = row["data"]
        fact = Fact(row["id"], Kind(row["kind"]), CallId(row["call"]), at.astimezone(UTC), data, row["source"])
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise BadFact(f"{type(error).__name__}: {error}") from error
    if at.tzinfo is None or not isinstance(data, dict):
        raise BadFact("naive time or data that is no mapping")
    keys: tuple[tuple[Any, int], ...] = ((fact.id, MAX_ID), (fact.call, MAX_CALL), (fact.source, MAX_SOURCE))
    for text, limit in keys:
        if not isinstance(text, str) or len(text) > limit or not _KEY.fullmatch(text):
            raise BadFact(f"unusable key {str(text)[:80]!r}")
    return fact


def clean(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data that JSON and both databases can hold: no NUL, no lone surrogates, bounded length and depth."""
    return {_text(str(key)): _value(value, 1) for key, value in list(data.items())[:MAX_ITEMS]}


def _value(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**63 else str(value)[:MAX_TEXT]
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if isinstance(value, datetime):
        return value.isoformat()
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            return {_text(str(key)): _value(item, depth + 1) for key, item in list(value.items())[:MAX_ITEMS]}
        if isinstance(value, list | tuple):
            return [_value(item, depth + 1) for item in value[:MAX_ITEMS]]
    return _text(str(value))


def _text(text: str) -> str:
    return text[:MAX_TEXT].replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
