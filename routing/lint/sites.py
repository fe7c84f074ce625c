"""Groups that a sub-centre (分中心) answers for: is it there, has it places, and does nobody else have their names?

One job: the rows of groups that name a trunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from routing.faults import Fault, Severity
from routing.lint.model import Rule, View
from routing.model import Group
from routing.remote_seats import MAX_CAPACITY, NUMBER_DIGITS, places


def _sites(view: View) -> Iterator[Fault]:
    named: dict[str, str] = {}
    for group in view.table.groups:
        path = f"groups.{group.id}"
        if not group.trunk:
            yield from _without_trunk(group)
            continue
        if not 1 <= group.capacity <= MAX_CAPACITY:
            yield Fault(f"{path}.capacity", str(group.capacity), f"分中心席位数应为 1 到 {MAX_CAPACITY}", "5")
        if group.schedule and group.schedule not in view.schedules:
            known = "、".join(sorted(view.schedules)) or "（无）"
            yield Fault(f"{path}.schedule", repr(group.schedule), f"没有这个班表；请改成现有的 {known}，或删去（全天）")
        if group.trunk in named:
            reason = f"技能组 {named[group.trunk]} 已经用了这个分中心；一个分中心只能为一个技能组接听，请合并这两组"
            yield Fault(f"{path}.trunk", repr(group.trunk), reason)
        named.setdefault(group.trunk, group.id)
        yield from _trunk(group, view)
    yield from _names(view)


def _without_trunk(group: Group) -> Iterator[Fault]:
    for name, value in (("capacity", group.capacity), ("schedule", group.schedule)):
        if value:
            reason = "没有写 trunk，这一项不起作用；请写上分中心的线路，或删去"
            yield Fault(f"groups.{group.id}.{name}", repr(value), reason, 'trunk = "subcentre-12366"')


def _trunk(group: Group, view: View) -> Iterator[Fault]:
    path, trunk = f"groups.{group.id}.trunk", view.trunks.get(group.trunk)
    subcentres = sorted(one.id for one in view.table.trunks if one.role == "subcentre")
    if trunk is None or trunk.role != "subcentre":
        reason = f'没有这个分中心线路（role = "subcentre"）；现有 {"、".join(subcentres) or "（无）"}'
        yield Fault(path, repr(group.trunk), reason, f'"{subcentres[0]}"' if subcentres else "")
    elif len(trunk.number) not in NUMBER_DIGITS:
        reason = "分中心的席位以它的号码命名，在那里拨的号码应为 3 到 5 位数字；请与分中心约定一个短号"
        yield Fault(f"trunks.{trunk.id}.number", repr(trunk.number), reason, '"12366"')


def _names(view: View) -> Iterator[Fault]:
    taken = {*view.table.seats, *(agent.id for agent in view.table.agents)}
    for place in places((group for group in view.table.groups if group.capacity <= MAX_CAPACITY), view.trunks):
        if place.seat in taken:
            reason = f"分中心的席位 {place.seat} 与座席分机或工号同名；请改座席分机或工号"
            yield Fault(f"groups.{place.group}.trunk", repr(place.trunk), reason)


RULES: Final = (Rule("bad-site", Severity.ERROR, "分中心的技能组写得不对", _sites),)
