"""A decision told to people, and to programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.labels_zh import MODE_NAMES
from routing.model import Decision, Target, TargetKind
from routing.naming import PROMPTS, Names
from routing.rules import PHASE_NAMES

_TARGETS: Final[Mapping[TargetKind, str]] = {
    TargetKind.GROUP: "技能组",
    TargetKind.SUBCENTRE: "分中心",
    TargetKind.EMERGENCY: "紧急中心",
}
_RULES: Final[Mapping[str, str]] = {
    "hotline": "拨打 12345",
    "unknown": "归并号码表中没有这个号码",
    "emergency": "紧急号码",
}
_HOURS: Final[Mapping[str, str]] = {"open": "上班时间", "closed": "下班时间", "no-trunk": "没有分中心线路"}


def explain(decision: Decision, names: Names) -> list[str]:
    """The decision in Chinese lines: what, why, what is heard, who else may answer, and each test on the way."""
    table = f"路由表第 {decision.version} 版" if decision.version else "未发布的表"
    lines = [
        f"去向：{place_name(decision.target, names)}",
        f"理由：{decision.reason}",
        f"依据：{rule_name(decision.rule)}（{table}）",
        f"提示音：{names.listed(PROMPTS, decision.prompts) or '不放音'}",
    ]
    if decision.target.kind is not TargetKind.GROUP:
        lines.append(f"不通时收回：技能组 {names.of('groups', decision.group)}")
    lines += [
        f"溢出：等待满 {seconds} 秒后，技能组 {names.of('groups', group)} 也可接听"
        for seconds, group in decision.overflow
    ]
    lines.append("经过：")
    lines += [f"  {step}. {line}" for step, line in enumerate(decision.trace, start=1)]
    return lines


def place_name(target: Target, names: Names) -> str:
    """Where a call goes, as people call it: 技能组 社会保障."""
    kind = {TargetKind.GROUP: "groups", TargetKind.SUBCENTRE: "trunks"}.get(target.kind, "")
    return f"{_TARGETS[target.kind]} {names.of(kind, target.id)}"


def rule_name(rule: str) -> str:
    """The rule that decided, in words: ``legacy.dual.during.open`` is 双号并行、过渡期内、上班时间."""
    if rule in _RULES:
        return _RULES[rule]
    words = {**MODE_NAMES, **{str(phase): name for phase, name in PHASE_NAMES.items()}, **_HOURS}
    return "、".join(words.get(part, part) for part in rule.split(".")[1:])


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
