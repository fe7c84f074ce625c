"""Urgent orders (应急工单): can each type be raised, and is there somebody who hears of it?

One job: the rows of ``departments`` and ``order_types``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from routing.faults import Fault, Severity
from routing.lint.form import LONGEST_NAME, LONGEST_NOTE
from routing.lint.model import Rule, View
from routing.numbers import normalise
from telephony.model import DIALLED, EMERGENCY_NUMBERS, HOTLINE_NUMBER
from telephony.subscribers import may_be_dialled

MOST_PHONES: Final = 20
MOST_DEPARTMENTS: Final = 10
MOST_ROUNDS: Final = 9
DEADLINE_SECONDS: Final = (10, 86_400)
MOST_FINISH_MINUTES: Final = 43_200
"""30 days."""

_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_SPOKEN_NAME: Final = re.compile("[\u4e00-\u9fff]{2,12}")
_URL: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?")
"""No name or password in it: whoever reads the table would know them. The signature proves who we are."""
_NOWHERE: Final = re.compile(r"https?://(?:169\.254\.|22[4-9]\.|23\d\.|0\.|255\.)")

NEVER_DIALLED: Final = "不是手机或固定电话（固话写区号）：境外、短号、声讯、800/400 号码不外拨"


def _departments(view: View) -> Iterator[Fault]:
    ours = {HOTLINE_NUMBER, *EMERGENCY_NUMBERS, *(row.number for row in view.table.numbers)}
    for row in view.table.departments:
        path = f"departments.{row.id}"
        yield from _form(path, row.id, row.note)
        if not row.name.strip() or len(row.name) > LONGEST_NAME or not row.name.isprintable():
            yield Fault(f"{path}.name", repr(row.name), f"应为 1 到 {LONGEST_NAME} 个可见字符", '"供水公司"')
        yield from _twice(f"{path}.phones", row.phones)
        for number in row.phones:
            if not DIALLED.fullmatch(number):
                yield Fault(f"{path}.phones", repr(number), "值班电话应写能拨通的号码", '["06630000001"]')
            elif normalise(number, view.table.area_code) in ours:
                reason = "这是热线自己的或应急中心的号码，不能作值班电话"
                yield Fault(f"{path}.phones", repr(number), reason, '["06630000001"]')
            elif not may_be_dialled(number):
                yield Fault(f"{path}.phones", repr(number), NEVER_DIALLED, '["06630000001"]')
        if len(row.phones) > MOST_PHONES:
            yield Fault(f"{path}.phones", str(len(row.phones)), f"最多 {MOST_PHONES} 个电话", '["06630000001"]')
        if row.url and not _URL.fullmatch(row.url):
            reason = "应为 http 或 https 网址，不带用户名和密码；没有接口就留空"
            yield Fault(f"{path}.url", repr(row.url), reason, '"https://10.0.0.20/orders"')
        elif row.url and _NOWHERE.match(row.url):
            reason = "链路本地、多播或未指定的地址不是部门的接口"
            yield Fault(f"{path}.url", repr(row.url), reason, '"https://10.0.0.20/orders"')
        if not 1 <= row.rounds <= MOST_ROUNDS:
            yield Fault(f"{path}.rounds", str(row.rounds), f"应为 1 到 {MOST_ROUNDS}", "2")


def _order_types(view: View) -> Iterator[Fault]:
    low, high = DEADLINE_SECONDS
    for row in view.table.order_types:
        path = f"order_types.{row.id}"
        yield from _form(path, row.id, row.note)
        if not _SPOKEN_NAME.fullmatch(row.name):
            yield Fault(f"{path}.name", repr(row.name), "应为 2 到 12 个汉字，因为要读给值班员听", '"供水中断"')
        if not low <= row.acknowledge_seconds <= high:
            value = str(row.acknowledge_seconds)
            yield Fault(f"{path}.acknowledge_seconds", value, f"应为 {low} 到 {high} 秒", "300")
        if not 0 <= row.finish_minutes <= MOST_FINISH_MINUTES:
            reason = f"应为 0 到 {MOST_FINISH_MINUTES} 分钟，0 为不设时限"
            yield Fault(f"{path}.finish_minutes", str(row.finish_minutes), reason, "1440")
        if len(row.departments) > MOST_DEPARTMENTS:
            reason = f"最多 {MOST_DEPARTMENTS} 个部门"
            yield Fault(f"{path}.departments", str(len(row.departments)), reason, '["water-supply"]')


def _for_nobody(view: View) -> Iterator[Fault]:
    known = {row.id: row for row in view.table.departments}
    for row in view.table.order_types:
        path = f"order_types.{row.id}.departments"
        yield from _twice(path, row.departments)
        if not row.departments:
            yield Fault(path, "[]", "至少要派给一个部门", '["water-supply"]')
        for department in row.departments:
            if department not in known:
                reason = f"没有这个责任部门；现有 {'、'.join(sorted(known)) or '（无）'}"
                yield Fault(path, repr(department), reason, '["water-supply"]')
            elif not known[department].phones and not known[department].url:
                reason = "这个部门既没有值班电话也没有数据接口，派给它没有人知道；请补上一样"
                yield Fault(path, repr(department), reason, '["water-supply"]')


def _unsafe_address(view: View) -> Iterator[Fault]:
    """https, and never this machine itself, unless this instance allows it."""
    if view.around is None:
        return
    for row in view.table.departments:
        if row.url and _URL.fullmatch(row.url) and (wrong := view.around.push_fault(row.url)):
            yield Fault(f"departments.{row.id}.url", repr(row.url), wrong, '"https://10.0.0.20/orders"')


def _form(path: str, name: str, note: str) -> Iterator[Fault]:
    if not _ID.fullmatch(name):
        yield Fault(path, "", "编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个", "water-supply")
    if len(note) > LONGEST_NOTE or not note.isprintable():
        yield Fault(f"{path}.note", repr(note), f"应为最多 {LONGEST_NOTE} 个可见字符，写在一行里", '"示例，待核"')


def _twice(path: str, keys: Iterable[str]) -> Iterator[Fault]:
    for key, count in Counter(keys).items():
        if count > 1:
            yield Fault(path, repr(key), "写了两次；请删去一个")


RULES: Final = (
    Rule("bad-department", Severity.ERROR, "责任部门写法不对", _departments),
    Rule("push-address", Severity.ERROR, "数据不能推送到这里", _unsafe_address, surroundings=True),
    Rule("bad-order-type", Severity.ERROR, "应急工单类型写法不对", _order_types),
    Rule("order-for-nobody", Severity.ERROR, "应急工单没有人接", _for_nobody),
)
