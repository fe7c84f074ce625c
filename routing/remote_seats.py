"""The places of a sub-centre (分中心) that answers for a group: what the ACD offers calls to, one call at each.

One job: which places there are by the table, and which are open. A place is named like a seat, by the number that is
dialled at the sub-centre and three digits, so that whatever takes a seat's id takes a place's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from routing.calendar import is_open
from routing.model import Group, Snapshot, Trunk
from telephony.model import GroupId, SeatId

MAX_CAPACITY = 200
"""Places of one group; a sub-centre with more is a city's own hotline."""

NUMBER_DIGITS = (3, 4, 5)
"""Of the number that is dialled there: with three digits more it is as long as a seat's id may be."""


@dataclass(frozen=True, slots=True)
class Place:
    """One call at once, at another site."""

    seat: SeatId
    trunk: str
    group: GroupId


def places(groups: Iterable[Group], trunks: Mapping[str, Trunk]) -> Iterator[Place]:
    """Every place of the table, open or not; none for a group whose trunk is not there."""
    for group in groups:
        trunk = trunks.get(group.trunk)
        if trunk is not None:
            for number in range(1, group.capacity + 1):
                yield Place(SeatId(f"{trunk.number}{number:03d}"), trunk.id, group.id)


def open_groups(table: Snapshot, now: datetime) -> frozenset[GroupId]:
    """Groups whose sub-centre is in its hours at the aware moment."""
    return frozenset(
        group.id
        for group in table.groups.values()
        if group.trunk
        and ((hours := table.schedules.get(group.schedule)) is None or is_open(hours, now, table.holidays))
    )
