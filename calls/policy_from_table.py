"""The ACD's rules, groups and skills, as the published routing table gives them."""

from __future__ import annotations

from typing import Final

from queues.events import AgentSignedIn
from queues.policy import GroupPolicy, Overflow, Policy
from routing.model import Group, Snapshot
from routing.skills import Served, served
from telephony.model import AgentId, Priority, SeatId

_ABLE_OF_NOTHING: Final = Served((), {}, frozenset())


def skills_of(table: Snapshot, agent: AgentId) -> Served:
    """What the table says that this agent of the table can do."""
    return served(table.agents[agent], table.groups.values(), table.skills)


def sign_in_event(table: Snapshot, agent: AgentId, seat: SeatId, pause: str | None = None) -> AgentSignedIn:
    """An agent of the table comes to a seat, with what the table says of that agent."""
    able = skills_of(table, agent)
    return AgentSignedIn(agent, seat, able.groups, pause, able.levels, able.languages)


def policy_from_table(snapshot: Snapshot) -> Policy:
    """How the groups of the published table ring, rest, widen and overflow, and who comes first."""
    levels = (level for agent in snapshot.agents.values() for level in agent.skills.values())
    heads: dict[int, int] = {Priority[name.upper()]: seconds for name, seconds in snapshot.head_start_seconds.items()}
    return Policy(
        {group.id: _group_policy(group) for group in snapshot.groups.values()},
        head_start_seconds={
            **Policy().head_start_seconds,
            **heads,
            Priority.NUISANCE: -snapshot.nuisance_seconds,
        },
        levels=max(levels, default=1),
        heir=snapshot.default_group,
    )


def _group_policy(group: Group) -> GroupPolicy:
    return GroupPolicy(
        group.ring_seconds,
        group.wrap_up_seconds,
        group.level_seconds,
        group.language_seconds,
        group.preferred_seconds,
        group.short_talk_seconds,
        tuple(Overflow(row.when, row.value, row.to, row.target) for row in group.overflow),
    )
