"""A floor full of seats for measurements: the sample table with as many seats and agents as asked for.

One job: edit rows. Nothing here starts anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from routing.model import Agent, Table
from telephony.model import GroupId

FIRST_SEAT: Final = 8001
FIRST_AGENT: Final = 1001

PROMPT: Final = "goodbye"
"""The shortest whole sentence of the catalogue: a long prompt would hide what the rest costs."""


PROBE_NUMBER: Final = "12333"
"""Callers of it come to the last seat alone: a call to be watched amid a load."""

PROBE_GROUP: Final = GroupId("social-security")


def floor(seats: int, *, probe: bool = False) -> Callable[[Table], Table]:
    """The sample table with ``seats`` seats and agents, all in the default group, free again at once.

    ``probe``: the last of them serves only those who call :data:`PROBE_NUMBER`, where nothing is said beforehand, to
    the citizen or the agent: whoever answers can press a key at once.
    """

    def edit(table: Table) -> Table:
        serves = [table.default_group] * (seats - probe) + [PROBE_GROUP] * probe
        return replace(
            table,
            greeting=PROMPT,
            seats=tuple(str(FIRST_SEAT + n) for n in range(seats)),
            agents=tuple(Agent(str(FIRST_AGENT + n), f"座席{FIRST_AGENT + n}", (serves[n],)) for n in range(seats)),
            groups=tuple(replace(row, wrap_up_seconds=0, whisper=row.whisper and not probe) for row in table.groups),
            numbers=tuple(
                replace(row, prompt="", prompt_after="") if probe and row.number == PROBE_NUMBER else row
                for row in table.numbers
            ),
        )

    return edit
