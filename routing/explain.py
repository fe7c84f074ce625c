"""A decision told to people, and to programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.model import Decision, Snapshot, Target, TargetKind

_TARGETS: Final[Mapping[TargetKind, str]] = {
    TargetKind.GROUP: "技能组",
    TargetKind.SUBCENTRE: "分中心",
    TargetKind.EMERGENCY: "紧急中心",
}


def explain(decision: Decision) -> list[str]:
    """The decision in Chinese lines: what, why, what is heard, who else may answer, and each test on the way."""
    lines = [
        f"去向：{_TARGETS[decision.target.kind]} {decision.target.id}",
        f"理由：{decision.reason}",
        f"规则：{decision.rule}（{f'路由表版本 {decision.version}' if decision.version else '未发布的表'}）",
        f"提示音：{'、'.join(decision.prompts) or '不放音'}",
    ]
    if decision.target.kind is not TargetKind.GROUP:
        lines.append(f"不通时收回：技能组 {decision.group}")
    lines += [f"溢出：等待满 {seconds} 秒后，技能组 {group} 也可接听" for seconds, group in decision.overflow]
    lines.append("经过：")
    lines += [f"  {step}. {line}" for step, line in enumerate(decision.trace, start=1)]
    return lines


def place_name(target: Target, snapshot: Snapshot) -> str:
    """Where a call goes, as people call it: 技能组 社会保障."""
    match target.kind:
        case TargetKind.GROUP:
            names = {str(group.id): group.name for group in snapshot.groups.values()}
        case TargetKind.SUBCENTRE:
            names = {trunk.id: trunk.name for trunk in snapshot.trunks.values()}
        case _:
            names = {}
    return f"{_TARGETS[target.kind]} {names.get(target.id, target.id)}"


def as_json(decision: Decision) -> dict[str, Any]:
    """The decision as plain values for ``json.dumps``; the keys are stable."""
    return {
        "number": decision.number,
        "target": {"kind": str(decision.target.kind), "id": decision.target.id},
        "rule": decision.rule,
        "reason": decision.reason,
        "mode": str(decision.mode) if decision.mode else None,
        "phase": str(decision.phase) if decision.phase else None,
        "prompts": list(decision.prompts),
        "group": decision.group,
        "overflow": [{"seconds": seconds, "group": group} for seconds, group in decision.overflow],
        "version": decision.version,
        "trace": list(decision.trace),
    }
