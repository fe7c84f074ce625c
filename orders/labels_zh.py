"""What is said and printed of an order, in Chinese. One job: the texts; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from html import escape
from typing import Final

from orders.model import AcknowledgementWay, DutyCallFailure, Order, OrderState
from orders.rules import NAMES, name_of

HOW: Final[Mapping[str, str]] = {
    AcknowledgementWay.SIGNATURE: "数据接口",
    AcknowledgementWay.PHONE_KEY: "值班电话按键",
    AcknowledgementWay.COMMAND: "人工登记",
}
FAILED: Final[Mapping[str, str]] = {
    DutyCallFailure.BUSY: "用户忙",
    DutyCallFailure.NO_ANSWER: "无人接听",
    DutyCallFailure.REJECTED: "拒接",
    DutyCallFailure.UNREACHABLE: "无法接通",
    DutyCallFailure.SILENT: "接听后没有按键",
    DutyCallFailure.UNKNOWN: "失去联系期间没有签收",
}

MOST_SPOKEN: Final = 200
"""Characters of place and summary that are spoken; the rest is on the sheet and in the push."""

_UNSPEAKABLE: Final = re.compile(r"[^\u4e00-\u9fff0-9，。、；：？！]+")
_PAUSES: Final = re.compile(r"[，。、；：？！]{2,}")


def spoken(order: Order) -> str:
    """What a duty phone hears after the type: only what the voices can read."""
    serial = order.number.rpartition("-")[2]
    said = f"编号{'，'.join(serial)}。地点，{_readable(order.place)}。情况，{_readable(order.summary)}。"
    return _PAUSES.sub(lambda run: run[0][0], said)


def _readable(text: str) -> str:
    return _UNSPEAKABLE.sub("，", text)[:MOST_SPOKEN].strip("，。、；：？！") or "见工单"


def standing(order: Order) -> str:
    """Where it is, in a few words."""
    if order.state is OrderState.DISPATCHED:
        return f"已派 {order.steps[order.step].name}，等待签收"
    if order.state is OrderState.ACKNOWLEDGED:
        return f"{name_of(order, order.acknowledged_by)} 已签收{'，逾时未办结' if order.overdue else ''}"
    return NAMES[order.state]


def sheet(order: Order, zone: tzinfo) -> str:
    """The order as a page to print: one sheet of A4, nothing that a browser would have to fetch."""

    def at(moment: datetime | None) -> str:
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}" if moment is not None else ""

    taken = (
        f"{name_of(order, order.acknowledged_by)}（{HOW.get(order.acknowledged_how, '')}"
        if order.acknowledged_by
        else ""
    )
    rows = (
        ("工单编号", order.number),
        ("类型", order.type_name),
        ("地点", order.place),
        ("情况", order.summary),
        ("来电号码", order.caller or "号码未显示"),
        ("登记人", order.by),
        ("登记时间", at(order.raised_at)),
        ("责任部门", "、".join(step.name for step in order.steps)),
        ("状态", standing(order)),
        ("签收时限", at(order.due) if order.state is OrderState.DISPATCHED else ""),
        ("签收", f"{taken}{'，' + order.acknowledged_who if order.acknowledged_who else ''}）" if taken else ""),
        ("签收时间", at(order.acknowledged_at)),
        ("办结时限", at(order.finish_by) if order.open else ""),
        ("办结或撤销", f"{order.over_by}：{order.reason}" if order.over_at else ""),
        ("签收人（签字）", ""),
        ("处置情况", ""),
    )
    body = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return _PAGE.format(number=escape(order.number), body=body)


_PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>应急工单 {number}</title>
<style>
@page {{ size: A4; margin: 20mm }}
body {{ font-family: "Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", SimSun, sans-serif; font-size: 14pt }}
h1 {{ text-align: center; font-size: 22pt }}
table {{ width: 100%; border-collapse: collapse }}
th, td {{ border: 1px solid #000; padding: 6pt; text-align: left; vertical-align: top; white-space: pre-wrap }}
th {{ width: 26%; white-space: nowrap }}
tr:last-child td {{ height: 60mm }}
</style></head><body>
<h1>12345 应急工单</h1>
<table>
{body}
</table>
</body></html>
"""
