"""How a waiting call widens and overflows: which lanes it asks for now, what is due, and when to look again.

One job: a pure function of one ticket, the clock and the state around it. It changes nothing; queues.transaction does.

The steps over waiting time: the preferred agent alone, if at work; those who speak the language asked for, if any does;
the best level, then the next ones; the groups of the number's row and of the group's own overflow rows; everyone. Each
is bounded by a row's seconds, so nobody waits for one agent, language or level for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from queues.acd import Acd, Ticket
from queues.policy import Overflow
from queues.skill_lanes import EVERYONE, Lane, agent_lane, lanes_of_group
from telephony.model import LAST_RESORTS, GroupId, OverflowTo, OverflowWhen


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What a call asks for at one moment."""

    asks: tuple[GroupId, ...]
    """Groups, its own first."""
    lanes: tuple[Lane, ...]
    rows: tuple[int, ...]
    """Overflow rows of its group that are due now and were not before."""
    look_again_ms: int | None
    """When any of this may change by itself."""


def eligibility(acd: Acd, ticket: Ticket, now: int) -> Eligibility:
    """What the call asks for at ``now`` (unix ms)."""
    waited = now - ticket.joined_ms
    changes = [ticket.joined_ms + seconds * 1000 for seconds, _ in ticket.overflow]
    opened = [*_own(acd, ticket), *(group for seconds, group in ticket.overflow if seconds * 1000 <= waited)]
    rows = []
    policy = acd.policy.of(ticket.group)
    for index, row in enumerate(policy.overflow):
        if index not in ticket.rows:
            if row.when in (OverflowWhen.WAITED, OverflowWhen.NOBODY):
                changes.append(ticket.joined_ms + row.value * 1000)
            if not _due(acd, ticket, row, waited, opened):
                continue
            if row.to in LAST_RESORTS and ticket.resort_after_ms > now:
                changes.append(ticket.resort_after_ms)
                continue
            rows.append(index)
        if row.to is OverflowTo.GROUP:
            opened.append(GroupId(row.target))
        elif row.to is OverflowTo.EVERYONE:
            opened.append(EVERYONE)
    if any(row.when in (OverflowWhen.EXPECTED, OverflowWhen.NOBODY) for row in policy.overflow):
        changes.append(now + acd.policy.recheck_seconds * 1000)
    asks = tuple(dict.fromkeys(opened))
    lanes = tuple(dict.fromkeys(_lanes(acd, ticket, asks, now, changes)))
    return Eligibility(asks, lanes, tuple(rows), min((at for at in changes if at > now), default=None))


def _own(acd: Acd, ticket: Ticket) -> Iterator[GroupId]:
    """The group that it came for, and that group's heir when the table has it no more: nobody waits for it in vain."""
    yield ticket.group
    if acd.policy.heir is not None and ticket.group not in acd.policy.groups:
        yield acd.policy.heir


def _lanes(acd: Acd, ticket: Ticket, asks: tuple[GroupId, ...], now: int, changes: list[int]) -> Iterator[Lane]:
    """Every lane asked for at ``now``; adds to ``changes`` when the next one opens."""
    if ticket.preferred is not None:
        yield agent_lane(ticket.preferred)
        if now < ticket.preferred_until_ms:
            changes.append(ticket.preferred_until_ms)
            return
    language = ticket.language if now < ticket.language_until_ms else ""
    if language:
        changes.append(ticket.language_until_ms)
    for group in asks:
        policy = acd.policy.of(group)
        levels = acd.policy.levels
        if policy.level_seconds and levels > 1 and group != EVERYONE:
            steps = max(0, now - ticket.joined_ms) // (policy.level_seconds * 1000)
            if 1 + steps < levels:
                levels = 1 + steps
                changes.append(ticket.joined_ms + levels * policy.level_seconds * 1000)
        yield from lanes_of_group(group, levels, language)


def _due(acd: Acd, ticket: Ticket, row: Overflow, waited: int, opened: list[GroupId]) -> bool:
    """Whether the row holds for this call now; ``opened`` are the groups that may answer it already."""
    match row.when:
        case OverflowWhen.WAITED:
            return waited >= row.value * 1000
        case OverflowWhen.NOBODY:
            somebody = bool(acd.seat_of) if EVERYONE in opened else any(acd.staff[group] for group in opened)
            return waited >= row.value * 1000 and not somebody
        case OverflowWhen.LENGTH:
            return ticket.newcomer and acd.queued[ticket.group] > row.value
        case OverflowWhen.EXPECTED:
            expected = acd.expected_wait_ms(ticket)
            return expected is not None and expected > row.value * 1000
