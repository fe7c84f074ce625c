"""Groups that a supervisor has closed take no new callers.

One job: a decision, without them. Pure; who closed what is the engine's to remember.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from routing.model import Decision, Target, TargetKind
from telephony.model import GroupId


def avoiding(decision: Decision, closed: Container[GroupId], default: GroupId) -> Decision:
    """Where the call goes instead: to ``default``, as out of a department's hours. No widening into a closed group."""
    steps = tuple((seconds, group) for seconds, group in decision.overflow if group not in closed)
    if decision.group not in closed:
        return decision if steps == decision.overflow else replace(decision, overflow=steps)
    target = Target(TargetKind.GROUP, default) if decision.target.kind is TargetKind.GROUP else decision.target
    why = f"技能组 {decision.group} 已由班长关闭，转 {default}"
    return replace(
        decision,
        target=target,
        group=default,
        overflow=tuple(step for step in steps if step[1] != default),
        reason=f"{decision.reason}；{why}",
        trace=(*decision.trace, why),
    )
