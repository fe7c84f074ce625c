"""The routing table's rows, fields and values in Chinese, as every screen and message names them.

One job: the words. A test holds them to the fields of routing/model.py, so a new field is named here, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.naming import OVERFLOW_REFERS, Names, refers, setting_refers
from routing.table_rows import Key

MODE_NAMES: Final[Mapping[str, str]] = {"full": "整体并入", "dual": "双号并行", "subcentre": "设分中心"}

KINDS: Final[Mapping[str, str]] = {
    "settings": "总体设置",
    "groups": "技能组",
    "schedules": "班表",
    "holidays": "节假日",
    "known_years": "已导入年份",
    "numbers": "归并号码",
    "trunks": "线路",
    "agents": "座席人员",
    "seats": "话机",
    "rating_keys": "评价按键",
    "pause_reasons": "示忙原因",
    "auto_answer": "自动接听话机",
    "waiting_keys": "等候按键",
    "skills": "技能",
    "head_start_seconds": "优先提前量",
    "partners": "协作单位",
    "callers": "来电名单",
    "announcements": "公告",
    "self_service": "自助查询",
    "departments": "责任部门",
    "order_types": "应急工单类型",
    "wrap_up_codes": "处理结果",
    "never_called": "不外呼号码",
}


def today(title: str) -> str:
    """A title as it is written now, of a file that was written when lines were called 中\u7ee7."""
    return title.replace("中\u7ee7", KINDS["trunks"])


FIELDS: Final[Mapping[str, str]] = {
    "settings.area_code": "区号",
    "settings.greeting": "12345 欢迎语",
    "settings.default_group": "12345 受理组",
    "settings.waiting_news": "等候播报",
    "settings.repeat_minutes": "重复来电（分钟内）",
    "settings.callback": "回拨",
    "settings.message": "留言",
    "settings.nuisance_seconds": "骚扰名单推后秒数",
    "settings.wrap_up_code_required": "必须选处理结果",
    "settings.call_out": "外呼",
    "groups.call_out": "外呼等级",
    "agents.call_out": "外呼等级",
    "never_called.reason": "原因",
    "never_called.until": "有效期至",
    "never_called.note": "备注",
    "groups.name": "名称",
    "groups.ring_seconds": "振铃秒数",
    "groups.wrap_up_seconds": "话后整理秒数",
    "groups.whisper": "接听前播报号码",
    "groups.skills": "所需技能",
    "groups.level_seconds": "每级扩展秒数",
    "groups.language_seconds": "等候语言座席秒数",
    "groups.preferred_seconds": "等候原座席秒数",
    "groups.short_talk_seconds": "接听后断开不算通话（秒内）",
    "groups.overflow": "溢出与兜底",
    "groups.trunk": "分中心线路",
    "groups.capacity": "分中心席位数",
    "groups.schedule": "分中心班表",
    "groups.callback_first": "回拨先呼",
    "groups.closed_days": "不接听的日子",
    "schedules.name": "名称",
    "schedules.periods": "平日时段",
    "schedules.holiday_periods": "节假日时段",
    "holidays.kind": "类别",
    "holidays.name": "名称",
    "numbers.name": "名称",
    "numbers.mode": "归并方式",
    "numbers.group": "受理组",
    "numbers.first_day": "过渡期第一天",
    "numbers.last_day": "过渡期最后一天",
    "numbers.prompt": "过渡期提示音",
    "numbers.prompt_after": "过渡期后提示音",
    "numbers.schedule": "班表",
    "numbers.overflow_group": "溢出组",
    "numbers.overflow_seconds": "溢出秒数",
    "numbers.trunk": "分中心线路",
    "numbers.language": "接听语言",
    "numbers.note": "备注",
    "trunks.role": "用途",
    "trunks.number": "号码",
    "trunks.host": "地址",
    "trunks.port": "端口",
    "trunks.name": "名称",
    "trunks.briefing": "接听后先播报",
    "agents.name": "姓名",
    "agents.groups": "技能组",
    "agents.supervisor": "班长",
    "agents.skills": "技能等级",
    "skills.name": "名称",
    "skills.language": "是语言或方言",
    "head_start_seconds.value": "秒",
    "partners.name": "名称",
    "partners.key": "按键",
    "partners.trunks": "线路",
    "partners.schedule": "班表",
    "partners.ring_seconds": "振铃秒数",
    "partners.note": "备注",
    "announcements.text": "内容",
    "announcements.since": "开始",
    "announcements.until": "结束",
    "announcements.groups": "技能组",
    "announcements.numbers": "号码",
    "announcements.note": "备注",
    "self_service.name": "名称",
    "self_service.text": "内容",
    "self_service.note": "备注",
    "departments.name": "名称",
    "departments.phones": "值班电话",
    "departments.url": "数据接口",
    "departments.rounds": "轮呼遍数",
    "departments.note": "备注",
    "order_types.name": "名称",
    "order_types.departments": "责任部门",
    "order_types.acknowledge_seconds": "签收时限（秒）",
    "order_types.finish_minutes": "办结时限（分钟）",
    "order_types.note": "备注",
    "wrap_up_codes.key": "按键",
    "wrap_up_codes.name": "名称",
    "wrap_up_codes.groups": "技能组",
    "wrap_up_codes.note": "备注",
    "callers.list": "名单",
    "callers.reason": "原因",
    "callers.until": "有效期至",
    "callers.note": "备注",
    "rating_keys.value": "满意度",
    "pause_reasons.value": "原因",
    "waiting_keys.value": "作用",
}
"""``kind.field``; a setting's own key stands for its field."""

CALLER_LISTS: Final[Mapping[str, str]] = {"nuisance": "骚扰名单", "priority": "优先名单", "staff": "内部人员"}

CALL_OUT_CLASSES: Final[Mapping[str, str]] = {
    "none": "不能外呼",
    "local": "本市固话",
    "mobile": "本市固话和手机",
    "national": "国内固话和手机",
}

VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "callers.list": CALLER_LISTS,
    "numbers.mode": MODE_NAMES,
    "holidays.kind": {"workday": "工作日", "weekend": "周末", "holiday": "节假日", "makeup-workday": "调休上班日"},
    "waiting_keys.value": {"callback": "回拨", "message": "留言", "urgent": "情况紧急"},
    "groups.call_out": CALL_OUT_CLASSES,
    "agents.call_out": {"groups": "随技能组", **CALL_OUT_CLASSES},
    "groups.callback_first": {"citizen": "先呼市民", "agent": "先呼座席"},
    "trunks.role": {
        "pstn": "运营商",
        "emergency": "紧急中心",
        "emergency-backup": "紧急中心备用",
        "subcentre": "分中心",
        "utility": "公用事业",
        "neighbour": "邻市 12345",
        "drill": "演练",
    },
}

PARTS: Final[Mapping[str, str]] = {
    "first_seconds": "首次（秒）",
    "every_seconds": "间隔（秒）",
    "trunk": "线路",
    "schedule": "班表",
    "attempts": "最多次数",
    "retry_minutes": "重拨间隔（分）",
    "ring_seconds": "振铃秒数",
    "per_day": "每号每日次数",
    "prefix": "话机字冠",
    "agent_per_hour": "每人每小时次数",
    "number_per_day": "每号每天次数",
    "hotline_per_hour": "全热线每小时次数",
    "lost_seconds": "漏接（振铃满秒数）",
    "lost_callback_minutes": "漏接自动回拨（几分钟后）",
    "hours": "处理时限（小时）",
    "longest_seconds": "最长秒数",
    "silence_seconds": "静音结束秒数",
}
"""Parts of a setting that has several."""

_WEEKDAYS: Final = "一二三四五六日"
NOTHING: Final = "（空）"


def row_words(key: Key, names: Names) -> str:
    """The row as people call it: ``12315`` for a number, ``技能组 市场监管`` for the rest."""
    kind, name = key
    if kind == "numbers":
        return name
    return FIELDS.get(f"{kind}.{name}", name) if kind == "settings" else f"{KINDS.get(kind, kind)} {names.spoken(*key)}"


def field_words(kind: str, field: str) -> str:
    """The field's name on a screen."""
    return FIELDS.get(f"{kind}.{field}", "值" if kind == "settings" else field)


def value_words(kind: str, field: str, value: Any, names: Names, key: str = "") -> str:
    """A plain value as a screen shows it; keys of other rows by their names. ``key``: which setting it is."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "是" if value else "否"
    other = setting_refers(key) if kind == "settings" else refers(kind, field)
    if isinstance(value, list):
        return "、".join(
            _part(each, names) if isinstance(each, dict) else names.spoken(other, str(each)) for each in value
        )
    if isinstance(value, dict):
        if other:
            return "、".join(f"{names.of(other, name)} {level} 级" for name, level in value.items())
        return "、".join(
            f"{PARTS.get(name, name)} {names.of(setting_refers(key, name), str(part)) if part != '' else NOTHING}"
            for name, part in value.items()
        )
    return VALUES.get(f"{kind}.{field}", {}).get(str(value)) or names.spoken(other, str(value))


OVERFLOW_WHEN: Final[Mapping[str, str]] = {
    "waited": "等候满 {} 秒",
    "expected": "预计等候超过 {} 秒",
    "length": "排队超过 {} 个",
    "nobody": "没有人签入且等候满 {} 秒",
}
OVERFLOW_TO: Final[Mapping[str, str]] = {
    "group": "技能组",
    "everyone": "全部座席",
    "subcentre": "分中心",
    "duty-phone": "值班电话",
    "callback": "回拨",
    "message": "留言",
}


def overflow_words(when: str, value: int, to: str, target: str = "") -> str:
    """One overflow row as people say it, its target by its name: ``等候满 60 秒转技能组 市场监管``."""
    return f"{OVERFLOW_WHEN[when].format(value)}转{OVERFLOW_TO[to]}{f' {target}' if target else ''}"


def _part(row: Mapping[str, Any], names: Names) -> str:
    if row.keys() >= {"when", "value", "to"}:
        target = names.of(OVERFLOW_REFERS.get(row["to"], ""), row.get("target", ""))
        return overflow_words(row["when"], row["value"], row["to"], target)
    return _period(row)


def _period(row: Mapping[str, Any]) -> str:
    if not {"days", "start", "end"} <= row.keys():
        return "，".join(f"{name} {part}" for name, part in row.items())
    days = "".join(_WEEKDAYS[day - 1] for day in row["days"] if 1 <= day <= len(_WEEKDAYS))
    return f"周{days} {_clock(row['start'])}–{_clock(row['end'])}"


def _clock(text: str) -> str:
    return text.removesuffix(":00") if text.count(":") == 2 else text
