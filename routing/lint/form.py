"""Does every value look as it must? Ids that are safe in a dialplan, names, seconds, numbers that can match.

One job: each value by itself, without its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from routing.calendar import WEEK
from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import CallbackPolicy, DayKind, MessagePolicy
from telephony.model import (
    AGENT_ID,
    DIALLED,
    EVERY_GROUP,
    GROUP_ID,
    HOTLINE_NUMBER,
    SEAT_ID,
    TRIAL_PHONE,
    Priority,
)

TRUNK_ROLES: Final = ("pstn", "emergency", "emergency-backup", "subcentre", "utility", "neighbour", "drill")
LONGEST_NAME: Final = 60
LONGEST_NOTE: Final = 200
MAX_SECONDS: Final = 3600
LONGEST_PARTNER_RING: Final = 120
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years outside are slips of the hand."""
DAY_MINUTES: Final = 24 * 60
WORST_LEVEL: Final = 9
CLASSES: Final = tuple(
    one.name.lower() for one in (Priority.REPEAT, Priority.LISTED, Priority.DROPPED, Priority.CENTRE)
)
"""Who may have a head start by the table; what we owe somebody ourselves is not for the table to say."""

_AREA_CODE: Final = re.compile(r"0\d{2,3}", re.ASCII)
_PROMPT: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SKILL: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TRUNK: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
"""Not a number: a seat's phone has one, and the two would be one endpoint without a password."""
_SWITCH_OWN: Final = frozenset(
    {
        "global",
        "system",
        "trunks",
        "seats",
        "seats-tcp",
        "pages",
        "trunk",
        "seat",
        "page",
        "browser",
        "hotline-loop",
        TRIAL_PHONE,
    }
)
"""Names of the sections of pjsip.conf that are no trunks."""
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?", re.ASCII)
_KEY: Final = re.compile(r"[0-9]", re.ASCII)
_PARTNER_KEY: Final = re.compile(r"[4-9][0-9]{2}", re.ASCII)
"""Never the beginning of an emergency number's key, nor *2 or *3 and a key, which are other forms of a transfer."""
_PARTNER_NAME: Final = re.compile("[\u4e00-\u9fff0-9]{1,20}")
_NODE_NAME: Final = re.compile("[\u4e00-\u9fff]{2,12}")
_NODE_TEXT: Final = re.compile("[\u4e00-\u9fff0-9，。、；：？！]{1,300}")
_PAUSE_REASON: Final = re.compile("[\u4e00-\u9fff]{1,10}")


def _area_code(view: View) -> Iterator[Fault]:
    code = view.table.area_code
    if code and not _AREA_CODE.fullmatch(code):
        yield Fault("area_code", repr(code), "应为带 0 的区号", '"0663"')


def _prompt_ids(view: View) -> Iterator[Fault]:
    reason = "提示音编号只能有小写字母、数字和连字符"
    if not _PROMPT.fullmatch(view.table.greeting):
        yield Fault("greeting", repr(view.table.greeting), reason, '"greeting-12345"')
    for row in view.table.numbers:
        for key, prompt in (("prompt", row.prompt), ("prompt_after", row.prompt_after)):
            if prompt and not _PROMPT.fullmatch(prompt):  # a number may have nothing to say
                yield Fault(f"numbers.{row.number}.{key}", repr(prompt), reason, f'"legacy-{row.number}-during"')


def _rating_keys(view: View) -> Iterator[Fault]:
    for key, level in view.table.rating_keys.items():
        if not _KEY.fullmatch(key):
            yield Fault(f"rating_keys.{key}", repr(key), "评价按键应为一个数字键", "5 = 5")
        if level not in range(1, 6):
            yield Fault(f"rating_keys.{key}", str(level), "满意度应为 1（非常不满意）到 5（非常满意）", "5 = 5")


def _pause_reasons(view: View) -> Iterator[Fault]:
    for key, name in view.table.pause_reasons.items():
        path = f"pause_reasons.{key}"
        if not _KEY.fullmatch(key):
            yield Fault(path, repr(key), "示忙原因的按键应为一个数字键", '1 = "小休"')
        if not _PAUSE_REASON.fullmatch(name):
            yield Fault(path, repr(name), "示忙原因应为 1 到 10 个汉字，因为要读给座席听", '1 = "小休"')


def _waiting_keys(view: View) -> Iterator[Fault]:
    for key in view.table.waiting_keys:
        if not _KEY.fullmatch(key):
            yield Fault(f"waiting_keys.{key}", repr(key), "等候按键应为一个数字键", '1 = "callback"')


def _self_service(view: View) -> Iterator[Fault]:
    for row in view.table.self_service:
        path = f"self_service.{row.key}"
        if not _KEY.fullmatch(row.key):
            yield Fault(path, repr(row.key), "自助查询的按键应为一个数字键", '"4"')
        if row.key in view.table.waiting_keys:
            yield Fault(path, repr(row.key), "这个键在“等候按键”中已有别的作用；请换一个数字", '"4"')
        if not _NODE_NAME.fullmatch(row.name):
            reason = "自助查询的名称应为 2 到 12 个汉字，因为要读给市民听"
            yield Fault(f"{path}.name", repr(row.name), reason, '"社保卡办理"')
        if not _NODE_TEXT.fullmatch(row.text):
            reason = "内容应为 1 到 300 个汉字、数字和中文标点，否则读不出来"
            yield Fault(f"{path}.text", repr(row.text), reason, '"办理社保卡，请带本人身份证。"')
        if len(row.note) > LONGEST_NOTE or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_NOTE} 个可见字符，写在一行里"
            yield Fault(f"{path}.note", repr(row.note), reason, '"示例，待核"')


def _message(view: View) -> Iterator[Fault]:
    policy = view.table.message
    for name, low, high in (("hours", 1, 168), ("longest_seconds", 10, 600), ("silence_seconds", 2, 60)):
        if not low <= (value := getattr(policy, name)) <= high:
            yield Fault(f"message.{name}", str(value), f"应为 {low} 到 {high}", str(getattr(MessagePolicy(), name)))


def _callback(view: View) -> Iterator[Fault]:
    policy = view.table.callback
    for name, low, high in (
        ("attempts", 1, 9),
        ("retry_minutes", 1, 1440),
        ("ring_seconds", 5, 40),
        ("per_day", 0, 20),
    ):
        if not low <= (value := getattr(policy, name)) <= high:
            yield Fault(f"callback.{name}", str(value), f"应为 {low} 到 {high}", str(getattr(CallbackPolicy(), name)))


def _ids(view: View) -> Iterator[Fault]:
    for group in view.table.groups:
        if not GROUP_ID.fullmatch(group.id) or group.id == EVERY_GROUP:
            reason = (
                f"技能组编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个，且不是 {EVERY_GROUP}（指所有组）"
            )
            yield Fault(f"groups.{group.id}", "", reason, "social-security")
    for skill in view.table.skills:
        if not _SKILL.fullmatch(skill.id):
            reason = "技能编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个"
            yield Fault(f"skills.{skill.id}", "", reason, "teochew")
    for schedule in view.table.schedules:
        if not _ID.fullmatch(schedule.id):
            yield Fault(f"schedules.{schedule.id}", "", "班表编号只能有小写字母、数字和连字符", "office")
    for agent in view.table.agents:
        if not AGENT_ID.fullmatch(agent.id) or not agent.id.isascii():
            yield Fault(f"agents.{agent.id}", "", "工号应为 3 到 8 位数字", "1001")
    for seat in view.table.seats:
        if not SEAT_ID.fullmatch(seat) or not seat.isascii():
            yield Fault("seats", repr(seat), "座席分机应为 3 到 8 位数字", '"8001"')


def _names(view: View) -> Iterator[Fault]:
    named: Iterable[tuple[str, str, str]] = (
        *((f"groups.{group.id}", group.name, '"社会保障"') for group in view.table.groups),
        *((f"schedules.{schedule.id}", schedule.name, '"机关上班时间"') for schedule in view.table.schedules),
        *((f"skills.{skill.id}", skill.name, '"潮汕话"') for skill in view.table.skills),
        *((f"numbers.{row.number}", row.name, '"人社"') for row in view.table.numbers),
        *((f"trunks.{trunk.id}", trunk.name, '"市公安局 110"') for trunk in view.table.trunks),
        *((f"agents.{agent.id}", agent.name, f'"座席{agent.id}"') for agent in view.table.agents),
    )
    for path, name, example in named:
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            yield Fault(f"{path}.name", repr(name), f"应为 1 到 {LONGEST_NAME} 个可见字符", example)


def _seconds(view: View) -> Iterator[Fault]:
    timed: Iterable[tuple[str, int, int]] = (
        *((f"groups.{group.id}.ring_seconds", group.ring_seconds, 5) for group in view.table.groups),
        *((f"groups.{group.id}.wrap_up_seconds", group.wrap_up_seconds, 0) for group in view.table.groups),
        *((f"groups.{group.id}.level_seconds", group.level_seconds, 0) for group in view.table.groups),
        *((f"groups.{group.id}.language_seconds", group.language_seconds, 0) for group in view.table.groups),
        *((f"groups.{group.id}.preferred_seconds", group.preferred_seconds, 0) for group in view.table.groups),
        *((f"groups.{group.id}.short_talk_seconds", group.short_talk_seconds, 0) for group in view.table.groups),
        *(
            (f"groups.{group.id}.overflow[{index}].value", row.value, 0)
            for group in view.table.groups
            for index, row in enumerate(group.overflow)
        ),
        *((f"head_start_seconds.{name}", seconds, 0) for name, seconds in view.table.head_start_seconds.items()),
        *((f"numbers.{row.number}.overflow_seconds", row.overflow_seconds, 0) for row in view.table.numbers),
        ("nuisance_seconds", view.table.nuisance_seconds, 0),
        ("waiting_news.first_seconds", view.table.waiting_news.first_seconds, 0),
        ("waiting_news.every_seconds", view.table.waiting_news.every_seconds, 20),
    )
    for path, seconds, low in timed:
        if not low <= seconds <= MAX_SECONDS:
            yield Fault(path, str(seconds), f"应为 {low} 到 {MAX_SECONDS} 秒", "20")


def _days(view: View) -> Iterator[Fault]:
    for schedule in view.table.schedules:
        for kind, periods in (("periods", schedule.periods), ("holiday_periods", schedule.holiday_periods)):
            for index, period in enumerate(periods):
                if not period.days or not period.days <= WEEK:
                    path = f"schedules.{schedule.id}.{kind}[{index}].days"
                    yield Fault(path, str(sorted(period.days)), "应为 1（周一）到 7（周日）", "[1, 2, 3, 4, 5]")


def _holiday_kinds(view: View) -> Iterator[Fault]:
    for holiday in view.table.holidays:
        if holiday.kind not in (DayKind.HOLIDAY, DayKind.MAKEUP_WORKDAY):
            yield Fault(f"holidays.{holiday.day}", repr(str(holiday.kind)), "只写节假日和调休上班日", '"holiday"')


def _dates(view: View) -> Iterator[Fault]:
    written: Iterable[tuple[str, date | None]] = (
        *((f"numbers.{row.number}.first_day", row.first_day) for row in view.table.numbers),
        *((f"numbers.{row.number}.last_day", row.last_day) for row in view.table.numbers),
        *((f"holidays.{holiday.day}", holiday.day) for holiday in view.table.holidays),
    )
    for path, day in written:
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            yield Fault(path, str(day), f"应在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间", "2026-07-01")


def _notes(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        if len(row.note) > LONGEST_NOTE or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_NOTE} 个可见字符，写在一行里"
            yield Fault(f"numbers.{row.number}.note", repr(row.note), reason, '"示例，待核"')


def _never_matches(view: View) -> Iterator[Fault]:
    for row in view.table.numbers:
        normal = view.normal[row.number]
        if normal == HOTLINE_NUMBER or normal == row.number:
            continue
        reason = "这样写永远匹配不到来电：应写市内拨打的号码，不带区号、国家码和分隔符"
        yield Fault(f"numbers.{row.number}", "", reason, normal or "12333")


def _levels(view: View) -> Iterator[Fault]:
    for agent in view.table.agents:
        for skill, level in agent.skills.items():
            if not 1 <= level <= WORST_LEVEL:
                reason = f"技能等级应为 1（最好）到 {WORST_LEVEL}"
                yield Fault(f"agents.{agent.id}.skills.{skill}", str(level), reason, f"{{ {skill} = 1 }}")


def _priorities(view: View) -> Iterator[Fault]:
    for name in view.table.head_start_seconds:
        if name not in CLASSES:
            reason = f"来电类别应为 {'、'.join(CLASSES)} 之一"
            yield Fault(f"head_start_seconds.{name}", repr(name), reason, "repeat = 60")
    if not 0 <= view.table.repeat_minutes <= DAY_MINUTES:
        yield Fault("repeat_minutes", str(view.table.repeat_minutes), f"应为 0 到 {DAY_MINUTES} 分钟", "30")


def _partners(view: View) -> Iterator[Fault]:
    for row in view.table.partners:
        path = f"partners.{row.id}"
        if not _SKILL.fullmatch(row.id):
            reason = "协作单位编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个"
            yield Fault(path, "", reason, "water")
        if not _PARTNER_NAME.fullmatch(row.name):
            yield Fault(f"{path}.name", repr(row.name), "应为 1 到 20 个汉字或数字，因为要读给人听", '"供水"')
        if not _PARTNER_KEY.fullmatch(row.key):
            yield Fault(f"{path}.key", repr(row.key), "按键应为三位数字，首位 4 到 9", '"701"')
        if not 5 <= row.ring_seconds <= LONGEST_PARTNER_RING:
            reason = f"应为 5 到 {LONGEST_PARTNER_RING} 秒"
            yield Fault(f"{path}.ring_seconds", str(row.ring_seconds), reason, "30")
        if len(row.note) > LONGEST_NOTE or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_NOTE} 个可见字符，写在一行里"
            yield Fault(f"{path}.note", repr(row.note), reason, '"示例，待核"')


def _trunks(view: View) -> Iterator[Fault]:
    for trunk in view.table.trunks:
        path = f"trunks.{trunk.id}"
        if not _TRUNK.fullmatch(trunk.id) or trunk.id in _SWITCH_OWN or trunk.id.endswith("-identify"):
            reason = "线路编号应以小写字母开头，只含小写字母、数字和连字符，且不是交换机自用的名字"
            yield Fault(path, "", reason, "emergency-110")
        if trunk.role not in TRUNK_ROLES:
            yield Fault(f"{path}.role", repr(trunk.role), f"应为 {'、'.join(TRUNK_ROLES)} 之一", '"emergency"')
        if trunk.role != "pstn" and not DIALLED.fullmatch(trunk.number):
            yield Fault(f"{path}.number", repr(trunk.number), "应为对方的电话号码", '"110"')
        if not _HOST.fullmatch(trunk.host):
            yield Fault(f"{path}.host", repr(trunk.host), "应为 IP 地址或主机名", '"127.0.0.1"')
        if not 1 <= trunk.port <= 65535:
            yield Fault(f"{path}.port", str(trunk.port), "应为 1 到 65535", "5060")
        if trunk.briefing and trunk.role != "emergency":
            reason = '只有应急中心的主线路（role = "emergency"）才能先播报，对它的各条线路都有效；请改成 false'
            yield Fault(f"{path}.briefing", "true", reason, "false")


RULES: Final = (
    Rule("bad-area-code", Severity.ERROR, "区号写法不对", _area_code),
    Rule("bad-prompt-id", Severity.ERROR, "提示音编号写法不对", _prompt_ids),
    Rule("bad-rating-key", Severity.ERROR, "评价按键写法不对", _rating_keys),
    Rule("bad-pause-reason", Severity.ERROR, "示忙原因写法不对", _pause_reasons),
    Rule("bad-waiting-key", Severity.ERROR, "等候按键写法不对", _waiting_keys),
    Rule("bad-self-service", Severity.ERROR, "自助查询的按键、名称或内容不对", _self_service),
    Rule("bad-message", Severity.ERROR, "留言的时限或长度超出范围", _message),
    Rule("bad-callback", Severity.ERROR, "回拨的次数或时间超出范围", _callback),
    Rule("bad-id", Severity.ERROR, "编号写法不对", _ids),
    Rule("bad-name", Severity.ERROR, "名称为空、太长或有不可见字符", _names),
    Rule("bad-seconds", Severity.ERROR, "秒数超出范围", _seconds),
    Rule("bad-days", Severity.ERROR, "星期写法不对", _days),
    Rule("bad-holiday-kind", Severity.ERROR, "节假日类别不对", _holiday_kinds),
    Rule("bad-date", Severity.ERROR, "日期不可能", _dates),
    Rule("bad-note", Severity.ERROR, "备注太长或有不可见字符", _notes),
    Rule("bad-level", Severity.ERROR, "技能等级超出范围", _levels),
    Rule("bad-priority", Severity.ERROR, "优先设置不对", _priorities),
    Rule("never-matches", Severity.ERROR, "号码永远匹配不到来电", _never_matches),
    Rule("bad-partner", Severity.ERROR, "协作单位写法不对", _partners),
    Rule("bad-trunk", Severity.ERROR, "线路写法不对", _trunks),
)
