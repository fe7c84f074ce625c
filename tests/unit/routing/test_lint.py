"""Every rule of the lint with a table that trips it and one that just does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import partial

import pytest

from ledger.push_address import Allowed
from ledger.push_address import fault as push_fault
from routing.calendar import CITY
from routing.faults import Fault, Severity, TableInvalid
from routing.lint import RULES, LintContext, Sound, examine, lint, require_publishable, require_sound
from routing.lint.days import missing_years, overlaps
from routing.model import (
    Agent,
    Announcement,
    CallbackFirst,
    CallbackPolicy,
    CallerList,
    DayKind,
    Department,
    Group,
    Holiday,
    LegacyNumber,
    ListedCaller,
    MergeMode,
    MessagePolicy,
    NeverCalled,
    OrderType,
    Overflow,
    Period,
    Schedule,
    SelfService,
    Skill,
    Table,
    Trunk,
    WaitingAction,
    WaitingNews,
    WrapUpCode,
)
from routing.sample_table import sample_snapshot, sample_table
from telephony.model import GroupId, OverflowTo, OverflowWhen

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
TODAY = date(2026, 11, 22)
GENERAL, MARKET, EMPTY = GroupId("general"), GroupId("market"), GroupId("empty")
WORKDAYS, DAILY = frozenset(range(1, 6)), frozenset(range(1, 8))
PROMPTS = {SAMPLE.greeting, *(row.prompt for row in SAMPLE.numbers), *(row.prompt_after for row in SAMPLE.numbers)}
PROMPTS |= {f"announcement-{row.id}" for row in SAMPLE.announcements} | {"announcement-typhoon", "announcement-Typhoon"}
SOUNDS = {("zh-CN", prompt): Sound(4.0, "您好，正在为您接通。") for prompt in PROMPTS}
AROUND = LintContext(TODAY, SOUNDS, own_addresses=frozenset({("192.0.2.1", 5060)}), published=sample_snapshot())

Case = Callable[[], tuple[Table, LintContext]]


def table(around: LintContext = AROUND, **changes: object) -> Case:
    return lambda: (replace(SAMPLE, **changes), around)  # type: ignore[arg-type]


def node(key: str, name: str = "社保卡", text: str = "请到窗口办理。", note: str = "") -> SelfService:
    return SelfService(key, name, text, note)


def number(around: LintContext = AROUND, **changes: object) -> Case:
    """The sample with its first row, 12333 full merge, changed."""
    row = replace(SAMPLE.numbers[0], **changes)  # type: ignore[arg-type]
    return table(around, numbers=(row, *SAMPLE.numbers[1:]))


def row_of(digits: str, **changes: object) -> Case:
    rows = tuple(replace(row, **changes) if row.number == digits else row for row in SAMPLE.numbers)  # type: ignore[arg-type]
    return table(numbers=rows)


def group(**changes: object) -> Case:
    return table(groups=(replace(SAMPLE.groups[0], **changes), *SAMPLE.groups[1:]))  # type: ignore[arg-type]


def at_a_site_alone(first: CallbackFirst) -> Case:
    """A group that nobody of ours serves."""
    site = Group(EMPTY, "税务", trunk="subcentre-12366", capacity=2, callback_first=first)
    return table(
        groups=(*SAMPLE.groups, site),
        numbers=(replace(SAMPLE.numbers[0], overflow_group=EMPTY), *SAMPLE.numbers[1:]),
    )


def two_sites(first: str, second: str) -> Case:
    sites = [replace(row, trunk=site, capacity=2) for row, site in zip(SAMPLE.groups, (first, second), strict=False)]
    return table(groups=(*sites, *SAMPLE.groups[2:]))


def site_called(number: str, **changes: object) -> Case:
    """The default group has three places at a sub-centre where this number is dialled."""
    trunks = tuple(replace(one, number=number) if one.id == "subcentre-12366" else one for one in SAMPLE.trunks)
    groups = (replace(SAMPLE.groups[0], trunk="subcentre-12366", capacity=3), *SAMPLE.groups[1:])
    return table(AROUND, trunks=trunks, groups=groups, **changes)


def trunk(name: str, around: LintContext = AROUND, **changes: object) -> Case:
    trunks = tuple(replace(one, **changes) if one.id == name else one for one in SAMPLE.trunks)  # type: ignore[arg-type]
    return table(around, trunks=trunks)


def partner(**changes: object) -> Case:
    return table(partners=(replace(SAMPLE.partners[0], **changes), *SAMPLE.partners[1:]))  # type: ignore[arg-type]


def pushed(url: str) -> Case:
    def made() -> tuple[Table, LintContext]:
        examined, around = department(url=url)()
        return examined, replace(around, push_fault=partial(push_fault, allowed=Allowed()))

    return made


def department(row_id: str = "d", **changes: object) -> Case:
    row = replace(Department(row_id, "值班室", ("8768123",)), **changes)  # type: ignore[arg-type]
    return table(departments=(*SAMPLE.departments, row))


def order_type(row_id: str = "t", **changes: object) -> Case:
    row = replace(OrderType(row_id, "火灾隐患", ("fire-safety",)), **changes)  # type: ignore[arg-type]
    return table(order_types=(*SAMPLE.order_types, row))


def wrap_up_code(row_id: str = "c", **changes: object) -> Case:
    row = replace(WrapUpCode(row_id, "7", "转办"), **changes)  # type: ignore[arg-type]
    return table(wrap_up_codes=(*SAMPLE.wrap_up_codes, row))


def wrap_up_codes(count: int, *groups: GroupId) -> Case:
    keys = "0123456789abcdefghijklmnop"
    return table(wrap_up_codes=tuple(WrapUpCode(f"c{n}", keys[n], "转办", groups) for n in range(count)))


def to_the_silent(url: str = "") -> Case:
    """An order for a department without a telephone."""
    departments = (*SAMPLE.departments, Department("d", "值班室", url=url))
    return table(departments=departments, order_types=(OrderType("t", "火灾隐患", ("d",)),))


def hours(*periods: Period) -> Case:
    return table(schedules=(replace(SAMPLE.schedules[0], periods=periods), *SAMPLE.schedules[1:]))


def agent(*groups: GroupId) -> Case:
    return table(agents=(Agent("1001", "座席1001", groups), *SAMPLE.agents[1:]))


def skilled(**skills: int) -> Case:
    return table(agents=(replace(SAMPLE.agents[0], skills=skills), *SAMPLE.agents[1:]))


def group_asks_law() -> Case:
    groups = (replace(SAMPLE.groups[0], skills=("law",)), *SAMPLE.groups[1:])
    return table(skills=(*SAMPLE.skills, LAW), groups=groups)


def nobody_speaks(language: str) -> Case:
    """12333 asks for a language that only the last agent speaks, who is gone."""
    rows = (replace(SAMPLE.numbers[0], language=language), *SAMPLE.numbers[1:])
    return table(numbers=rows, agents=SAMPLE.agents[:-1])


def overflows(to: OverflowTo, target: str = "") -> Case:
    return group(overflow=(Overflow(OverflowWhen.WAITED, 60, to, target),))


def sound(prompt: str, said: Sound | None, **changes: object) -> Case:
    sounds = {key: value for key, value in SOUNDS.items() if key[1] != prompt}
    if said is not None:
        sounds["zh-CN", prompt] = said
    return table(replace(AROUND, sounds=sounds, **changes))  # type: ignore[arg-type]


def on(day: date, *years: int) -> Case:
    return table(replace(AROUND, today=day), known_years=years)


def unstaffed(overflow: GroupId | None, agents: tuple[Agent, ...] = SAMPLE.agents) -> Case:
    """12333 answered by a group without agents."""
    rows = (replace(SAMPLE.numbers[0], group=EMPTY, overflow_group=overflow), *SAMPLE.numbers[1:])
    groups = (*SAMPLE.groups, Group(EMPTY, "空组"), Group(GroupId("bare"), "也空"))
    return table(numbers=rows, groups=groups, agents=agents)


def extra_number(written: str) -> Case:
    row = LegacyNumber(written, "另一条", MergeMode.FULL, GENERAL, None, None, "greeting-12345", "greeting-12345")
    return table(numbers=(*SAMPLE.numbers, row))


def listed(number: str = "13800000001", **changes: object) -> Case:
    row = ListedCaller(number, CallerList.NUISANCE, "一天来电 30 次", TONIGHT)
    return table(callers=(replace(row, **changes),))  # type: ignore[arg-type]


def calls_out(**changes: object) -> Case:
    return table(call_out=replace(SAMPLE.call_out, **changes))  # type: ignore[arg-type]


NOT_CALLED = NeverCalled("13800138000", "本人要求不再回访")


def never_called(**changes: object) -> Case:
    return table(never_called=(replace(NOT_CALLED, **changes),))  # type: ignore[arg-type]


def announces(**changes: object) -> Case:
    return table(announcements=(replace(TYPHOON, **changes),))  # type: ignore[arg-type]


def announced(*seconds: float, apart: bool = False, **changes: object) -> Case:
    """One announcement for each length, at the same time, or one day after the other; 4 s of greeting before them."""
    first = replace(TYPHOON, **changes)  # type: ignore[arg-type]
    day = timedelta(days=1) if apart else timedelta(0)
    rows = [first, *(replace(first, id="b", since=TONIGHT + day, until=TONIGHT + DAY + day) for _ in seconds[1:])]
    named = {("zh-CN", f"announcement-{row.id}"): Sound(s, "公告。") for row, s in zip(rows, seconds, strict=True)}
    return table(replace(AROUND, sounds={**SOUNDS, **named}), announcements=tuple(rows))


DAY = timedelta(days=1)
TONIGHT = datetime(2026, 11, 22, tzinfo=CITY)
TYPHOON = Announcement("typhoon", "受台风影响。", TONIGHT, TONIGHT + DAY)
LAW = Skill("law", "劳动法")
MORNING = Period(WORKDAYS, time(8, 30), time(12))
NIGHT = Period(frozenset({7}), time(22), time(6))
LAST = SAMPLE.numbers[0].last_day
assert LAST is not None

# rule -> (a table that trips it, where, words of its message), (tables that just do not)
CASES: dict[str, tuple[list[tuple[Case, str, str]], list[Case]]] = {
    "bad-area-code": ([(table(area_code="663"), "area_code", '"0663"')], [table(area_code="020"), table(area_code="")]),
    "bad-prompt-id": (
        [
            (number(prompt="../x"), "numbers.12333.prompt", "legacy-12333-during"),
            (table(greeting="a&b"), "greeting", "连字符"),
            (number(prompt="a" * 61), "numbers.12333.prompt", "连字符"),
        ],
        [number(prompt="a" * 60), number(prompt="9-x")],
    ),
    "bad-rating-key": (
        [
            (table(rating_keys={"10": 5}), "rating_keys.10", "一个数字键"),
            (table(rating_keys={"5": 6}), "rating_keys.5", "1（非常不满意）到 5"),
            (table(rating_keys={"5": 0}), "rating_keys.5", "1（非常不满意）到 5"),
        ],
        [table(rating_keys={"0": 5, "9": 1})],
    ),
    "bad-pause-reason": (
        [
            (table(pause_reasons={"*": "小休"}), "pause_reasons.*", "一个数字键"),
            (table(pause_reasons={"1": "tea"}), "pause_reasons.1", "1 到 10 个汉字"),
        ],
        [table(pause_reasons={"0": "一二三四五六七八九十"})],
    ),
    "bad-waiting-key": (
        [(table(waiting_keys={"*": WaitingAction.URGENT}), "waiting_keys.*", "一个数字键")],
        [table(waiting_keys={"0": WaitingAction.URGENT})],
    ),
    "bad-self-service": (
        [
            (table(self_service=(node("*"),)), "self_service.*", "一个数字键"),
            (table(self_service=(node("9"),), waiting_keys={"9": WaitingAction.URGENT}), "self_service.9", "别的作用"),
            (table(self_service=(node("4", name="SIM"),)), "self_service.4.name", "2 到 12 个汉字"),
            (table(self_service=(node("4", text="a" * 3),)), "self_service.4.text", "1 到 300 个汉字"),
            (table(self_service=(node("4", note="\n"),)), "self_service.4.note", "一行"),
        ],
        [table(self_service=(node("4", name="一二三四五六七八九十一二", text="好" * 300), node("0")))],
    ),
    "bad-message": (
        [(table(message=MessagePolicy(hours=0)), "message.hours", "1 到 168")],
        [table(message=MessagePolicy(hours=168))],
    ),
    "bad-callback": (
        [
            (table(callback=CallbackPolicy(attempts=10)), "callback.attempts", "1 到 9"),
            (table(callback=CallbackPolicy(ring_seconds=41)), "callback.ring_seconds", "5 到 40"),
        ],
        [table(callback=CallbackPolicy(attempts=9, per_day=0))],
    ),
    "bad-id": (
        [
            (group(id="General"), "groups.General", "小写字母开头"),
            (group(id="all"), "groups.all", "不是 all"),
            (table(seats=("80",)), "seats", "3 到 8 位"),
            (table(seats=("８００１",)), "seats", "3 到 8 位"),
            (table(agents=(*SAMPLE.agents, Agent("a1", "甲", (GENERAL,)))), "agents.a1", "工号"),
            (table(schedules=(*SAMPLE.schedules, Schedule("班", "班", ()))), "schedules.班", "小写字母"),
        ],
        [
            table(seats=("800", "80000000")),
            *(table(groups=(*SAMPLE.groups, Group(GroupId(one), "长"))) for one in ("g" * 40, "all-day")),
        ],
    ),
    "bad-name": (
        [
            (number(name=" "), "numbers.12333.name", "60 个可见字符"),
            (number(name="社" * 61), "numbers.12333.name", "60 个可见字符"),
            (group(name="综合\n受理"), "groups.general.name", "可见字符"),
        ],
        [number(name="社" * 60), number(name="人社 <&>")],
    ),
    "bad-seconds": (
        [
            (group(ring_seconds=4), "groups.general.ring_seconds", "5 到 3600"),
            (group(wrap_up_seconds=3601), "groups.general.wrap_up_seconds", "0 到 3600"),
            (number(overflow_seconds=-1), "numbers.12333.overflow_seconds", "0 到 3600"),
            (table(waiting_news=WaitingNews(30, 19)), "waiting_news.every_seconds", "20 到 3600"),
        ],
        [group(ring_seconds=5, wrap_up_seconds=0), number(overflow_seconds=3600), number(overflow_seconds=0)],
    ),
    "bad-days": (
        [
            (hours(replace(MORNING, days=frozenset({8}))), "schedules.office.periods[0].days", "7（周日）"),
            (hours(MORNING, replace(MORNING, days=frozenset())), "schedules.office.periods[1].days", "7（周日）"),
        ],
        [hours(replace(MORNING, days=frozenset({7})))],
    ),
    "bad-holiday-kind": (
        [(table(holidays=(Holiday(date(2026, 12, 12), DayKind.WEEKEND),)), "holidays.2026-12-12", "只写节假日")],
        [table(holidays=(Holiday(date(2026, 12, 12), DayKind.MAKEUP_WORKDAY),))],
    ),
    "bad-date": (
        [
            (number(first_day=date(1999, 12, 31)), "numbers.12333.first_day", "2000 年到 2100 年"),
            (number(last_day=date(2101, 1, 1)), "numbers.12333.last_day", "2000 年到 2100 年"),
            (table(holidays=(Holiday(date(206, 10, 1), DayKind.HOLIDAY),)), "holidays.0206-10-01", "2000 年"),
        ],
        [number(first_day=date(2000, 1, 1), last_day=date(2100, 12, 31)), number(first_day=None, last_day=None)],
    ),
    "bad-note": (
        [
            (number(note="待" * 201), "numbers.12333.note", "最多 200 个"),
            (number(note="一\n二"), "numbers.12333.note", "一行"),
        ],
        [number(note="待" * 200), number(note="")],
    ),
    "bad-level": (
        [
            (skilled(teochew=0), "agents.1001.skills.teochew", "1（最好）"),
            (skilled(teochew=10), "agents.1001.skills.teochew", "9"),
        ],
        [skilled(teochew=1), skilled(teochew=9)],
    ),
    "bad-priority": (
        [
            (table(head_start_seconds={"vip": 60}), "head_start_seconds.vip", "repeat、listed、dropped、centre"),
            (table(head_start_seconds={"first": 60}), "head_start_seconds.first", "之一"),
            (table(repeat_minutes=1441), "repeat_minutes", "1440"),
        ],
        [table(head_start_seconds={}), table(repeat_minutes=0), table(repeat_minutes=1440)],
    ),
    "never-matches": (
        [
            (extra_number("0663-12399"), "numbers.0663-12399", "例如 12399"),
            (extra_number("+8612399"), "numbers.+8612399", "例如 12399"),
            (extra_number("12399转1"), "numbers.12399转1", "永远匹配不到"),
        ],
        [extra_number("12399"), extra_number("075412399"), extra_number("8768123")],
    ),
    "bad-partner": (
        [
            (partner(key="110"), "partners.water.key", "首位 4 到 9"),
            (partner(key="371"), "partners.water.key", "首位 4 到 9"),
            (partner(key="70"), "partners.water.key", "三位数字"),
            (partner(name="供水 A"), "partners.water.name", "读给人听"),
            (partner(ring_seconds=4), "partners.water.ring_seconds", "5 到 120"),
        ],
        [partner(key="999"), partner(name="供水96116"), partner(ring_seconds=5)],
    ),
    "bad-trunk": (
        [
            (trunk("pstn", role="carrier"), "trunks.pstn.role", "drill 之一"),
            (trunk("pstn", port=65536), "trunks.pstn.port", "65535"),
            (trunk("pstn", host="a b"), "trunks.pstn.host", "IP 地址"),
            (trunk("emergency-110", number="110;x"), "trunks.emergency-110.number", "电话号码"),
            (trunk("pstn", id="8001"), "trunks.8001", "小写字母开头"),
            (trunk("emergency-110-backup", briefing=True), "trunks.emergency-110-backup.briefing", "主线路"),
            (trunk("utility-water", briefing=True), "trunks.utility-water.briefing", "主线路"),
        ],
        [
            trunk("emergency-110", briefing=True),
            trunk("pstn", port=65535),
            trunk("pstn", host="pbx.example.cn", port=1),
        ],
    ),
    "unknown-reference": (
        [
            (number(group="gone"), "numbers.12333.group", "现有 general"),
            (number(overflow_group="gone"), "numbers.12333.overflow_group", "没有这个技能组"),
            (row_of("12315", schedule="gone"), "numbers.12315.schedule", "没有这个班表"),
            (table(default_group="gone"), "default_group", "没有这个技能组"),
            (table(auto_answer=("8099",)), "auto_answer", "没有这个座席分机"),
            (agent(GENERAL, GroupId("gone")), "agents.1001.groups", "没有这个技能组"),
            (partner(schedule="gone"), "partners.water.schedule", "没有这个班表"),
            (partner(trunks=()), "partners.water.trunks", "至少要有一条线路"),
            (partner(trunks=("emergency-110",)), "partners.water.trunks", "公用事业、分中心或邻市线路"),
        ],
        [number(group="market"), number(overflow_group="market"), row_of("12315", schedule="")],
    ),
    "unknown-skill": (
        [
            (skilled(law=1), "agents.1001.skills", "没有这个技能"),
            (group(skills=("law",)), "groups.general.skills", "现有 cantonese"),
            (number(language="law"), "numbers.12333.language", "语言技能"),
            (
                table(skills=(*SAMPLE.skills, LAW), numbers=(replace(SAMPLE.numbers[0], language="law"),)),
                "numbers.12333.language",
                "语言技能",
            ),
        ],
        [skilled(hakka=1), number(language="hakka")],
    ),
    "bad-overflow-target": (
        [
            (overflows(OverflowTo.GROUP, "gone"), "groups.general.overflow[0].target", "没有这个技能组"),
            (overflows(OverflowTo.SUBCENTRE, "pstn"), "groups.general.overflow[0].target", "分中心线路"),
            (overflows(OverflowTo.DUTY_PHONE, ""), "groups.general.overflow[0].target", "值班电话"),
            (overflows(OverflowTo.DUTY_PHONE, "06630000000/"), "groups.general.overflow[0].target", "值班电话"),
            (overflows(OverflowTo.DUTY_PHONE, "06630000000/12345"), "groups.general.overflow[0].target", "热线自己"),
            (overflows(OverflowTo.DUTY_PHONE, "110"), "groups.general.overflow[0].target", "应急中心"),
            (overflows(OverflowTo.DUTY_PHONE, "16888888"), "groups.general.overflow[0].target", "不外拨"),
            (overflows(OverflowTo.DUTY_PHONE, "8768123&0085212345678"), "groups.general.overflow[0].target", "不外拨"),
            (overflows(OverflowTo.CALLBACK, "x"), "groups.general.overflow[0].target", "不用写"),
        ],
        [
            overflows(OverflowTo.GROUP, "market"),
            overflows(OverflowTo.SUBCENTRE, "subcentre-12366"),
            overflows(OverflowTo.DUTY_PHONE, "06630000000/13800000000&13900000000"),
            overflows(OverflowTo.MESSAGE),
        ],
    ),
    "duplicate": (
        [
            (table(numbers=(*SAMPLE.numbers, SAMPLE.numbers[0])), "numbers", "'12333'：出现了两次"),
            (table(seats=("8001", "8001")), "seats", "两次"),
            (agent(GENERAL, GENERAL), "agents.1001.groups", "两次"),
            (table(pause_reasons={"1": "小休", "2": "小休"}), "pause_reasons", "两次"),
            (table(auto_answer=("8001", "8001")), "auto_answer", "两次"),
            (partner(key="702"), "partners.key", "两次"),
            (partner(trunks=("utility-gas",)), "partners.trunks", "两次"),
        ],
        [table(seats=("8001", "80010"))],
    ),
    "shadowed": (
        [
            (extra_number("12345"), "numbers.12345", "请删去这一行"),
            (extra_number("0663-12345"), "numbers.0663-12345", "请删去这一行"),
            (extra_number("066312333"), "numbers.066312333", "与 12333 是同一个号码"),
        ],
        [extra_number("075412345"), extra_number("123456"), extra_number("075412333")],
    ),
    "emergency-touched": (
        [
            (extra_number("110"), "numbers.110", "紧急号码不归并"),
            (extra_number("0663120"), "numbers.0663120", "紧急号码不归并"),
            (table(seats=("8001", "119")), "seats", "拨不通紧急中心"),
            (table(agents=(*SAMPLE.agents, Agent("122", "甲", (GENERAL,)))), "agents.122", "紧急号码"),
            (trunk("emergency-110", number="12345"), "trunks.emergency-110.number", "只能拨 110"),
        ],
        [extra_number("1100"), table(seats=("8001", "1190")), trunk("utility-water", number="96110")],
    ),
    "drill-not-apart": (
        [
            (trunk("drill-110", number="12345"), "trunks.drill-110.number", "替代哪个中心"),
            (trunk("drill-110", port=15110), "trunks.drill-110.host", "与 emergency-110 是同一个地址"),
        ],
        [trunk("drill-110", number="119"), trunk("drill-110", port=15919)],
    ),
    "target-without-trunk": (
        [
            (row_of("12366", trunk=""), "numbers.12366.trunk", "现有 subcentre-12313"),
            (row_of("12366", trunk="utility-water"), "numbers.12366.trunk", "分中心线路"),
            (trunk("emergency-120", role="emergency-backup"), "trunks", "没有通往 120"),
        ],
        [row_of("12366", trunk="subcentre-12367"), trunk("emergency-120-backup", role="utility")],
    ),
    "trunk-without-target": (
        [(row_of("12315", trunk="subcentre-12366"), "numbers.12315.trunk", "只有设分中心")],
        [row_of("12366", trunk="subcentre-12366")],
    ),
    "emergency-changed": (
        [
            (trunk("emergency-110", host="192.0.2.7"), "trunks.emergency-110", "现在 110@192.0.2.7:15110"),
            (trunk("emergency-110-backup", role="utility"), "trunks.emergency-110-backup", "现在 没有"),
        ],
        [trunk("utility-water", host="192.0.2.7"), trunk("emergency-110", replace(AROUND, published=None), port=1)],
    ),
    "bad-site": (
        [
            (group(trunk="subcentre-12366"), "groups.general.capacity", "应为 1 到 200"),
            (group(trunk="subcentre-12366", capacity=201), "groups.general.capacity", "应为 1 到 200"),
            (group(capacity=3), "groups.general.capacity", "没有写 trunk"),
            (group(schedule="office"), "groups.general.schedule", "没有写 trunk"),
            (group(trunk="pstn", capacity=3), "groups.general.trunk", "现有 subcentre-12313"),
            (group(trunk="subcentre-12366", capacity=3, schedule="nosuch"), "groups.general.schedule", "没有这个班表"),
            (two_sites("subcentre-12366", "subcentre-12366"), "groups.social-security.trunk", "已经用了这个分中心"),
            (site_called("123456"), "trunks.subcentre-12366.number", "3 到 5 位"),
            (site_called("12366", seats=("8001", "12366002")), "groups.general.trunk", "12366002 与座席分机或工号同名"),
        ],
        [
            group(trunk="subcentre-12366", capacity=200, schedule="office"),
            group(trunk="subcentre-12366", capacity=1),
            two_sites("subcentre-12366", "subcentre-12367"),
            site_called("12366", seats=("8001", "12366004")),
        ],
    ),
    "caller-never-matches": (
        [
            (listed("+8613800000001"), "callers.+8613800000001", "13800000001"),
            (listed("06638768123"), "callers.06638768123", "8768123"),
            (listed("匿名"), "callers.匿名", "13800000000"),
        ],
        [listed("8768123"), listed("075412345")],
    ),
    "caller-protected": (
        [(listed("110"), "callers.110", "请删去"), (listed("12345"), "callers.12345", "请删去")],
        [listed("1101"), listed("12333")],
    ),
    "caller-without-reason": (
        [
            (listed(reason=" "), "callers.13800000001.reason", "为什么"),
            (listed(reason="x" * 201), "callers.13800000001.reason", "200"),
            (listed(note="一\n二"), "callers.13800000001.note", "一行"),
        ],
        [listed(reason="x" * 200, note="y" * 200)],
    ),
    "caller-bad-end": (
        [(listed(until=datetime(2101, 1, 1, tzinfo=CITY)), "callers.13800000001.until", "2100")],
        [listed(until=datetime(2100, 12, 31, 23, 59, tzinfo=CITY))],
    ),
    "caller-expired": (
        [(listed(until=TONIGHT - timedelta(microseconds=1)), "callers.13800000001.until", "已到期")],
        [listed(), listed(until=None)],
    ),
    "caller-for-good": (
        [(listed(until=None), "callers.13800000001.until", "换人")],
        [listed(), listed(until=None, list=CallerList.STAFF), listed(until=None, list=CallerList.PRIORITY)],
    ),
    "bad-call-out": (
        [
            (calls_out(prefix="1"), "call_out.prefix", "应急号码"),
            (calls_out(prefix="*"), "call_out.prefix", "2 到 9"),
            (calls_out(prefix="99"), "call_out.prefix", "一个数字"),
            (calls_out(ring_seconds=9), "call_out.ring_seconds", "10 到 120"),
            (calls_out(number_per_day=101), "call_out.number_per_day", "1 到 100"),
            (calls_out(schedule="nights"), "call_out.schedule", "没有这个班表"),
        ],
        [calls_out(prefix=""), calls_out(ring_seconds=10, number_per_day=100, schedule="daily")],
    ),
    "bad-never-called": (
        [
            (never_called(number="+8613800138000"), "never_called.+8613800138000", "13800138000"),
            (never_called(reason=" "), "never_called.13800138000.reason", "为什么不能外呼"),
            (never_called(note="x" * 201), "never_called.13800138000.note", "200"),
            (never_called(until=TONIGHT.replace(year=1999)), "never_called.13800138000.until", "年之间"),
            (table(never_called=(NOT_CALLED, NOT_CALLED)), "never_called.13800138000", "出现了两次"),
        ],
        [never_called(note="x" * 200), never_called(until=TONIGHT)],
    ),
    "never-called-expired": (
        [(never_called(until=TONIGHT - DAY), "never_called.13800138000.until", "已到期")],
        [never_called(until=TONIGHT), never_called(until=None)],
    ),
    "announcement-unsayable": (
        [
            (announces(id="Typhoon"), "announcements.Typhoon", "小写"),
            (announces(text="typhoon!"), "announcements.typhoon.text", "读不出来"),
            (announces(text="风" * 101), "announcements.typhoon.text", "100"),
            (announces(text=""), "announcements.typhoon.text", "受台风影响"),
            (announces(note="x" * 201), "announcements.typhoon.note", "200"),
        ],
        [announces(text="风" * 100, note="x" * 200)],
    ),
    "announcement-times": (
        [
            (announces(until=None), "announcements.typhoon.until", "没有结束"),
            (announces(until=TONIGHT), "announcements.typhoon.until", "一次也不会播"),
            (announces(until=datetime(2101, 1, 1, tzinfo=CITY)), "announcements.typhoon.until", "2100"),
        ],
        [announces(), announces(since=None), announces(since=None, until=None)],
    ),
    "announcement-for-nobody": (
        [
            (announces(groups=(GroupId("nobody"),)), "announcements.typhoon.groups", "没有这个技能组"),
            (announces(numbers=("99999",)), "announcements.typhoon.numbers", "12345"),
        ],
        [announces(groups=(GENERAL,), numbers=("12345", "12333"))],
    ),
    "announcement-over": (
        [(announces(since=None, until=TONIGHT - timedelta(microseconds=1)), "announcements.typhoon.until", "已停播")],
        [announces(since=None, until=TONIGHT)],
    ),
    "announcement-slow": (
        [
            (announced(11.1), "announcements.typhoon.text", "15.1 秒"),
            (announced(6.0, 5.1), "announcements.typhoon.text", "15.1 秒"),
            (announced(11.1, since=None, until=None), "announcements.typhoon.text", "拨 12345"),
        ],
        [announced(11.0), announced(6.0, 5.0), announced(6.0, 5.1, apart=True)],
    ),
    "bad-department": (
        [
            (department("Water"), "departments.Water", "小写字母开头"),
            (department(name=" "), "departments.d.name", "可见字符"),
            (department(note="\n"), "departments.d.note", "一行"),
            (department(phones=("0663-1",)), "departments.d.phones", "能拨通的号码"),
            (department(phones=("0663110",)), "departments.d.phones", "热线自己的或应急中心"),
            (department(phones=("12333",)), "departments.d.phones", "热线自己的或应急中心"),
            *(
                (department(phones=(number,)), "departments.d.phones", "不外拨")
                for number in ("0085212345678", "16888888", "95598", "8008100000", "4008100000", "+13800138000")
            ),
            (department(url="http://169.254.169.254/latest"), "departments.d.url", "链路本地"),
            (department(phones=("8768123", "8768123")), "departments.d.phones", "两次"),
            (department(phones=tuple(str(8768100 + n) for n in range(21))), "departments.d.phones", "最多 20"),
            (department(url="https://user:secret@10.0.0.1/"), "departments.d.url", "不带用户名和密码"),
            (department(url="ftp://10.0.0.1"), "departments.d.url", "http 或 https"),
            (department(rounds=0), "departments.d.rounds", "1 到 9"),
            (department(rounds=10), "departments.d.rounds", "1 到 9"),
        ],
        [department(phones=("+8613800000001", "8768123"), rounds=9), department(url="http://10.0.0.1:8080/a?b=1")],
    ),
    "push-address": (
        [
            (pushed("https://127.0.0.1/orders"), "departments.d.url", "本机"),
            (pushed("http://10.0.0.20/orders"), "departments.d.url", "push_http"),
        ],
        [pushed("https://10.0.0.20/orders"), pushed("")],
    ),
    "bad-order-type": (
        [
            (order_type("9"), "order_types.9", "小写字母开头"),
            (order_type(name="SOS"), "order_types.t.name", "2 到 12 个汉字"),
            (order_type(note="好" * 201), "order_types.t.note", "一行"),
            (order_type(acknowledge_seconds=9), "order_types.t.acknowledge_seconds", "10 到 86400"),
            (order_type(acknowledge_seconds=86_401), "order_types.t.acknowledge_seconds", "10 到 86400"),
            (order_type(finish_minutes=-1), "order_types.t.finish_minutes", "0 到 43200"),
            (order_type(finish_minutes=43_201), "order_types.t.finish_minutes", "0 到 43200"),
            (order_type(departments=tuple("abcdefghijk")), "order_types.t.departments", "最多 10"),
        ],
        [
            *(order_type(acknowledge_seconds=seconds) for seconds in (10, 86_400)),
            *(order_type(finish_minutes=minutes) for minutes in (0, 43_200)),
        ],
    ),
    "order-for-nobody": (
        [
            (order_type(departments=()), "order_types.t.departments", "至少要派给一个部门"),
            (order_type(departments=("gone",)), "order_types.t.departments", "没有这个责任部门"),
            (order_type(departments=("fire-safety", "fire-safety")), "order_types.t.departments", "两次"),
            (to_the_silent(), "order_types.t.departments", "没有人知道"),
        ],
        [order_type(departments=("fire-safety", "emergency-office")), to_the_silent(url="http://10.0.0.1")],
    ),
    "bad-wrap-up-code": (
        [
            (wrap_up_code("9"), "wrap_up_codes.9", "小写字母开头"),
            (wrap_up_code("-"), "wrap_up_codes.-", "小写字母开头"),
            (wrap_up_code(key="10"), "wrap_up_codes.c.key", "一个数字或一个小写字母"),
            (wrap_up_code(key="A"), "wrap_up_codes.c.key", "一个数字或一个小写字母"),
            (wrap_up_code(name=" "), "wrap_up_codes.c.name", "可见字符"),
            (wrap_up_code(name="一二三四五六七八九十一二三"), "wrap_up_codes.c.name", "1 到 12"),
            (wrap_up_code(note="\n"), "wrap_up_codes.c.note", "一行"),
        ],
        [wrap_up_code(key="z", name="一二三四五六七八九十一二")],
    ),
    "wrap-up-code-of-no-group": (
        [(wrap_up_code(groups=(EMPTY,)), "wrap_up_codes.c.groups", "没有这个技能组")],
        [wrap_up_code(groups=(MARKET, GENERAL))],
    ),
    "wrap-up-code-key-twice": (
        [
            (wrap_up_code(key="1"), "wrap_up_codes.c.key", "与 answered（当场答复）是同一个键"),
            (wrap_up_code(key="j", groups=(MARKET,)), "wrap_up_codes.c.key", "技能组 market"),
            (wrap_up_codes(17), "wrap_up_codes.c16", "最多 16"),
        ],
        [wrap_up_code(key="j", groups=(GENERAL,)), wrap_up_codes(16)],
    ),
    "wrap-up-code-missing": (
        [
            (table(wrap_up_code_required=True, wrap_up_codes=()), "wrap_up_code_required", "没有处理结果可选"),
        ],
        [table(wrap_up_code_required=True), table(wrap_up_codes=())],
    ),
    "no-human": (
        [
            (table(seats=()), "seats", "请添加分机"),
            (table(agents=(Agent("1001", "座席", (MARKET,)),)), "default_group", "请在座席人员中给它派人"),
        ],
        [table(seats=("8001",)), table(agents=(Agent("1001", "座席", (GENERAL,)),))],
    ),
    "dead-end": (
        [(unstaffed(GroupId("bare")), "numbers.12333.group", "一直等下去")],
        [unstaffed(GENERAL), unstaffed(None), unstaffed(MARKET)],
    ),
    "loop": (
        [
            (number(overflow_group=SAMPLE.numbers[0].group), "numbers.12333.overflow_group", "溢出到了它自己"),
            (trunk("neighbour-0754", host="192.0.2.1", port=5060), "trunks.neighbour-0754.host", "本机接来电的地址"),
        ],
        [number(overflow_group=GENERAL), trunk("neighbour-0754", host="192.0.2.1", port=5061)],
    ),
    "group-without-agents": (
        [(unstaffed(None), "groups.empty", "白等 20 秒")],
        [unstaffed(None, agents=(*SAMPLE.agents, Agent("1011", "座席", (EMPTY,))))],
    ),
    "agent-without-skills": ([(agent(), "agents.1001.groups", "接不到电话")], [agent(GENERAL)]),
    "skill-without-agents": (
        [
            (group_asks_law(), "groups.general.skills", "劳动法"),
            (nobody_speaks("hakka"), "numbers.12333.language", "客家话"),
        ],
        [number(language="hakka"), group(skills=("teochew",))],
    ),
    "unreachable": (
        [
            (table(groups=(*SAMPLE.groups, Group(EMPTY, "空组"))), "groups.empty", "没有号码会进这个组"),
            (table(schedules=(*SAMPLE.schedules, Schedule("x", "班", (MORNING,)))), "schedules.x", "没有号码用它"),
            (row_of("12366", trunk="subcentre-12367"), "trunks.subcentre-12366", "没有号码会转到这个分中心"),
            (number(schedule="office"), "numbers.12333.schedule", "不看班表"),
            (row_of("12366", overflow_group=MARKET), "numbers.12366.overflow_group", "12345 受理组"),
            (hours(), "numbers.12329.schedule", "永远接不到"),
            (at_a_site_alone(CallbackFirst.AGENT), "groups.empty.callback_first", "分中心的席位不能先呼"),
        ],
        [
            at_a_site_alone(CallbackFirst.CITIZEN),
            group(callback_first=CallbackFirst.AGENT),
            row_of("12366", overflow_group=GENERAL),
            hours(MORNING),
            table(
                groups=(*SAMPLE.groups, Group(EMPTY, "空组")),
                numbers=(replace(SAMPLE.numbers[0], overflow_group=EMPTY), *SAMPLE.numbers[1:]),
            ),
        ],
    ),
    "transition-reversed": (
        [(number(first_day=LAST, last_day=date(2027, 6, 29)), "numbers.12333.last_day", "早于第一天 2027-06-30")],
        [number(first_day=LAST, last_day=LAST), number(first_day=LAST, last_day=None)],
    ),
    "transition-ending": (
        [
            (number(last_day=date(2026, 12, 6)), "numbers.12333.last_day", "14 天后结束"),
            (number(last_day=TODAY), "numbers.12333.last_day", "今天结束"),
        ],
        [number(last_day=date(2026, 12, 7)), number(last_day=date(2026, 11, 21)), number(last_day=None)],
    ),
    "overlapping-periods": (
        [
            (
                hours(MORNING, Period(frozenset({5}), time(11, 59), time(13))),
                "schedules.office.periods[1]",
                "周五的时段与 08:30–12:00 重叠",
            ),
            (hours(NIGHT, Period(frozenset({1}), time(5), time(9))), "schedules.office.periods[1]", "周一"),
            (hours(MORNING, MORNING), "schedules.office.periods[1]", "重叠"),
        ],
        [
            hours(MORNING, Period(WORKDAYS, time(12), time(13))),
            hours(MORNING, Period(frozenset({6, 7}), time(8), time(13))),
            hours(NIGHT, Period(frozenset({1}), time(6), time(9))),
            hours(Period(DAILY, time(0), time(0))),
        ],
    ),
    "holidays-missing": (
        [
            (on(date(2026, 12, 1), 2025, 2026), "calendar_years", "没有 2027 年的节假日"),
            (on(date(2027, 1, 1), 2025, 2026), "calendar_years", "没有 2027 年的节假日"),
            (table(holidays=()), "holidays", "却没有一天节假日"),
        ],
        [on(date(2026, 11, 30), 2025, 2026)],
    ),
    "prompts-unmeasured": (
        [(table(replace(AROUND, sounds=None)), "greeting", "hotline prompts build")],
        [table(replace(AROUND, sounds={}))],
    ),
    "slow-to-human": (
        [
            (sound("legacy-12333-during", Sound(15.01)), "numbers.12333.prompt", "15 秒内听不到人工"),
            (sound("greeting-12345", Sound(16.0)), "greeting", "长 16.0 秒"),
        ],
        [sound("legacy-12333-during", Sound(15.0)), sound("unheard", Sound(99.0))],
    ),
    "prompt-missing": (
        [
            (sound("legacy-12333-after", None), "numbers.12333.prompt_after", "recorded/zh-CN/legacy-12333-after.wav"),
            (table(replace(AROUND, languages=("zh-CN", "yue"))), "greeting", "没有这段提示音（yue）"),
        ],
        [sound("unheard", None), table(replace(AROUND, sounds=None))],
    ),
    "menu-gate": (
        [
            (sound("greeting-12345", Sound(4.0, "您好，社保业务请按1，其他请按零。")), "greeting", "不宜设菜单"),
            (sound("legacy-12315-during", Sound(4.0, "投诉按二键")), "numbers.12315.prompt", "不宜设菜单"),
        ],
        [sound("greeting-12345", Sound(4.0, "您好，按照规定，12348已并入12345热线。"))],
    ),
}  # fmt: skip

TRIPS = [(rule, *trip) for rule, (trips, _) in CASES.items() for trip in trips]
PASSES = [(rule, case) for rule, (_, passes) in CASES.items() for case in passes]
KNOWN = {rule.id: rule for rule in RULES}


def of_rule(rule: str, case: Case) -> list[Fault]:
    examined, around = case()
    return [fault for fault in examine(examined, around) if fault.rule == rule]


def test_every_rule_has_a_table_that_trips_it_and_one_that_just_does_not() -> None:
    assert list(CASES) == [rule.id for rule in RULES]
    assert [rule for rule, (trips, passes) in CASES.items() if not trips or not passes] == []


@pytest.mark.parametrize(("rule", "case", "path", "says"), TRIPS)
def test_a_table_trips_the_rule_at_its_place(rule: str, case: Case, path: str, says: str) -> None:
    found = {fault.path: fault for fault in of_rule(rule, case)}
    assert path in found, found
    assert says in str(found[path])
    assert found[path].severity is KNOWN[rule].severity


@pytest.mark.parametrize(("rule", "case"), PASSES)
def test_a_table_just_does_not_trip_the_rule(rule: str, case: Case) -> None:
    assert of_rule(rule, case) == []


@pytest.mark.parametrize(("rule", "case", "path", "says"), TRIPS)
def test_an_admin_reading_the_message_knows_what_to_do(rule: str, case: Case, path: str, says: str) -> None:
    for fault in of_rule(rule, case):
        advice = fault.example or re.search("请|应|只|不能", fault.reason)
        assert advice, fault
        assert re.search("[\u4e00-\u9fff]", fault.reason)


def test_ids_are_stable_words_and_titles_are_chinese() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not re.fullmatch("[a-z]+(-[a-z0-9]+)*", rule.id)] == []
    assert [rule.id for rule in RULES if not re.match("[\u4e00-\u9fff0-9]+", rule.title)] == []


def test_the_sample_has_neither_errors_nor_warnings() -> None:
    assert examine(SAMPLE, AROUND) == ()


def test_errors_block_and_warnings_explain() -> None:
    broken, around = number(group="gone")()
    with pytest.raises(TableInvalid):
        require_sound(broken)
    with pytest.raises(TableInvalid, match=r"numbers\.12333\.group"):
        require_publishable(broken, around)
    ending, around = number(last_day=TODAY)()
    require_sound(ending)
    assert [fault.rule for fault in require_publishable(ending, around)] == ["transition-ending"]


def test_errors_come_before_warnings_and_none_hides_another() -> None:
    bad = replace(
        SAMPLE, seats=("80", "110"), numbers=(replace(SAMPLE.numbers[0], last_day=TODAY), *SAMPLE.numbers[1:])
    )
    found = examine(bad, AROUND)
    assert [fault.rule for fault in found] == ["bad-id", "emergency-touched", "transition-ending"]
    assert [fault.severity for fault in found] == [Severity.ERROR, Severity.ERROR, Severity.WARNING]


def test_without_surroundings_only_the_table_s_own_errors_are_told() -> None:
    assert lint(replace(SAMPLE, known_years=())) == ()
    assert [fault.rule for fault in lint(replace(SAMPLE, seats=()))] == ["no-human"]


@pytest.mark.parametrize(
    ("today", "missing"),
    [
        (date(2026, 11, 30), ()),
        (date(2026, 12, 1), (2027,)),
        (date(2026, 12, 31), (2027,)),
        (date(2027, 1, 1), (2027,)),
        (date(2027, 12, 1), (2027, 2028)),
    ],
)
def test_the_alarm_for_next_year_s_holidays_begins_on_the_first_of_december(
    today: date, missing: tuple[int, ...]
) -> None:
    assert missing_years((2025, 2026), today) == missing


def test_each_overlapping_pair_is_told_once_and_neighbours_hide_none() -> None:
    long = Period(DAILY, time(6), time(22))
    assert {pair[:2] for pair in overlaps((long, MORNING, Period(WORKDAYS, time(14), time(15))))} == {(0, 1), (0, 2)}
    assert list(overlaps(())) == []


def test_ten_thousand_numbers_are_judged_within_the_suite_s_patience() -> None:
    rows = tuple(replace(SAMPLE.numbers[0], number=str(80000000 + place)) for place in range(10_000))
    assert lint(replace(SAMPLE, numbers=rows)) == ()
    assert len(examine(replace(SAMPLE, numbers=(*rows[:-1], replace(rows[0], group=GroupId("x")))), AROUND)) > 1


def test_a_trunk_s_row_is_one_of_the_table() -> None:
    """The case builders change what they say they change."""
    changed, _ = trunk("pstn", port=1)()
    assert Trunk("pstn", "pstn", "", "127.0.0.1", 1, "运营商") in changed.trunks
