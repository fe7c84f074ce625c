"""Callers on a list: can a row ever count, does it say why, and does it end?

One job: the rows of ``callers``. That nobody on a list is turned away needs no rule: no list can do it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routing.calendar import CITY, city_time
from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import CallerList
from routing.numbers import normalise
from telephony.model import EMERGENCY_NUMBERS, HOTLINE_NUMBER

LONGEST_TEXT: Final = 200
FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Years outside are slips of the hand."""
EXAMPLE: Final = "2026-12-01T18:00:00+08:00"


def _never_matches(view: View) -> Iterator[Fault]:
    for row in view.table.callers:
        normal = normalise(row.number, view.table.area_code)
        if normal != row.number:
            reason = "这样写永远匹配不到来电：应写来电号码，不带本市区号、国家码和分隔符"
            yield Fault(f"callers.{row.number}", "", reason, normal or "13800000000")


def _protected(view: View) -> Iterator[Fault]:
    for row in view.table.callers:
        if normalise(row.number, view.table.area_code) in (*EMERGENCY_NUMBERS, HOTLINE_NUMBER):
            reason = "紧急中心和 12345 自己不能列入名单：紧急中心打来的电话总是最先接；请删去这一行"
            yield Fault(f"callers.{row.number}", "", reason)


def _unexplained(view: View) -> Iterator[Fault]:
    for row in view.table.callers:
        if not row.reason.strip() or len(row.reason) > LONGEST_TEXT or not row.reason.isprintable():
            reason = f"要写明为什么列入名单，1 到 {LONGEST_TEXT} 个可见字符，日后才说得清"
            yield Fault(f"callers.{row.number}.reason", repr(row.reason), reason, '"行动不便，经本人申请"')
        if len(row.note) > LONGEST_TEXT or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_TEXT} 个可见字符，写在一行里"
            yield Fault(f"callers.{row.number}.note", repr(row.note), reason, '"示例，待核"')


def _impossible(view: View) -> Iterator[Fault]:
    for row in view.table.callers:
        if row.until is not None and not FIRST_YEAR <= city_time(row.until).year <= LAST_YEAR:
            reason = f"应在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间"
            yield Fault(f"callers.{row.number}.until", str(row.until), reason, EXAMPLE)


def _over(view: View) -> Iterator[Fault]:
    if view.around is None:
        return
    for row in view.table.callers:
        if row.until is not None and row.until.astimezone(CITY).date() < view.around.today:
            reason = f"{city_time(row.until):%Y-%m-%d %H:%M} 已到期，这一行不再起作用；请删去，或改有效期"
            yield Fault(f"callers.{row.number}.until", str(row.until), reason, EXAMPLE)


def _for_good(view: View) -> Iterator[Fault]:
    for row in view.table.callers:
        if row.list is CallerList.NUISANCE and row.until is None:
            reason = "骚扰名单没有有效期：号码会换人用，新机主会一直排在最后；请写上有效期，到期再看"
            yield Fault(f"callers.{row.number}.until", "", reason, EXAMPLE)


ALONE: Final = (
    Rule("caller-never-matches", Severity.ERROR, "名单号码永远匹配不到来电", _never_matches),
    Rule("caller-protected", Severity.ERROR, "紧急中心列入了名单", _protected),
    Rule("caller-without-reason", Severity.ERROR, "名单没有写明原因", _unexplained),
    Rule("caller-bad-end", Severity.ERROR, "名单有效期不可能", _impossible),
)
"""Rules about a row by itself."""

RULES: Final = (
    *ALONE,
    Rule("caller-expired", Severity.WARNING, "名单已经到期", _over, surroundings=True),
    Rule("caller-for-good", Severity.WARNING, "骚扰名单没有有效期", _for_good),
)
