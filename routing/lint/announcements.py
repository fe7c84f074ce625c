"""Announcements (公告): can each be said, does it end, and how long does it keep a citizen from a human?

One job: the rows of ``announcements``. That their sounds are there, and are no menu, is routing/lint/prompts.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final

from routing.announcements import prompt_of
from routing.calendar import city_time
from routing.faults import Fault, Severity
from routing.lint.callers import EXAMPLE, FIRST_YEAR, LAST_YEAR, LONGEST_TEXT
from routing.lint.model import Rule, View
from routing.lint.prompts import HUMAN_WITHIN_SECONDS
from routing.model import Announcement, MergeMode
from telephony.model import HOTLINE_NUMBER, GroupId

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SAID: Final = re.compile("[\u4e00-\u9fff0-9，。、；：？！]{1,100}")
"""What the voices can read."""
_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))

Entry = tuple[str, frozenset[GroupId], float]
"""A number, the groups that may answer it, and the seconds of its own prompt."""


def _unsayable(view: View) -> Iterator[Fault]:
    for row in view.table.announcements:
        path = f"announcements.{row.id}"
        if not _ID.fullmatch(row.id):
            yield Fault(path, "", "公告编号只能有小写字母、数字和连字符，最多 40 个", "typhoon")
        if not _SAID.fullmatch(row.text):
            reason = "公告应为 1 到 100 个汉字、数字和中文标点，否则读不出来"
            yield Fault(f"{path}.text", repr(row.text), reason, '"受台风影响，部分线路繁忙。"')
        if len(row.note) > LONGEST_TEXT or not row.note.isprintable():
            yield Fault(f"{path}.note", repr(row.note), f"应为最多 {LONGEST_TEXT} 个可见字符，写在一行里")


def _times(view: View) -> Iterator[Fault]:
    for row in view.table.announcements:
        path = f"announcements.{row.id}.until"
        if row.since is not None and row.until is None:
            reason = "有开始没有结束：临时公告要写明到什么时候，免得忘了一直播"
            yield Fault(path, "", reason, EXAMPLE)
        elif row.since is not None and row.until is not None and row.until <= row.since:
            reason = f"结束不晚于开始 {city_time(row.since):%Y-%m-%d %H:%M}，一次也不会播；请改时间"
            yield Fault(path, str(row.until), reason, EXAMPLE)
        for key, moment in (("since", row.since), ("until", row.until)):
            if moment is not None and not FIRST_YEAR < moment.year < LAST_YEAR:
                reason = f"应在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间"
                yield Fault(f"announcements.{row.id}.{key}", str(moment), reason, EXAMPLE)


def _nobody(view: View) -> Iterator[Fault]:
    numbers = {HOTLINE_NUMBER, *(row.number for row in view.table.numbers)}
    for row in view.table.announcements:
        for group in row.groups:
            if group not in view.groups:
                reason = f"没有这个技能组；现有 {'、'.join(sorted(view.groups))}"
                yield Fault(f"announcements.{row.id}.groups", repr(group), reason, f'["{view.table.default_group}"]')
        for number in row.numbers:
            if number not in numbers:
                reason = "没有这个号码：应为 12345 或归并号码表中的号码"
                yield Fault(f"announcements.{row.id}.numbers", repr(number), reason, '["12345"]')


def _over(view: View) -> Iterator[Fault]:
    if view.around is None:
        return
    for row in view.table.announcements:
        if row.until is not None and city_time(row.until).date() < view.around.today:
            reason = f"{city_time(row.until):%Y-%m-%d %H:%M} 已停播；请删去，或改时间，或把两个时间都清空备用"
            yield Fault(f"announcements.{row.id}.until", str(row.until), reason, EXAMPLE)


def _slow(view: View) -> Iterator[Fault]:
    """With the number's own prompt and every announcement that may play at the same time."""
    around = view.around
    if around is None or around.sounds is None:
        return
    for language in sorted({language for language, _ in around.sounds}):
        said = {prompt: sound.seconds for (spoken, prompt), sound in around.sounds.items() if spoken == language}
        entries = list(_entries(view, said))
        for row in view.table.announcements:
            worst, number = max(
                (
                    (
                        own + sum(said.get(prompt_of(one.id), 0.0) for one in _together(row, number, groups, view)),
                        number,
                    )
                    for number, groups, own in entries
                    if _may_concern(row, number, groups)
                ),
                key=itemgetter(0),
                default=(0.0, ""),
            )
            if worst > HUMAN_WITHIN_SECONDS:
                reason = (
                    f"拨 {number} 的市民连同号码自己的提示音和同时播的公告要听 {worst:.1f} 秒（{language}），"
                    f"{HUMAN_WITHIN_SECONDS:.0f} 秒内听不到人工（GB/T 33358-2016）；请缩短，或只对部分号码、错开时间播"
                )
                yield Fault(f"announcements.{row.id}.text", repr(row.text), reason)


def _entries(view: View, said: dict[str, float]) -> Iterator[Entry]:
    table = view.table
    yield HOTLINE_NUMBER, frozenset({table.default_group}), said.get(table.greeting, 0.0)
    for row in table.numbers:
        groups = {row.group} if row.mode is MergeMode.FULL else {row.group, table.default_group}
        yield row.number, frozenset(groups), max(said.get(row.prompt, 0.0), said.get(row.prompt_after, 0.0))


def _together(row: Announcement, number: str, groups: frozenset[GroupId], view: View) -> Iterable[Announcement]:
    """The row, and the others that this caller may hear with it."""
    yield row
    for one in view.table.announcements:
        timed = one.since is not None or one.until is not None
        if one is not row and timed and _overlap(one, row) and _may_concern(one, number, groups):
            yield one


def _overlap(one: Announcement, other: Announcement) -> bool:
    return max(one.since or _EVER[0], other.since or _EVER[0]) < min(one.until or _EVER[1], other.until or _EVER[1])


def _may_concern(row: Announcement, number: str, groups: frozenset[GroupId]) -> bool:
    return (not row.groups or not groups.isdisjoint(row.groups)) and (not row.numbers or number in row.numbers)


ALONE: Final = (
    Rule("announcement-unsayable", Severity.ERROR, "公告读不出来", _unsayable),
    Rule("announcement-times", Severity.ERROR, "公告时间不对", _times),
)
"""Rules about a row by itself."""

RULES: Final = (
    *ALONE,
    Rule("announcement-for-nobody", Severity.ERROR, "公告的对象不存在", _nobody),
    Rule("announcement-over", Severity.WARNING, "公告已经停播", _over, surroundings=True),
    Rule("announcement-slow", Severity.WARNING, "公告太长，15 秒内听不到人工", _slow, surroundings=True),
)
