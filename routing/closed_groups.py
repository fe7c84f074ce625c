"""Groups that are closed take no new callers: by a supervisor now, or by the table on a day.

One job: a decision, without them. Pure; what a supervisor closed is the engine's to remember.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import replace
from datetime import date

from routing.model import Decision, Snapshot, Target, TargetKind
from telephony.model import GroupId


def avoiding(
    decision: Decision,
    closed: Container[GroupId],
    default: GroupId,
    *,
    called: Callable[[GroupId], str] = str,
    why: str = "已由班长关闭",
) -> Decision:
    """Where the call goes instead: to ``default``, as out of a department's hours. No widening into a closed group.

    ``called`` gives groups' names, ``why`` says how the group was closed.
    """
    steps = tuple((seconds, group) for seconds, group in decision.overflow if group not in closed)
    if decision.group not in closed:
        return decision if steps == decision.overflow else replace(decision, overflow=steps)
    target = Target(TargetKind.GROUP, default) if decision.target.kind is TargetKind.GROUP else decision.target
    told = f"{called(decision.group)}{why}，转{called(default)}"
    return replace(
        decision,
        target=target,
        group=default,
        overflow=tuple(step for step in steps if step[1] != default),
        reason=f"{decision.reason}；{told}",
        trace=(*decision.trace, told),
    )


def on_this_day(decision: Decision, snapshot: Snapshot, today: date) -> Decision:
    """The decision without groups that the table closes on this day of the city's calendar."""
    asked = (decision.group, *(group for _, group in decision.overflow))
    closed = {
        group
        for group in asked
        if group != snapshot.default_group and (row := snapshot.groups.get(group)) and today in row.closed_days
    }
    if not closed:
        return decision
    return avoiding(decision, closed, snapshot.default_group, called=snapshot.group_name, why=f" {today} 不接听")
