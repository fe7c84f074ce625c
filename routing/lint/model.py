"""What the lint's rules look at, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from routing.faults import Fault, Severity
from routing.model import Group, LegacyNumber, MergeMode, Schedule, Skill, Snapshot, Table, Trunk
from routing.numbers import normalise
from routing.skills import served
from telephony.model import GroupId


@dataclass(frozen=True, slots=True)
class Sound:
    """A prompt as it was built."""

    seconds: float
    text: str = ""
    """What it says, in Chinese."""


def _anywhere(_url: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class LintContext:
    """What the table is judged against and does not hold itself."""

    today: date
    """On the city's calendar."""
    sounds: Mapping[tuple[str, str], Sound] | None = None
    """Built prompts by language and prompt id; None when nothing was built yet."""
    languages: tuple[str, ...] = ("zh-CN",)
    """Languages in which every prompt must be there."""
    own_addresses: frozenset[tuple[str, int]] = frozenset()
    """Host and port at which we take calls ourselves."""
    push_fault: Callable[[str], str] = _anywhere
    """Why nothing may be pushed to this address, in Chinese; empty when it may."""
    published: Snapshot | None = None
    """The table in force, for what may only change with open eyes."""


@dataclass(frozen=True)
class View:
    """A table with the look-ups that rules share."""

    table: Table
    around: LintContext | None = None

    @cached_property
    def groups(self) -> Mapping[GroupId, Group]:
        return {group.id: group for group in self.table.groups}

    @cached_property
    def schedules(self) -> Mapping[str, Schedule]:
        return {schedule.id: schedule for schedule in self.table.schedules}

    @cached_property
    def trunks(self) -> Mapping[str, Trunk]:
        return {trunk.id: trunk for trunk in self.table.trunks}

    @cached_property
    def serves(self) -> Mapping[str, frozenset[GroupId]]:
        """The groups of each agent."""
        return {
            agent.id: frozenset(served(agent, self.table.groups, self.skills).groups) for agent in self.table.agents
        }

    @cached_property
    def staffed(self) -> frozenset[GroupId]:
        """Groups that at least one agent serves."""
        return frozenset().union(*self.serves.values())

    @cached_property
    def normal(self) -> Mapping[str, str]:
        """Every number as it is written, and in the form in which calls are looked up."""
        return {row.number: normalise(row.number, self.table.area_code) for row in self.table.numbers}

    @cached_property
    def skills(self) -> Mapping[str, Skill]:
        return {skill.id: skill for skill in self.table.skills}

    def widens_to(self, row: LegacyNumber) -> GroupId:
        """Who may answer too, after the row's seconds; the same as its own group when nobody else may."""
        if row.mode is MergeMode.SUBCENTRE:
            return self.table.default_group
        return row.overflow_group or self.table.default_group


Check = Callable[[View], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that the lint looks for."""

    id: str
    """Stable: documents, programs and people refer to it."""
    severity: Severity
    title: str
    """The same for people, in Chinese."""
    check: Check = field(repr=False)
    surroundings: bool = False
    """Whether it needs :class:`LintContext`."""
