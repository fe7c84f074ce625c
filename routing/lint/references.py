"""Does what one row says of another hold? References, doubles, and the numbers that nobody may touch.

One job: rows against rows. Who answers in the end is routing/lint/reach.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from routing.drill_trunks import DRILL
from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import Group, MergeMode, WaitingAction
from telephony.model import DIALLED, EMERGENCY_NUMBERS, HOTLINE_NUMBER, OverflowTo, duty_phones
from telephony.subscribers import may_be_dialled

MOST_SHOWN: Final = 12
EMERGENCY_ROLES: Final = ("emergency", "emergency-backup")


def _unknown(view: View) -> Iterator[Fault]:
    table, groups = view.table, view.groups
    if table.default_group not in groups:
        yield _absent("default_group", table.default_group, "技能组", groups)
    for row in table.numbers:
        path = f"numbers.{row.number}"
        if row.group not in groups:
            yield _absent(f"{path}.group", row.group, "技能组", groups)
        if row.overflow_group is not None and row.overflow_group not in groups:
            yield _absent(f"{path}.overflow_group", row.overflow_group, "技能组", groups)
        if row.schedule and row.schedule not in view.schedules:
            yield _absent(f"{path}.schedule", row.schedule, "班表", view.schedules)
    yield from _unknown_of_callbacks(view)
    yield from _unknown_of_partners(view)
    for agent in table.agents:
        for group in agent.groups:
            if group not in groups:
                yield _absent(f"agents.{agent.id}.groups", group, "技能组", groups)
    seats = frozenset(table.seats)
    for seat in table.auto_answer:
        if seat not in seats:
            yield _absent("auto_answer", seat, "座席分机", seats)


def _unknown_skills(view: View) -> Iterator[Fault]:
    asked = [
        *((f"agents.{agent.id}.skills", skill) for agent in view.table.agents for skill in agent.skills),
        *((f"groups.{group.id}.skills", skill) for group in view.table.groups for skill in group.skills),
    ]
    for path, skill in asked:
        if skill not in view.skills:
            yield _absent(path, skill, "技能", view.skills)
    languages = [skill.id for skill in view.table.skills if skill.language]
    for row in view.table.numbers:
        if row.language and row.language not in languages:
            yield _absent(f"numbers.{row.number}.language", row.language, "语言技能（language = true）", languages)


def _unknown_targets(view: View) -> Iterator[Fault]:
    for group in view.table.groups:
        yield from _overflow_targets(group, view)


def _overflow_targets(group: Group, view: View) -> Iterator[Fault]:
    for index, row in enumerate(group.overflow):
        path = f"groups.{group.id}.overflow[{index}].target"
        if row.to is OverflowTo.GROUP and row.target not in view.groups:
            yield _absent(path, row.target, "技能组", view.groups)
        elif row.to is OverflowTo.SUBCENTRE:
            subcentres = [trunk.id for trunk in view.table.trunks if trunk.role == "subcentre"]
            if row.target not in subcentres:
                yield _absent(path, row.target, '分中心线路（role = "subcentre"）', subcentres)
        elif row.to is OverflowTo.DUTY_PHONE:
            yield from _duty_phones(path, row.target, view)
        elif row.to not in _WITH_TARGET and row.target:
            yield Fault(path, repr(row.target), "去向已经说明白了，不用写 target；请删去")


def _duty_phones(path: str, target: str, view: View) -> Iterator[Fault]:
    """Every number of the row is somebody else's phone; one of our own lines would lead back to the same queue."""
    ours = {HOTLINE_NUMBER, *EMERGENCY_NUMBERS, *(row.number for row in view.table.numbers)}
    numbers = [number for step in duty_phones(target) for number in step]
    reason = "值班电话应写能拨通的号码；几个号码依次拨用 / 隔开，同时拨用 & 隔开"
    if not all(DIALLED.fullmatch(number) for number in numbers):
        yield Fault(path, repr(target), reason, '"06630000000/13800000000"')
    for number in numbers:
        if number in ours:
            yield Fault(path, repr(number), "这是热线自己的或应急中心的号码，不能作值班电话", '"06630000000"')
        elif DIALLED.fullmatch(number) and not may_be_dialled(number):
            reason = "不是手机或固定电话（固话写区号）：境外、短号、声讯、800/400 号码不外拨"
            yield Fault(path, repr(number), reason, '"06630000000"')


def _unknown_of_callbacks(view: View) -> Iterator[Fault]:
    policy = view.table.callback
    if policy.schedule and policy.schedule not in view.schedules:
        yield _absent("callback.schedule", policy.schedule, "班表", view.schedules)
    trunks = {trunk.id for trunk in view.table.trunks if trunk.role == "pstn"}
    if WaitingAction.CALLBACK in view.table.waiting_keys.values() and policy.trunk not in trunks:
        yield _absent("callback.trunk", policy.trunk, "线路", trunks)


_WITH_TARGET: Final = (OverflowTo.GROUP, OverflowTo.SUBCENTRE, OverflowTo.DUTY_PHONE)


_PARTNER_ROLES: Final = ("utility", "subcentre", "neighbour")


def _unknown_of_partners(view: View) -> Iterator[Fault]:
    allowed = [trunk.id for trunk in view.table.trunks if trunk.role in _PARTNER_ROLES]
    for row in view.table.partners:
        path = f"partners.{row.id}"
        if row.schedule and row.schedule not in view.schedules:
            yield _absent(f"{path}.schedule", row.schedule, "班表", view.schedules)
        if not row.trunks:
            yield Fault(f"{path}.trunks", "[]", "至少要有一条线路", '["utility-water"]')
        for trunk in row.trunks:
            if trunk not in allowed:
                yield _absent(f"{path}.trunks", trunk, "公用事业、分中心或邻市线路", allowed)


def _doubles(view: View) -> Iterator[Fault]:
    table = view.table
    yield from _twice("groups", (group.id for group in table.groups))
    yield from _twice("skills", (skill.id for skill in table.skills))
    for group in table.groups:
        yield from _twice(f"groups.{group.id}.skills", group.skills)
    yield from _twice("schedules", (schedule.id for schedule in table.schedules))
    yield from _twice("holidays", (holiday.day.isoformat() for holiday in table.holidays))
    yield from _twice("numbers", (row.number for row in table.numbers))
    yield from _twice("trunks", (trunk.id for trunk in table.trunks))
    for agent in table.agents:
        yield from _twice(f"agents.{agent.id}.groups", agent.groups)
    yield from _twice("agents", (agent.id for agent in table.agents))
    yield from _twice("announcements", (row.id for row in table.announcements))
    yield from _twice("self_service", (row.key for row in table.self_service))
    yield from _twice("callers", (row.number for row in table.callers))
    yield from _twice("seats", table.seats)
    yield from _twice("auto_answer", table.auto_answer)
    yield from _twice("partners", (row.id for row in table.partners))
    yield from _twice("partners.key", (row.key for row in table.partners))
    yield from _twice("partners.trunks", (trunk for row in table.partners for trunk in row.trunks))
    yield from _twice("pause_reasons", table.pause_reasons.values())


def _shadowed(view: View) -> Iterator[Fault]:
    """A row that another always answers for."""
    written = {row.number for row in view.table.numbers}
    for row in view.table.numbers:
        normal = view.normal[row.number]
        if normal == HOTLINE_NUMBER:
            yield Fault(f"numbers.{row.number}", "", "12345 由系统直接处理；请删去这一行")
        elif normal != row.number and normal in written:
            yield Fault(
                f"numbers.{row.number}", "", f"与 {normal} 是同一个号码，来电只走 {normal} 那一行；请删去这一行"
            )


def _emergency(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        if view.normal[row.number] in EMERGENCY_NUMBERS:
            yield Fault(f"numbers.{row.number}", "", "紧急号码不归并，也不能写进路由表；请删去这一行")
    for seat in view.table.seats:
        if seat in EMERGENCY_NUMBERS:
            yield Fault("seats", repr(seat), "座席分机不能与紧急号码相同，否则拨不通紧急中心", '"8001"')
    for agent in view.table.agents:
        if agent.id in EMERGENCY_NUMBERS:
            yield Fault(f"agents.{agent.id}", "", "工号不能与紧急号码相同，以免误拨", "1001")
    for trunk in view.table.trunks:
        foreign = DIALLED.fullmatch(trunk.number) and trunk.number not in EMERGENCY_NUMBERS
        if trunk.role in EMERGENCY_ROLES and foreign:
            reason = f"紧急线路只能拨 {'、'.join(EMERGENCY_NUMBERS)}"
            yield Fault(f"trunks.{trunk.id}.number", repr(trunk.number), reason, '"110"')


def _drills(view: View) -> Iterator[Fault]:
    """A drill must not end at a place that takes it for an emergency, nor be known by the address of somebody else."""
    others = {(trunk.host, trunk.port): trunk.id for trunk in view.table.trunks if trunk.role != DRILL}
    for trunk in view.table.trunks:
        if trunk.role != DRILL:
            continue
        if DIALLED.fullmatch(trunk.number) and trunk.number not in EMERGENCY_NUMBERS:
            reason = f"演练线路应写它替代哪个中心：{'、'.join(EMERGENCY_NUMBERS)}"
            yield Fault(f"trunks.{trunk.id}.number", repr(trunk.number), reason, '"110"')
        if other := others.get((trunk.host, trunk.port)):
            reason = f"与 {other} 是同一个地址，演练会打到那里；请改成专供演练的地址"
            yield Fault(f"trunks.{trunk.id}.host", f"{trunk.host}:{trunk.port}", reason, '"192.0.2.119"')


def _target_without_trunk(view: View) -> Iterator[Fault]:
    subcentres = {trunk.id for trunk in view.table.trunks if trunk.role == "subcentre"}
    for row in view.table.numbers:
        if row.mode is MergeMode.SUBCENTRE and row.trunk not in subcentres:
            yield _absent(f"numbers.{row.number}.trunk", row.trunk, '分中心线路（role = "subcentre"）', subcentres)
    reachable = {trunk.number for trunk in view.table.trunks if trunk.role == "emergency"}
    for number in EMERGENCY_NUMBERS:
        if number not in reachable:
            example = f'[trunks.emergency-{number}] role = "emergency", number = "{number}"'
            yield Fault("trunks", "", f"没有通往 {number} 的紧急线路", example)


def _trunk_without_target(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        if row.mode is not MergeMode.SUBCENTRE and row.trunk:
            reason = "只有设分中心的号码才有线路；请删去，或改 mode"
            yield Fault(f"numbers.{row.number}.trunk", repr(row.trunk), reason, 'mode = "subcentre"')


def _emergency_changed(view: View) -> Iterator[Fault]:
    """An emergency trunk may change, but never without being seen."""
    around = view.around
    if around is None or around.published is None:
        return
    before = {trunk.id: trunk for trunk in around.published.trunks.values() if trunk.role in EMERGENCY_ROLES}
    now = {trunk.id: trunk for trunk in view.table.trunks if trunk.role in EMERGENCY_ROLES}
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old == new:
            continue
        was = f"{old.number}@{old.host}:{old.port}" if old else "没有"
        becomes = f"{new.number}@{new.host}:{new.port}" if new else "没有"
        reason = f"紧急线路有改动：原来 {was}，现在 {becomes}；请与对方中心核实并试拨后再发布"
        yield Fault(f"trunks.{name}", "", reason)


def _twice(path: str, ids: Iterable[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            yield Fault(path, repr(one), "出现了两次；请删去一个")
        seen.add(one)


def _absent(path: str, value: str, what: str, known: Iterable[str]) -> Fault:
    choices = sorted(known)
    more = f" 等 {len(choices)} 个" if len(choices) > MOST_SHOWN else ""
    shown = "、".join(choices[:MOST_SHOWN]) or "（无）"
    return Fault(path, repr(value), f"没有这个{what}；现有 {shown}{more}", f'"{choices[0]}"' if choices else "")


RULES: Final = (
    Rule("unknown-reference", Severity.ERROR, "引用了不存在的编号", _unknown),
    Rule("unknown-skill", Severity.ERROR, "引用了不存在的技能", _unknown_skills),
    Rule("bad-overflow-target", Severity.ERROR, "溢出的去向不对", _unknown_targets),
    Rule("duplicate", Severity.ERROR, "编号重复", _doubles),
    Rule("shadowed", Severity.ERROR, "被另一行遮住", _shadowed),
    Rule("emergency-touched", Severity.ERROR, "动了紧急号码", _emergency),
    Rule("drill-not-apart", Severity.ERROR, "演练线路会碰到真实的线路", _drills),
    Rule("target-without-trunk", Severity.ERROR, "要转出去却没有线路", _target_without_trunk),
    Rule("trunk-without-target", Severity.ERROR, "有线路却不会转出去", _trunk_without_target),
    Rule("emergency-changed", Severity.WARNING, "紧急线路有改动", _emergency_changed, surroundings=True),
)
