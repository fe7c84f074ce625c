"""A floor full of seats for measurements: the sample table with as many seats and agents as asked for.

One job: edit rows. Nothing here starts anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from routing.model import Agent, Table

FIRST_SEAT: Final = 8001
FIRST_AGENT: Final = 1001

PROMPT: Final = "goodbye"
"""The shortest whole sentence of the catalogue: a long prompt would hide what the rest costs."""


def floor(seats: int) -> Callable[[Table], Table]:
    """The sample table with ``seats`` seats and agents, all in the default group, free again at once."""

    def edit(table: Table) -> Table:
        group = table.default_group
        return replace(
            table,
            greeting=PROMPT,
            seats=tuple(str(FIRST_SEAT + n) for n in range(seats)),
            agents=tuple(Agent(str(FIRST_AGENT + n), f"座席{FIRST_AGENT + n}", (group,)) for n in range(seats)),
            groups=tuple(replace(row, wrap_up_seconds=0) for row in table.groups),
        )

    return edit
