"""Who may answer, as names of lines: a *lane* is what a ready seat lines up in and what a waiting call asks for.

One job: those names. A seat with level 2 in group market stands in lane ``market/2``; a caller who accepts levels 1 and
2 of it waits in ``market`` and ``market/2``. A seat and a call can meet when they share a lane, and never otherwise: so
skills, levels, languages and the preferred agent cost the choice nothing but a few more entries in sorted lists.

=============== ==============================================================
lane            who stands in it
=============== ==============================================================
``market``      ready seats of level 1 in that group
``market/2``    those of level 2, and so on
``market@yue``  those of level 1 who speak that language; ``market/2@yue``
``*``           every ready seat
``=1001``       the seat of that agent
=============== ==============================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NewType

from telephony.model import AgentId, GroupId

Lane = NewType("Lane", str)

EVERYONE: Final = GroupId("*")
"""Not a group of the table: among the groups that a call asks for it stands for all seats."""

LEVEL_OF_PREFERRED: Final = 0
LEVEL_OF_EVERYONE: Final = 100
"""Who has no skill for the call comes after all who have some."""


def lane(group: GroupId, level: int = 1, language: str = "") -> Lane:
    """The lane of one level of a group, among those who speak the language, if one is asked for."""
    return Lane(f"{group}{f'/{level}' if level > 1 else ''}{f'@{language}' if language else ''}")


def agent_lane(agent: AgentId) -> Lane:
    """The lane in which only this agent stands."""
    return Lane(f"={agent}")


def lanes_of_seat(
    agent: AgentId, groups: Iterable[GroupId], levels: Mapping[GroupId, int], languages: Iterable[str]
) -> tuple[tuple[Lane, int], ...]:
    """The lanes of a seat, each with the seat's level there; ``languages`` are those that anybody asks for."""
    spoken = ("", *sorted(languages))
    return (
        (agent_lane(agent), LEVEL_OF_PREFERRED),
        (Lane(EVERYONE), LEVEL_OF_EVERYONE),
        *((lane(group, level, one), level) for group in groups for level in (levels.get(group, 1),) for one in spoken),
    )


def lanes_of_group(group: GroupId, levels: int, language: str) -> tuple[Lane, ...]:
    """What a call asks for that accepts the ``levels`` best levels of a group."""
    if group == EVERYONE:
        return (Lane(EVERYONE),)
    return tuple(lane(group, level, language) for level in range(1, levels + 1))
