"""Overflow rows in one cell: ``waited:60:group:general、nobody:0:callback``.

One job: rows and text, read back exactly.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.model import Overflow
from telephony.model import OverflowTo, OverflowWhen

FORM = "waited:60:group:general"


def overflows_text(rows: Iterable[Overflow]) -> str:
    """The rows as they are written into the cell."""
    return "、".join(":".join(filter(None, (row.when, str(row.value), row.to, row.target))) for row in rows)


def read_overflows(text: str) -> tuple[Overflow, ...]:
    """The rows that stand in the cell. Raises ValueError."""
    return tuple(_overflow(part.strip()) for part in text.split("、") if part.strip())


def _overflow(part: str) -> Overflow:
    when, _, rest = part.partition(":")
    value, _, rest = rest.partition(":")
    to, _, target = rest.partition(":")
    if when not in set(OverflowWhen) or to not in set(OverflowTo) or not (value.isascii() and value.isdigit()):
        raise ValueError(f"看不懂“{part}”：应为 条件:数值:去向:目标，例如 {FORM}；几条用顿号隔开")
    return Overflow(OverflowWhen(when), int(value), OverflowTo(to), target)
