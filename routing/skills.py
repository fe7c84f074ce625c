"""Which groups an agent serves, how well, and in which languages: from skills and from groups named outright.

One job: agent and table in, what the ACD needs out. An expert seat (专家座席) is an agent with a skill that few have; a
dialect is a skill that is a language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from routing.model import Agent, Group, Skill
from telephony.model import GroupId


@dataclass(frozen=True, slots=True)
class Served:
    """What an agent can do."""

    groups: tuple[GroupId, ...]
    """In the table's order."""
    levels: Mapping[GroupId, int]
    """1 is the best; as well as the worst of the skills that the group asks for."""
    languages: frozenset[str]


def served(agent: Agent, groups: Iterable[Group], skills: Mapping[str, Skill]) -> Served:
    """The groups that the agent names, and those that ask for skills which the agent has all of."""
    levels = {}
    for group in groups:
        has = [agent.skills[skill] for skill in group.skills if skill in agent.skills]
        if group.id in agent.groups or (group.skills and len(has) == len(group.skills)):
            levels[group.id] = max(has, default=1)
    spoken = frozenset(skill for skill in agent.skills if skill in skills and skills[skill].language)
    return Served(tuple(levels), levels, spoken)
