"""Wrap-up codes (处理结果): can an agent choose each of them, and no two by one key?

One job: the rows of ``wrap_up_codes`` and whether one must be chosen.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from routing.faults import Fault, Severity
from routing.lint.form import LONGEST_NOTE
from routing.lint.model import Rule, View
from routing.model import WrapUpCode

LONGEST_NAME: Final = 12
"""Of a button on the desk."""

MOST_OF_A_GROUP: Final = 16
"""What the desk has room for, and a person an overview of."""

_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_KEY: Final = re.compile(r"[0-9a-z]")


def _form(view: View) -> Iterator[Fault]:
    for row in view.table.wrap_up_codes:
        path = f"wrap_up_codes.{row.id}"
        if not _ID.fullmatch(row.id):
            yield Fault(path, "", "编号应以小写字母开头，只含小写字母、数字和连字符，最多 40 个", "answered")
        if not _KEY.fullmatch(row.key):
            yield Fault(f"{path}.key", repr(row.key), "应为一个数字或一个小写字母", '"1"')
        if not row.name.strip() or len(row.name) > LONGEST_NAME or not row.name.isprintable():
            yield Fault(f"{path}.name", repr(row.name), f"应为 1 到 {LONGEST_NAME} 个可见字符", '"当场答复"')
        if len(row.note) > LONGEST_NOTE or not row.note.isprintable():
            reason = f"应为最多 {LONGEST_NOTE} 个可见字符，写在一行里"
            yield Fault(f"{path}.note", repr(row.note), reason, '"示例，待核"')


def _groups(view: View) -> Iterator[Fault]:
    known = {row.id for row in view.table.groups}
    for row in view.table.wrap_up_codes:
        for group in row.groups:
            if group not in known:
                reason = f"没有这个技能组；现有 {'、'.join(sorted(known))}"
                yield Fault(f"wrap_up_codes.{row.id}.groups", repr(group), reason, '["market"]')


def _keys(view: View) -> Iterator[Fault]:
    """By group, because that is what an agent has before him."""
    told: set[str] = set()
    for group in view.table.groups:
        mine = [row for row in view.table.wrap_up_codes if not row.groups or group.id in row.groups]
        by_key: dict[str, list[WrapUpCode]] = defaultdict(list)
        for row in mine:
            by_key[row.key].append(row)
        for key, (first, *others) in by_key.items():
            for row in others:
                if row.id not in told:
                    told.add(row.id)
                    reason = f"在技能组 {group.id} 里与 {first.id}（{first.name}）是同一个键；请换一个"
                    yield Fault(f"wrap_up_codes.{row.id}.key", repr(key), reason, '"7"')
        if len(mine) > MOST_OF_A_GROUP and (last := mine[-1].id) not in told:
            told.add(last)
            reason = f"技能组 {group.id} 有 {len(mine)} 个处理结果，最多 {MOST_OF_A_GROUP} 个；请删去几个或只留给别的组"
            yield Fault(f"wrap_up_codes.{last}", "", reason)


def _none_to_choose(view: View) -> Iterator[Fault]:
    """Nobody is held where nothing can be chosen; but it is not what was wished for."""
    if not view.table.wrap_up_code_required:
        return
    for group in view.table.groups:
        if not any(not row.groups or group.id in row.groups for row in view.table.wrap_up_codes):
            reason = f"技能组 {group.id} 没有处理结果可选，它的座席不会被要求选；请加一行，或改为 false"
            yield Fault("wrap_up_code_required", "true", reason, "false")


RULES: Final = (
    Rule("bad-wrap-up-code", Severity.ERROR, "处理结果写法不对", _form),
    Rule("wrap-up-code-of-no-group", Severity.ERROR, "处理结果写给了没有的技能组", _groups),
    Rule("wrap-up-code-key-twice", Severity.ERROR, "处理结果的按键重复或太多", _keys),
    Rule("wrap-up-code-missing", Severity.WARNING, "必须选处理结果，却没有可选的", _none_to_choose),
)
