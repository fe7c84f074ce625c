"""Calling out (外呼): can its rules hold, and can every number that is never called be recognised?

One job: the setting ``call_out`` and the rows of ``never_called``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from routing.calendar import CITY, city_time
from routing.faults import Fault, Severity
from routing.lint.callers import EXAMPLE, FIRST_YEAR, LAST_YEAR, LONGEST_TEXT
from routing.lint.model import Rule, View
from routing.model import CallOutPolicy
from routing.numbers import normalise

_PREFIX: Final = re.compile(r"[02-9]?", re.ASCII)
"""Never 1, with which the emergency numbers begin, and never *, with which the keys of a phone do."""
_RANGES: Final = (
    ("ring_seconds", 10, 120),
    ("agent_per_hour", 1, 1000),
    ("number_per_day", 1, 100),
    ("hotline_per_hour", 1, 100_000),
    ("lost_seconds", 0, 600),
    ("lost_callback_minutes", 0, 1440),
)


def _policy(view: View) -> Iterator[Fault]:
    policy = view.table.call_out
    if not _PREFIX.fullmatch(policy.prefix):
        reason = "外呼字冠应为一个数字，0 或 2 到 9（1 开头的是应急号码）；留空即不能在话机上外呼"
        yield Fault("call_out.prefix", repr(policy.prefix), reason, '"9"')
    for name, low, high in _RANGES:
        if not low <= (value := getattr(policy, name)) <= high:
            yield Fault(f"call_out.{name}", str(value), f"应为 {low} 到 {high}", str(getattr(CallOutPolicy(), name)))
    if policy.schedule and policy.schedule not in view.schedules:
        known = "、".join(sorted(view.schedules)) or "（无）"
        yield Fault("call_out.schedule", repr(policy.schedule), f"没有这个班表；已有的有 {known}", '"daily"')


def _never_called(view: View) -> Iterator[Fault]:
    for number, times in Counter(row.number for row in view.table.never_called).items():
        if times > 1:
            yield Fault(f"never_called.{number}", "", "出现了两次；请删去一个")
    for row in view.table.never_called:
        path = f"never_called.{row.number}"
        normal = normalise(row.number, view.table.area_code)
        if normal != row.number:
            reason = "这样写挡不住任何外呼：应写不带本市区号、国家码和分隔符的号码"
            yield Fault(path, "", reason, normal or "13800000000")
        if not row.reason.strip() or len(row.reason) > LONGEST_TEXT or not row.reason.isprintable():
            reason = f"要写明为什么不能外呼，1 到 {LONGEST_TEXT} 个可见字符"
            yield Fault(f"{path}.reason", repr(row.reason), reason, '"本人要求不再回访"')
        if len(row.note) > LONGEST_TEXT or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_TEXT} 个可见字符，写在一行里"
            yield Fault(f"{path}.note", repr(row.note), reason, '"示例，待核"')
        if row.until is not None and not FIRST_YEAR <= city_time(row.until).year <= LAST_YEAR:
            yield Fault(f"{path}.until", str(row.until), f"应在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间", EXAMPLE)


def _over(view: View) -> Iterator[Fault]:
    if view.around is None:
        return
    for row in view.table.never_called:
        if row.until is not None and row.until.astimezone(CITY).date() < view.around.today:
            reason = f"{city_time(row.until):%Y-%m-%d %H:%M} 已到期，这一行不再起作用；请删去，或改有效期"
            yield Fault(f"never_called.{row.number}.until", str(row.until), reason, EXAMPLE)


RULES: Final = (
    Rule("bad-call-out", Severity.ERROR, "外呼的规则写法不对", _policy),
    Rule("bad-never-called", Severity.ERROR, "不外呼号码写法不对", _never_called),
    Rule("never-called-expired", Severity.WARNING, "不外呼号码已经到期", _over, surroundings=True),
)
