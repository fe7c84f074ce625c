"""The routing table's sheets and columns, as people see them in workbooks, CSV, messages and pictures.

One job: what stands in each column. Which sheets and columns there are comes from the model's own declarations
(routing/table_rows.py), their names from routing/labels_zh.py. What is added here is only advice; a new field works
without any.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Final, get_args, get_origin

from routing.codec import field_types
from routing.labels_zh import FIELDS, KINDS, VALUES
from routing.model import Table
from routing.naming import NO_NAMES, Names, refers
from routing.table_rows import SETTINGS, VALUE, Kind, Shape, kinds, settings

_KEY_TITLES: Final[Mapping[str, str]] = {
    "numbers": "号码",
    "holidays": "日期",
    "agents": "工号",
    "seats": "分机",
    "auto_answer": "分机",
    "known_years": "年份",
    "rating_keys": "按键",
    "pause_reasons": "按键",
    "waiting_keys": "按键",
    "callers": "来电号码",
    "self_service": "按键",
    "never_called": "号码",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What helps somebody who fills in a column for the first time."""

    hint: str = ""
    example: str = ""
    blank: bool = False
    """A text that may be empty although the model has no default."""
    choices: tuple[str, ...] = ()
    """The only codes that make sense, where the type allows more."""


SHEET_HINTS: Final[Mapping[str, str]] = {
    "settings": "整张路由表的单个数值，每行一项。",
    "groups": "谁来接电话。每个来电进一个组，由组里的座席接听。",
    "schedules": "部门或分中心什么时候上班。调休上班日按工作日的时段，节假日只按节假日时段。",
    "holidays": "与平常星期不同的日子：放假的日子和调休上班的周末。每年由国务院公布。",
    "known_years": "节假日已经录入的年份；别的年份按平常星期处理。",
    "numbers": "每个老号码一行：打进来听到什么、谁来接。12345 和 110、119、120、122 不写在这里。",
    "trunks": "通往运营商、紧急中心、分中心等对端的线路。紧急中心的线路改动前必须与对方核实。",
    "agents": "每个工号一行，以及他会接哪些组的电话。",
    "seats": "能签入的话机。",
    "auto_answer": "来电时自动接听的话机，须在“话机”中有。",
    "rating_keys": "好差评：按哪个键是几级。5 非常满意，4 满意，3 基本满意，2 不满意，1 非常不满意。",
    "pause_reasons": "*14 后按的数字是什么原因；第一行也是只拨 *14 的原因。",
    "waiting_keys": "市民等候时按哪个键做什么。",
    "skills": "座席会什么：专长、语言和方言。",
    "partners": "座席按键可以接入通话的单位：水电气、分中心、邻市。110、119、120、122 不写在这里。",
    "head_start_seconds": "哪类来电按早到多少秒排队：repeat 重复来电，listed 优先名单，dropped 通话中断后再来电，"
    "centre 紧急中心来电。",
    "callers": "认得的来电号码。骚扰名单排在后面但一定接通，优先名单排在前面，内部人员只是显示；到期的行自动失效。",
    "announcements": "临时公告：欢迎语之后播放，连同欢迎语不超过 15 秒。开始和结束都空的只是备好，由班长播给所有来电。",
    "departments": "应急工单派给谁：值班电话依次呼叫，按 1 签收；有数据接口的同时推送。",
    "order_types": "应急工单分几类，每类派给哪些部门；前一个部门到时限没有签收，就再派给后一个。",
    "self_service": "市民等候时按一个键听一段说明，听完或有座席空闲时继续原来的排队；没有行就不提供。",
    "never_called": "任何座席都不能外呼的号码，例如本人要求不再回访的；到期的行自动失效。",
    "wrap_up_codes": "话后整理时座席按一个键选这次来电的处理结果；没有行就不问。用过的编号不要改作别的意思。",
}

ADVICE: Final[Mapping[str, Advice]] = {
    "settings.area_code": Advice("本市区号，带 0；没有就留空", "0663", blank=True),
    "settings.greeting": Advice("提示音编号，可用 hotline prompts list 查看", "greeting-12345"),
    "settings.default_group": Advice("接 12345、未知号码和部门下班后来电的技能组", "general"),
    "groups.id": Advice("小写字母开头，只含小写字母、数字和连字符", "social-security"),
    "groups.name": Advice("座席和报表上看到的名字", "社会保障"),
    "groups.ring_seconds": Advice("一个座席振铃多久没接就换下一个，5 到 3600", "20"),
    "groups.wrap_up_seconds": Advice("挂机后多久才派下一个来电，0 到 3600", "10"),
    "groups.whisper": Advice("是：座席接起时先听到市民拨的是哪个老号码", "是"),
    "schedules.id": Advice("小写字母、数字和连字符", "office"),
    "schedules.name": Advice("看得懂的名字", "机关上班时间"),
    "schedules.periods": Advice(
        "星期 起-止，多段用分号隔开；止不含在内，不晚于起即跨过零点", "周一至周五 08:30-12:00；周一至周五 14:30-17:30"
    ),
    "schedules.holiday_periods": Advice("写法相同；留空即节假日不上班", "每天 09:00-17:00"),
    "holidays.day": Advice("年-月-日", "2027-01-01"),
    "holidays.kind": Advice("放假，还是周末调休上班", "节假日", choices=("holiday", "makeup-workday")),
    "holidays.name": Advice("可留空", "元旦"),
    "known_years.key": Advice("四位数字", "2027"),
    "numbers.number": Advice("市内拨打的写法，不带区号", "12333"),
    "numbers.name": Advice("这条线的名字，会读给市民听", "人社"),
    "numbers.mode": Advice(
        "整体并入：直接进技能组；双号并行：上班时间先由部门接；设分中心：转到对方，没人接再收回", "整体并入"
    ),
    "numbers.group": Advice("整体并入、双号并行：谁接；设分中心：没人接时收回到哪里", "general"),
    "numbers.first_day": Advice("含当天；留空即不限", "2026-07-01"),
    "numbers.last_day": Advice("含当天；留空即不限", "2027-06-30"),
    "numbers.prompt": Advice("提示音编号", "legacy-12333-during"),
    "numbers.prompt_after": Advice("提示音编号", "legacy-12333-after"),
    "numbers.schedule": Advice("双号并行、设分中心：部门的上班时间；留空即全天", "office"),
    "numbers.overflow_group": Advice("等久了还可以由谁接；留空即 12345 受理组", "general"),
    "numbers.overflow_seconds": Advice("等多少秒后溢出，0 到 3600", "20"),
    "numbers.trunk": Advice("只有设分中心才填", "subcentre-12366"),
    "numbers.note": Advice("示例行写 示例，待核", "示例，待核"),
    "trunks.id": Advice("小写字母开头，只含小写字母、数字和连字符", "subcentre-12366"),
    "trunks.role": Advice("这条线路通往哪里", "分中心", choices=tuple(VALUES["trunks.role"])),
    "trunks.number": Advice("在对端拨的号码；运营商留空", "12366", blank=True),
    "trunks.host": Advice("对方的 IP 地址或主机名", "192.0.2.10"),
    "trunks.port": Advice("1 到 65535", "5060"),
    "trunks.name": Advice("看得懂的名字", "12366 税务分中心"),
    "trunks.briefing": Advice("是：应急中心接听后先单独听到来电号码，再接通市民；只写在中心的主线路上", "否"),
    "agents.id": Advice("3 到 8 位数字", "1001"),
    "agents.name": Advice("看得懂的名字", "座席1001"),
    "agents.groups": Advice("用顿号隔开，靠前的是专长", "market、general"),
    "groups.skills": Advice("具备这里全部技能的座席也属于这个组，用顿号隔开", "teochew"),
    "groups.level_seconds": Advice("先由 1 级技能接，每过这么多秒放宽一级；0 为不分先后，等级好的优先", "0"),
    "groups.language_seconds": Advice("要求语言的来电最多等会这种语言的座席多久", "60"),
    "groups.preferred_seconds": Advice("重复来电最多等上次的座席多久；0 为不等", "20"),
    "groups.short_talk_seconds": Advice("座席接起后在这么多秒内断开不算通话，市民回到原来的位置；0 为都算", "0"),
    "groups.overflow": Advice(
        "条件:数值:去向:目标，用顿号隔开；条件 waited、expected、length、nobody，"
        "去向 group、everyone、subcentre、duty-phone（几个号码依次用 /，同时用 &）、callback、message",
        "waited:60:everyone",
    ),
    "groups.trunk": Advice("由分中心接听的技能组：通往它的线路；留空即只由自己的座席接", "subcentre-12366"),
    "groups.capacity": Advice("分中心同时能接几个来电，1 到 200；没有分中心写 0", "5"),
    "groups.schedule": Advice("分中心的上班时间；留空即全天", "office"),
    "groups.callback_first": Advice(
        "回拨先呼谁：先呼市民，市民接听后再接通座席；先呼座席，座席接听后再拨市民，市民一接听就有人说话", "先呼市民"
    ),
    "groups.call_out": Advice("组里的座席最远能打到哪里；国际、声讯、短号码从不外呼，110 等只用一键", "本市固话和手机"),
    "agents.call_out": Advice("这个座席最远能打到哪里；随技能组即取所在组中最远的", "随技能组"),
    "never_called.number": Advice("本市号码不带区号", "13800000000"),
    "never_called.reason": Advice("为什么不能打，谁批准的", "本人要求不再回访"),
    "never_called.until": Advice("年-月-日 时:分，北京时间，到这一刻失效；留空即长期", "2026-12-01 18:00"),
    "never_called.note": Advice("示例行写 示例，待核", "示例，待核"),
    "groups.closed_days": Advice("这些日子新来电转 12345 受理组；年-月-日，用顿号隔开", "2027-02-17"),
    "numbers.language": Advice("要求会这种语言的座席接听，写技能编号；空为不要求", "teochew"),
    "agents.skills": Advice("技能:等级，1 最好，用顿号隔开", "teochew:1"),
    "skills.name": Advice("给人看的名字", "潮汕话"),
    "skills.language": Advice("是：语言或方言，可以写进号码的接听语言", "是"),
    "partners.id": Advice("小写字母开头，只含小写字母、数字和连字符", "water"),
    "partners.name": Advice("会读给座席和市民听，只用汉字和数字", "供水"),
    "partners.key": Advice("三位数字，首位 4 到 9；座席按 *701 转接，*3701 三方通话，*2701 直接转出", "701"),
    "partners.trunks": Advice("依次试拨，用顿号隔开；从这些线路来的电话不会再转回去", "utility-water"),
    "partners.schedule": Advice("对方的服务时间；留空即全天", "office"),
    "partners.ring_seconds": Advice("一条线路振铃多久换下一条，5 到 120", "30"),
    "partners.note": Advice("示例行写 示例，待核", "示例，待核"),
    "agents.supervisor": Advice("是：可以监听、插话、接管", "否"),
    "seats.key": Advice("3 到 8 位数字", "8001"),
    "auto_answer.key": Advice("3 到 8 位数字", "8001"),
    "rating_keys.key": Advice("一个数字", "5"),
    "rating_keys.value": Advice("1 到 5", "5"),
    "pause_reasons.key": Advice("一个数字", "1"),
    "pause_reasons.value": Advice("1 到 10 个汉字，会读给座席听", "小休"),
    "waiting_keys.key": Advice("一个数字", "1"),
    "settings.nuisance_seconds": Advice("骚扰名单的来电按晚到多少秒排队，0 到 3600；不会拒接", "600"),
    "announcements.id": Advice("小写字母、数字和连字符", "typhoon"),
    "announcements.text": Advice("只能有汉字、数字和中文标点，越短越好", "受台风影响，部分线路繁忙。"),
    "announcements.since": Advice("年-月-日 时:分，北京时间；留空即发布后就播（须写结束）", "2026-12-01 08:00"),
    "announcements.until": Advice("年-月-日 时:分，北京时间，到这一刻停播", "2026-12-01 18:00"),
    "announcements.groups": Advice("只对进这些组的来电，用顿号隔开；留空即全部", "general"),
    "announcements.numbers": Advice("只对拨这些号码的来电，用顿号隔开，可以写 12345；留空即全部", "12345、12333"),
    "announcements.note": Advice("示例行写 示例，待核", "示例，待核"),
    "self_service.key": Advice("一个数字，不能与“等候按键”相同", "4"),
    "self_service.name": Advice("告诉市民这个键听什么，2 到 12 个汉字", "社保卡办理"),
    "self_service.text": Advice("只能有汉字、数字和中文标点，1 到 300 个字", "办理社保卡，请带本人身份证。"),
    "self_service.note": Advice("示例行写 示例，待核", "示例，待核"),
    "departments.id": Advice("小写字母开头，只含小写字母、数字和连字符", "water-supply"),
    "departments.name": Advice("看得懂的名字", "供水公司"),
    "departments.phones": Advice("依次呼叫，用顿号隔开；不能是热线自己的或应急中心的号码", "06630000001、06630000002"),
    "departments.url": Advice("http 或 https 网址；留空即不推送", "https://10.0.0.20/orders"),
    "departments.rounds": Advice("全部电话轮呼几遍，1 到 9", "2"),
    "departments.note": Advice("示例行写 示例，待核", "示例，待核"),
    "order_types.id": Advice("小写字母开头，只含小写字母、数字和连字符", "water-outage"),
    "order_types.name": Advice("会在值班电话里读出来，2 到 12 个汉字", "供水中断"),
    "order_types.departments": Advice("靠前的先派，用顿号隔开", "water-supply、emergency-office"),
    "order_types.acknowledge_seconds": Advice("每个部门多久之内要签收，10 到 86400", "300"),
    "order_types.finish_minutes": Advice("签收后多久之内要办结，逾时告警；0 到 43200，0 为不设时限", "1440"),
    "order_types.note": Advice("示例行写 示例，待核", "示例，待核"),
    "settings.wrap_up_code_required": Advice("是：座席选了处理结果才能自己结束话后整理；到时间仍会自动结束", "否"),
    "wrap_up_codes.id": Advice("小写字母开头，只含小写字母、数字和连字符", "answered"),
    "wrap_up_codes.key": Advice("一个数字或小写字母，同一组里不能重复", "1"),
    "wrap_up_codes.name": Advice("座席看到的名字，1 到 12 个字", "当场答复"),
    "wrap_up_codes.groups": Advice("只用于进这些组的来电，用顿号隔开；留空即全部", "market"),
    "wrap_up_codes.note": Advice("示例行写 示例，待核", "示例，待核"),
    "callers.number": Advice("来电显示的号码，本市号码不带区号", "13800000000"),
    "callers.list": Advice("骚扰名单：排在后面；优先名单：排在前面；内部人员：只显示", "优先名单"),
    "callers.reason": Advice("为什么列入，谁批准的", "行动不便，经本人申请"),
    "callers.until": Advice("年-月-日 时:分，北京时间，到这一刻失效；留空即长期", "2026-12-01 18:00"),
    "callers.note": Advice("示例行写 示例，待核", "示例，待核"),
}
"""``kind.field``; a key without a name of its own is called ``key``."""

FREE: Final = frozenset({"name", "note"})
"""Fields with text of people, kept as it is; elsewhere spaces around a text are a slip of the hand."""

KEY: Final = "key"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row."""

    name: str
    title: str
    declared: Any = field(compare=False)
    """Its type in the model."""
    empty: Any = field(compare=False)
    """What an empty cell stands for; MISSING when something must be written."""
    words: Mapping[str, str] = field(compare=False, default_factory=dict)
    """Code -> Chinese, where only these may stand."""
    advice: Advice = field(default_factory=Advice)
    refers: str = ""
    """The kind of row whose key must stand here."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One kind of row; the first column is the key."""

    kind: Kind
    title: str
    columns: tuple[Column, ...]

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def first(self) -> Column:
        return self.columns[0]


@cache
def sheets() -> Mapping[str, Sheet]:
    """Every sheet by the name of its kind, in the table's order. Of ``settings`` the columns are its lines."""
    return {kind.name: Sheet(kind, KINDS.get(kind.name, kind.name), tuple(_columns(kind))) for kind in kinds().values()}


def _columns(kind: Kind) -> list[Column]:
    if kind.shape is Shape.VALUE:
        return [_column(kind, name, declared, _default(Table, name)) for name, declared in settings().items()]
    if kind.shape is Shape.RECORDS:
        types = field_types(kind.declared)
        return [_column(kind, name, declared, _default(kind.declared, name)) for name, declared in types.items()]
    key = _column(kind, KEY, kind.key_type, MISSING)
    return [key] if kind.shape is Shape.KEYS else [key, _column(kind, VALUE, kind.declared, MISSING)]


def _column(kind: Kind, name: str, declared: Any, default: Any) -> Column:
    path = f"{kind.name}.{name}"
    advice = ADVICE.get(path, Advice())
    words = VALUES.get(path, {})
    if advice.choices:
        words = {code: words[code] for code in advice.choices}
    title = FIELDS.get(path) or (_KEY_TITLES.get(kind.name, "编号") if name in (kind.key, KEY) else name)
    return Column(name, title, declared, _empty(declared, default, advice), words, advice, refers(kind.name, name))


def _default(owner: Any, name: str) -> Any:
    (found,) = (one for one in fields(owner) if one.name == name)
    return found.default if found.default_factory is MISSING else found.default_factory()


def _empty(declared: Any, default: Any, advice: Advice) -> Any:
    if default is not MISSING:
        return default
    if type(None) in get_args(declared):
        return None
    if get_origin(declared) in (tuple, frozenset):
        return get_origin(declared)()
    return "" if advice.blank else MISSING


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the table a fault's path points, in codes; empty parts are not told by it."""

    table: str = ""
    row: str = ""
    field: str = ""


def place_of(path: str) -> Place:
    """Table, row and field of a path such as ``numbers.12333.group``. A row's key may hold dots itself."""
    head, _, rest = path.partition(".")
    if not rest and head in settings():
        return Place(SETTINGS, head, VALUE)
    sheet = sheets().get({"calendar_years": "known_years"}.get(head, head))
    if sheet is None:
        return Place()
    if sheet.kind.shape is Shape.RECORDS:
        for column in sheet.columns[1:]:
            key, found, tail = rest.rpartition(f".{column.name}")
            if found and (not tail or tail.startswith("[")):
                return Place(sheet.name, key, column.name)
    return Place(sheet.name, rest)


def place_words(path: str, names: Names = NO_NAMES) -> str:
    """The same for people: 归并号码 12333 的“受理组”, 技能组 社会保障 的“振铃秒数”."""
    place = place_of(path)
    sheet = sheets().get(place.table)
    if sheet is None:
        return path
    if place.table == SETTINGS:
        return f"{sheet.title}的“{next(column.title for column in sheet.columns if column.name == place.row)}”"
    title = next((column.title for column in sheet.columns if column.name == place.field), "")
    return (
        sheet.title
        + (f" {names.short(place.table, place.row)}" if place.row else "")
        + (f" 的“{title}”" if title else "")
    )
