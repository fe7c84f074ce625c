"""Does the table hold together? Every reference resolved, every id safe to stand in a dialplan.

One job: a table in, its faults out. Whatever passes here can be published; whatever was read from a file or edited in
the database comes through here first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Final

from routing.faults import Fault, TableInvalid
from routing.model import DayKind, LegacyNumber, MergeMode, Schedule, Table, Trunk
from routing.numbers import normalise
from telephony.model import AGENT_ID, DIALLED, EMERGENCY_NUMBERS, GROUP_ID, HOTLINE_NUMBER, SEAT_ID

TRUNK_ROLES: Final = ("pstn", "emergency", "emergency-backup", "subcentre", "utility", "neighbour")
LONGEST_NAME: Final = 60
MAX_SECONDS: Final = 3600

_AREA_CODE: Final = re.compile(r"0\d{2,3}", re.ASCII)
_PROMPT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_TRUNK: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""Not a number: a seat's phone has one, and the two would be one endpoint without a password."""
_SWITCH_OWN: Final = frozenset({"global", "system", "trunks", "seats", "seats-tcp", "trunk", "seat"})
"""Names of the sections of pjsip.conf that are no trunks."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?", re.ASCII)
_KEY: Final = re.compile(r"[0-9]", re.ASCII)
_PAUSE_REASON: Final = re.compile("[\u4e00-\u9fff]{1,10}")


def require_sound(table: Table) -> None:
    """Raise TableInvalid with every fault unless the table holds together."""
    faults = lint(table)
    if faults:
        raise TableInvalid(faults)


def lint(table: Table) -> tuple[Fault, ...]:
    """Every fault of the table, in the table's order; empty when it can be published."""
    return tuple(_faults(table))


def _faults(table: Table) -> Iterator[Fault]:
    groups = {group.id for group in table.groups}
    yield from _heads(table, groups)
    yield from _groups(table)
    for schedule in table.schedules:
        yield from _schedule(schedule)
    yield from _holidays(table)
    schedules = {schedule.id for schedule in table.schedules}
    trunks = {trunk.id: trunk for trunk in table.trunks}
    for row in table.numbers:
        yield from _number(row, table.area_code, groups, schedules, trunks)
    yield from _twice("numbers", (row.number for row in table.numbers))
    yield from _trunks(table)
    yield from _people(table, groups)


def _heads(table: Table, groups: Set[str]) -> Iterator[Fault]:
    if table.area_code and not _AREA_CODE.fullmatch(table.area_code):
        yield Fault("area_code", repr(table.area_code), "应为带 0 的区号", '"0663"')
    if not _PROMPT.fullmatch(table.greeting):
        yield Fault("greeting", repr(table.greeting), "提示音编号只能有小写字母、数字和连字符", '"greeting-12345"')
    if table.default_group not in groups:
        yield _absent("default_group", table.default_group, "技能组", groups)
    for key, level in table.rating_keys.items():
        if not _KEY.fullmatch(key):
            yield Fault(f"rating_keys.{key}", repr(key), "评价按键应为一个数字键", "5 = 5")
        if level not in range(1, 6):
            yield Fault(f"rating_keys.{key}", str(level), "满意度应为 1（非常不满意）到 5（非常满意）", "5 = 5")
    yield from _pause_reasons(table)


def _pause_reasons(table: Table) -> Iterator[Fault]:
    for key, name in table.pause_reasons.items():
        path = f"pause_reasons.{key}"
        if not _KEY.fullmatch(key):
            yield Fault(path, repr(key), "示忙原因的按键应为一个数字键", '1 = "小休"')
        if not _PAUSE_REASON.fullmatch(name):
            yield Fault(path, repr(name), "示忙原因应为 1 到 10 个汉字，因为要读给座席听", '1 = "小休"')
    yield from _twice("pause_reasons", table.pause_reasons.values())


def _groups(table: Table) -> Iterator[Fault]:
    for group in table.groups:
        path = f"groups.{group.id}"
        if not GROUP_ID.fullmatch(group.id):
            yield Fault(
                path, "", "技能组编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个", "social-security"
            )
        yield from _name(path, group.name, '"社会保障"')
        yield from _seconds(f"{path}.ring_seconds", group.ring_seconds, low=5)
        yield from _seconds(f"{path}.wrap_up_seconds", group.wrap_up_seconds)
    yield from _twice("groups", (group.id for group in table.groups))


def _schedule(schedule: Schedule) -> Iterator[Fault]:
    path = f"schedules.{schedule.id}"
    if not _ID.fullmatch(schedule.id):
        yield Fault(path, "", "班表编号只能有小写字母、数字和连字符", "office")
    yield from _name(path, schedule.name, '"机关上班时间"')
    for kind, periods in (("periods", schedule.periods), ("holiday_periods", schedule.holiday_periods)):
        for index, period in enumerate(periods):
            if not period.days or not period.days <= set(range(1, 8)):
                days = str(sorted(period.days))
                yield Fault(f"{path}.{kind}[{index}].days", days, "应为 1（周一）到 7（周日）", "[1, 2, 3, 4, 5]")


def _holidays(table: Table) -> Iterator[Fault]:
    for holiday in table.holidays:
        if holiday.kind not in (DayKind.HOLIDAY, DayKind.MAKEUP_WORKDAY):
            yield Fault(f"holidays.{holiday.day}", repr(str(holiday.kind)), "只写节假日和调休上班日", '"holiday"')
    yield from _twice("holidays", (holiday.day.isoformat() for holiday in table.holidays))


def _number(
    row: LegacyNumber, area_code: str, groups: Set[str], schedules: Set[str], trunks: Mapping[str, Trunk]
) -> Iterator[Fault]:
    path = f"numbers.{row.number}"
    if row.number in EMERGENCY_NUMBERS:
        yield Fault(path, "", "紧急号码不归并，也不能写进路由表；请删去这一行")
    elif row.number == HOTLINE_NUMBER:
        yield Fault(path, "", "12345 由系统直接处理；请删去这一行")
    elif normalise(row.number, area_code) != row.number:
        yield Fault(path, "", "应写市内拨打的号码，不带区号、国家码和分隔符", "12333")
    yield from _name(path, row.name, '"人社"')
    if row.group not in groups:
        yield _absent(f"{path}.group", row.group, "技能组", groups)
    if row.overflow_group is not None and row.overflow_group not in groups:
        yield _absent(f"{path}.overflow_group", row.overflow_group, "技能组", groups)
    if row.schedule and row.schedule not in schedules:
        yield _absent(f"{path}.schedule", row.schedule, "班表", schedules)
    if row.first_day and row.last_day and row.last_day < row.first_day:
        reason = f"过渡期最后一天早于第一天 {row.first_day}"
        yield Fault(f"{path}.last_day", str(row.last_day), reason, str(row.first_day))
    for key, prompt in (("prompt", row.prompt), ("prompt_after", row.prompt_after)):
        if not _PROMPT.fullmatch(prompt):
            example = f'"legacy-{row.number}-during"'
            yield Fault(f"{path}.{key}", repr(prompt), "提示音编号只能有小写字母、数字和连字符", example)
    yield from _seconds(f"{path}.overflow_seconds", row.overflow_seconds)
    subcentres = {trunk.id for trunk in trunks.values() if trunk.role == "subcentre"}
    if row.mode is MergeMode.SUBCENTRE and row.trunk not in subcentres:
        yield _absent(f"{path}.trunk", row.trunk, '分中心中继（role = "subcentre"）', subcentres)
    if row.mode is not MergeMode.SUBCENTRE and row.trunk:
        yield Fault(
            f"{path}.trunk", repr(row.trunk), "只有设分中心的号码才有中继；请删去，或改 mode", 'mode = "subcentre"'
        )


def _trunks(table: Table) -> Iterator[Fault]:
    for trunk in table.trunks:
        path = f"trunks.{trunk.id}"
        if not _TRUNK.fullmatch(trunk.id) or trunk.id in _SWITCH_OWN or trunk.id.endswith("-identify"):
            reason = "中继编号应以小写字母开头，只含小写字母、数字和连字符，且不是交换机自用的名字"
            yield Fault(path, "", reason, "emergency-110")
        if trunk.role not in TRUNK_ROLES:
            yield Fault(f"{path}.role", repr(trunk.role), f"应为 {'、'.join(TRUNK_ROLES)} 之一", '"emergency"')
        if trunk.role != "pstn" and not DIALLED.fullmatch(trunk.number):
            yield Fault(f"{path}.number", repr(trunk.number), "应为对方的电话号码", '"110"')
        if not _HOST.fullmatch(trunk.host):
            yield Fault(f"{path}.host", repr(trunk.host), "应为 IP 地址或主机名", '"127.0.0.1"')
        if not 1 <= trunk.port <= 65535:
            yield Fault(f"{path}.port", str(trunk.port), "应为 1 到 65535", "5060")
        yield from _name(path, trunk.name, '"市公安局 110"')
    yield from _twice("trunks", (trunk.id for trunk in table.trunks))
    reachable = {trunk.number for trunk in table.trunks if trunk.role == "emergency"}
    for number in EMERGENCY_NUMBERS:
        if number not in reachable:
            example = f'[trunks.emergency-{number}] role = "emergency", number = "{number}"'
            yield Fault("trunks", "", f"没有通往 {number} 的紧急中继", example)


def _people(table: Table, groups: Set[str]) -> Iterator[Fault]:
    for agent in table.agents:
        path = f"agents.{agent.id}"
        if not AGENT_ID.fullmatch(agent.id) or not agent.id.isascii():
            yield Fault(path, "", "工号应为 3 到 8 位数字", "1001")
        yield from _name(path, agent.name, f'"座席{agent.id}"')
        for group in agent.groups:
            if group not in groups:
                yield _absent(f"{path}.groups", group, "技能组", groups)
        yield from _twice(f"{path}.groups", agent.groups)
    yield from _twice("agents", (agent.id for agent in table.agents))
    for seat in table.seats:
        if not SEAT_ID.fullmatch(seat) or not seat.isascii():
            yield Fault("seats", repr(seat), "座席分机应为 3 到 8 位数字", '"8001"')
    yield from _twice("seats", table.seats)
    for seat in table.auto_answer:
        if seat not in table.seats:
            yield _absent("auto_answer", seat, "座席分机", table.seats)
    yield from _twice("auto_answer", table.auto_answer)


def _name(path: str, name: str, example: str) -> Iterator[Fault]:
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        yield Fault(f"{path}.name", repr(name), f"应为 1 到 {LONGEST_NAME} 个可见字符", example)


def _seconds(path: str, seconds: int, low: int = 0) -> Iterator[Fault]:
    if not low <= seconds <= MAX_SECONDS:
        yield Fault(path, str(seconds), f"应为 {low} 到 {MAX_SECONDS} 秒", "20")


def _twice(path: str, ids: Iterable[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for one in ids:
        if one in seen:
            yield Fault(path, repr(one), "出现了两次；请删去一个")
        seen.add(one)


def _absent(path: str, value: str, what: str, known: Iterable[str]) -> Fault:
    choices = sorted(known)
    example = f'"{choices[0]}"' if choices else ""
    return Fault(path, repr(value), f"没有这个{what}；现有 {'、'.join(choices) or '（无）'}", example)
