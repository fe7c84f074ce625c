"""The trunks of drills (演练). One job: which they are; pure."""

from __future__ import annotations

from typing import Final

from routing.model import Snapshot, Trunk
from telephony.model import EMERGENCY_NUMBERS

DRILL: Final = "drill"
"""The role of a trunk that is dialled in drills and at no other time; its number is the centre's it stands for."""


def drill_trunks(table: Snapshot, number: str) -> list[Trunk]:
    """Where a drill of this emergency number goes, in the order of the trunks' ids."""
    mine = (trunk for trunk in table.trunks.values() if trunk.role == DRILL and trunk.number == number)
    return sorted(mine, key=lambda trunk: trunk.id)


def trunks_of(table: Snapshot) -> dict[str, list[str]]:
    """Every emergency number with the ids of its drill trunks."""
    return {number: [trunk.id for trunk in drill_trunks(table, number)] for number in EMERGENCY_NUMBERS}
