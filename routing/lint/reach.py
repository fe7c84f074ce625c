"""Does every path end at a human, and does a path lead to every row?

One job: who answers in the end. A row whose references are broken is left out here: routing/lint/references.py has
already said so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Final

from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import CallbackFirst, LegacyNumber, MergeMode
from telephony.model import GroupId, OverflowTo

_UNUSED_MODES: Final[Mapping[MergeMode, str]] = {
    MergeMode.FULL: "整体并入的号码不看班表",
    MergeMode.SUBCENTRE: "设分中心的号码收回后只溢出到 12345 受理组",
}


def _no_human(view: View) -> Iterator[Fault]:
    """12345 itself, unknown numbers and closed hours all end at the default group."""
    table = view.table
    default = view.groups.get(table.default_group)
    if default is not None and default.id not in view.staffed:
        reason = f"12345 的受理组“{default.name}”没有一个座席，来电最终没有人接；请在座席人员中给它派人"
        yield Fault("default_group", repr(default.id), reason, f'groups = ["{default.id}"]')
    if default is not None and default.closed_days:
        reason = f"12345 的受理组“{default.name}”每天都要接听，别的组关闭时来电也转到它；请删去这些日子"
        yield Fault(f"groups.{default.id}.closed_days", str(default.closed_days[0]), reason, "[]")
    if not table.seats:
        yield Fault("seats", "", "没有一个座席分机，谁也不能签入接电话；请添加分机", '["8001", "8002"]')


def _dead_ends(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        wider = view.widens_to(row)
        if row.group not in view.groups or wider not in view.groups:
            continue
        if row.group not in view.staffed and wider not in view.staffed:
            reason = "这个组没有座席，溢出组也没有，来电会一直等下去；请给其中一个组派座席，或换一个组"
            yield Fault(f"numbers.{row.number}.group", repr(row.group), reason, f'"{_somebody(view)}"')


def _loops(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        if row.overflow_group is not None and row.overflow_group == row.group:
            reason = "溢出到了它自己，等再久也没有别人来接；请换一个组，或删去这一项（默认溢出到 12345 受理组）"
            yield Fault(
                f"numbers.{row.number}.overflow_group", repr(row.group), reason, f'"{view.table.default_group}"'
            )
    for group in view.table.groups:
        for index, overflow in enumerate(group.overflow):
            if overflow.to is OverflowTo.GROUP and overflow.target == group.id:
                reason = "溢出到了它自己，等再久也没有别人来接；请换一个组，或删去这一行"
                yield Fault(f"groups.{group.id}.overflow[{index}].target", repr(group.id), reason)
    own = view.around.own_addresses if view.around else frozenset()
    for trunk in view.table.trunks:
        if (trunk.host, trunk.port) in own:
            reason = "这是本机接来电的地址，转出去的电话又会打回来；请改成对方的地址"
            yield Fault(f"trunks.{trunk.id}.host", f"{trunk.host}:{trunk.port}", reason, '"192.0.2.10"')


def _unstaffed(view: View) -> Iterator[Fault]:
    """A group that nobody serves on a path that widens to somebody: the caller waits for nothing."""
    seconds: dict[GroupId, int] = {}
    for row in view.table.numbers:
        served = row.group in view.staffed or row.group not in view.groups or view.groups[row.group].trunk
        if served or view.widens_to(row) not in view.staffed:
            continue
        seconds[row.group] = max(seconds.get(row.group, 0), row.overflow_seconds)
    for group, longest in seconds.items():
        reason = f"没有座席属于这个组，打到这里的市民要白等 {longest} 秒才轮到别的组；请派座席，或让号码直接进别的组"
        yield Fault(f"groups.{group}", "", reason, f'agents 中 groups = ["{group}"]')


def _idle_agents(view: View) -> Iterator[Fault]:
    for agent in view.table.agents:
        if not view.serves[agent.id]:
            reason = "不属于任何技能组，签入后也接不到电话；请写上技能组"
            yield Fault(f"agents.{agent.id}.groups", "", reason, f'["{view.table.default_group}"]')


def _unskilled(view: View) -> Iterator[Fault]:
    """A skill that is asked for and that nobody has."""
    known = {skill for agent in view.table.agents for skill in agent.skills}
    for group in view.table.groups:
        for skill in sorted(set(group.skills) - known):
            reason = f"没有座席有“{_skill_name(view, skill)}”技能，没有人因它进入这个组；请给座席写上，或删去这项要求"
            yield Fault(f"groups.{group.id}.skills", repr(skill), reason, f"agents 中 skills = {{ {skill} = 1 }}")
    for row in view.table.numbers:
        if row.language and row.language not in known:
            reason = f"没有座席会“{_skill_name(view, row.language)}”，来电由别的座席接；请给座席写上这项技能"
            yield Fault(f"numbers.{row.number}.language", repr(row.language), reason)


def _skill_name(view: View, skill: str) -> str:
    return view.skills[skill].name if skill in view.skills else skill


def _unreachable(view: View) -> Iterator[Fault]:
    numbers = view.table.numbers
    answering = {view.table.default_group}.union(*({row.group, view.widens_to(row)} for row in numbers))
    answering |= {
        GroupId(overflow.target)
        for group in view.table.groups
        for overflow in group.overflow
        if overflow.to is OverflowTo.GROUP
    }
    yield from _unused("groups", view.groups.keys() - answering, "没有号码会进这个组，也没有溢出到它")
    timed = {row.schedule for row in numbers if row.mode is not MergeMode.FULL}
    timed |= {group.schedule for group in view.table.groups}
    yield from _unused("schedules", view.schedules.keys() - timed, "没有号码用它")
    dialled = {row.trunk for row in numbers} | {group.trunk for group in view.table.groups}
    subcentres = {trunk.id for trunk in view.table.trunks if trunk.role == "subcentre"}
    yield from _unused("trunks", subcentres - dialled, "没有号码会转到这个分中心")
    for row in numbers:
        yield from _ignored(row, view)
    yield from _nobody_first(view)


def _nobody_first(view: View) -> Iterator[Fault]:
    """先呼座席 for people who have no phone of ours."""
    for group in view.table.groups:
        if group.callback_first is CallbackFirst.AGENT and group.trunk and group.id not in view.staffed:
            reason = f"技能组“{group.name}”只有分中心的人接，分中心的席位不能先呼；请改为先呼市民，或给它派自己的座席"
            yield Fault(f"groups.{group.id}.callback_first", repr(str(group.callback_first)), reason, '"citizen"')


def _ignored(row: LegacyNumber, view: View) -> Iterator[Fault]:
    path = f"numbers.{row.number}"
    if row.mode is MergeMode.FULL and row.schedule:
        yield Fault(
            f"{path}.schedule", repr(row.schedule), f"{_UNUSED_MODES[row.mode]}；请删去，或改 mode", 'mode = "dual"'
        )
    if row.mode is MergeMode.SUBCENTRE and row.overflow_group not in (None, view.table.default_group):
        yield Fault(f"{path}.overflow_group", repr(row.overflow_group), f"{_UNUSED_MODES[row.mode]}；请删去这一项")
    schedule = view.schedules.get(row.schedule)
    if row.mode is not MergeMode.FULL and schedule and not (schedule.periods or schedule.holiday_periods):
        who = "部门自己的组" if row.mode is MergeMode.DUAL else "分中心"
        reason = f"班表“{schedule.name}”没有一个时段，{who}永远接不到；请填上时段，或删去 schedule（全天上班）"
        yield Fault(f"{path}.schedule", repr(row.schedule), reason, '{ days = [1], start = "08:30", end = "12:00" }')


def _unused(table: str, ids: Set[str], reason: str) -> Iterator[Fault]:
    for name in sorted(ids):
        yield Fault(f"{table}.{name}", "", f"{reason}；请删去这一行，或在号码中写上它")


def _somebody(view: View) -> str:
    return min(view.staffed & view.groups.keys(), default=view.table.default_group)


RULES: Final = (
    Rule("no-human", Severity.ERROR, "来电最终没有人接", _no_human),
    Rule("dead-end", Severity.ERROR, "死路：这个号码没有人接", _dead_ends),
    Rule("loop", Severity.ERROR, "绕回自己", _loops),
    Rule("group-without-agents", Severity.WARNING, "技能组没有座席", _unstaffed),
    Rule("agent-without-skills", Severity.WARNING, "座席没有技能组", _idle_agents),
    Rule("skill-without-agents", Severity.WARNING, "技能没有座席会", _unskilled),
    Rule("unreachable", Severity.WARNING, "写了却用不到", _unreachable),
)
