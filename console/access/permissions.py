"""Every route of the API, once: the right that it needs, whose things it may touch, and what it takes.

One job: the declarations. The guard of the browsers' listener acts by them, the OpenAPI document and docs/rights.md are
made of them. A route that is not here is refused, and fails a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from telephony.model import EMERGENCY_NUMBERS
from users.model import Right, Role

Schema = Mapping[str, Any]


class Ownership(StrEnum):
    """What somebody whose right goes no further than his own things must show. The checks:
    console/access/ownership.py."""

    NONE = "nothing"
    """Nobody owns what this is about: a right that is for one's own only does not open it."""
    SELF = "self"
    """It is about whoever asks, by its nature."""
    AGENT = "agent"
    """``{agent}`` of the path is one's own 工号."""
    CURRENT_CALL = "talk"
    """``{call}`` of the path is the call at one's own seat at this moment."""
    CURRENT_OR_WRAP_UP = "work"
    """The same, or the call that one's own wrap-up is about."""
    SUPERVISOR = "supervisor"
    """``supervisor`` of the body is one's own 工号: it is that phone which rings."""
    CLOSED_BY = "closer"
    """``agent`` of the body is one's own 工号."""
    SEAT = "seat"
    """``seat`` of the body is where one sits."""
    ORDER = "order"
    """``{number}`` of the path is an urgent order that one has raised."""
    CHECKED_BY_HANDLER = "handled"
    """The route itself looks: one's own past calls, or what waits for one's own groups."""


@dataclass(frozen=True, slots=True)
class Route:
    """One route."""

    method: str
    path: str
    right: Right | None
    """None: open to who has not signed in yet."""
    what: str
    """In Chinese."""
    own: Ownership = Ownership.NONE
    body: Mapping[str, Schema] | None = None
    needs: tuple[str, ...] = ()
    """Fields of the body that must be there."""
    upload: int = 0
    """Bytes of the file that it takes in place of JSON, at most; 0: it takes none."""
    query: Mapping[str, Schema] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a part of the path may be, where it is not free."""
    answers: str = "application/json"
    listeners: tuple[str, ...] = ("control", "web")
    """Where it is served: the command line's listener knows no sessions."""
    page: bool = False
    """A part of the browser application itself: nobody's data, opened from a link anywhere, no part of the API."""
    signed: bool = False
    """For programs of others, who sign each request with a key that we share: no session, no token, no page."""


TEXT: Final[Schema] = {"type": "string", "maxLength": 200}
LONG: Final[Schema] = {"type": "string", "maxLength": 1000}
REASON: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 100, "description": "原因，留痕"}
SECRET: Final[Schema] = {"type": "string", "maxLength": 256}
FLAG: Final[Schema] = {"type": "boolean"}
AGENT: Final[Schema] = {"type": "string", "pattern": "^[0-9]{3,8}$", "examples": ["1001"]}
SEAT: Final[Schema] = {"type": "string", "pattern": "^[0-9]{3,8}$", "examples": ["8001"]}
CALL: Final[Schema] = {"type": "string", "maxLength": 64, "examples": ["hl1-1700000000.12"]}
COUNT: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 1000}
WHOLE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 1000000000}
VERSION: Final[Schema] = {"type": "integer", "minimum": 1, "maximum": 1000000000}
MOMENT: Final[Schema] = {"type": "string", "examples": ["2026-10-10T09:00:00+08:00"]}
CALLER: Final[Schema] = {
    "type": "string",
    "pattern": r"^\+?[0-9]{4,32}$",
    "description": "来电号码，完整的，或至少末尾 4 位",
}
SEARCH: Final[Mapping[str, Schema]] = {
    "since": MOMENT,
    "until": MOMENT,
    "number": TEXT,
    "group": TEXT,
    "agent": AGENT,
    "rating": {
        "type": "string",
        "pattern": "^[0-5](,[0-5])*$",
        "description": "评价级别，0 为未评价",
        "examples": ["1,2"],
    },
    "transfer": {"type": "string", "maxLength": 40, "description": "转接到的号码；* 为转过任何一处"},
    "outcome": {"enum": ["answered", "unanswered"]},
    "wrap_up_code": {"type": "string", "maxLength": 40, "description": "处理结果的编号；- 为未填"},
    "before": {"type": "string", "maxLength": 120, "description": "上一页答复里的 next"},
    "limit": COUNT,
}
"""Which calls, newest first."""

REPORT: Final[Mapping[str, Schema]] = {
    "month": {"type": "string", "examples": ["2026-11"]},
    "since": {"type": "string", "examples": ["2026-11-01"]},
    "until": {"type": "string", "examples": ["2026-11-07"], "description": "含当天"},
    "by": {"enum": ["number", "group", "agent", "half-hour", "day", "month"]},
}
"""A month, or from one day to another."""

ROLES: Final[Schema] = {"type": "array", "items": {"enum": [role.value for role in Role]}, "minItems": 1}
RIGHTS: Final[Schema] = {"type": "array", "items": {"enum": [right.value for right in Right]}, "minItems": 1}
EDITS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "key": {"type": "string"},
            "fields": {"type": ["object", "null"]},
            "cells": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
            "seen": {"type": ["integer", "null"]},
        },
        "required": ["kind", "key"],
    },
}
WEB: Final = ("web",)
CONTROL: Final = ("control",)
_JOINS: Final = ("listen", "whisper", "barge", "take-over")
_USER_ACTIONS: Final = ("role", "reset", "unlock", "disable", "enable", "end-sessions")

ROUTES: Final = (
    # The browser application
    Route("GET", "/", None, "控制台网页", Ownership.SELF, answers="text/html", listeners=WEB, page=True),
    Route("GET", "/favicon.svg", None, "网页图标", Ownership.SELF, answers="image/svg+xml", listeners=WEB, page=True),
    Route("GET", "/assets/{file}", None, "网页的程序和样式", Ownership.SELF, answers="*/*", listeners=WEB, page=True),
    # Oneself
    Route(
        "POST", "/api/session", None, "登录", Ownership.SELF,
        {"user": TEXT, "password": SECRET, "code": TEXT}, ("user", "password"), listeners=WEB,
    ),
    Route("GET", "/api/session", Right.SELF, "我是谁，能做什么", Ownership.SELF, listeners=WEB),
    Route("POST", "/api/session/end", Right.SELF, "退出登录", Ownership.SELF, {}, listeners=WEB),
    Route(
        "POST", "/api/session/password", Right.SELF, "改自己的密码", Ownership.SELF,
        {"old": SECRET, "new": SECRET}, ("old", "new"), listeners=WEB,
    ),
    Route(
        "POST", "/api/session/totp/begin", Right.SELF, "开始启用动态口令", Ownership.SELF,
        {"password": SECRET}, ("password",), listeners=WEB,
    ),
    Route(
        "POST", "/api/session/totp/confirm", Right.SELF, "确认启用动态口令", Ownership.SELF,
        {"code": TEXT}, ("code",), listeners=WEB,
    ),
    Route(
        "POST", "/api/session/totp/end", Right.SELF, "停用动态口令", Ownership.SELF,
        {"password": SECRET}, ("password",), listeners=WEB,
    ),
    Route("GET", "/api/openapi.json", Right.API_READ, "接口说明（OpenAPI 3.1）", listeners=WEB),
    # The hotline as it is now
    Route("GET", "/api/status", Right.STATUS_READ, "运行状态"),
    Route("GET", "/api/live", Right.LIVE_READ, "此刻的话务"),
    Route("GET", "/api/live/stream", Right.LIVE_READ, "此刻的话务，持续推送", answers="text/event-stream"),
    Route(
        "GET", "/api/ws", Right.LIVE_READ, "看着此刻的话务和自己的座席（WebSocket），topics 用逗号分开",
        query={"topics": TEXT}, answers="text/plain", listeners=WEB,
    ),
    Route("GET", "/api/setup", Right.SETUP, "首次设置还差什么"),
    Route("GET", "/api/setup/samples", Right.SETUP, "示例数据：会删什么、会留什么"),
    Route(
        "POST", "/api/setup/samples/remove", Right.SETUP, "删除示例数据（留痕）",
        body={"reason": REASON, "seen": WHOLE}, needs=("reason",),
    ),
    Route("GET", "/api/setup/trial", Right.SETUP, "最近一次试打的经过"),
    Route(
        "POST", "/api/setup/trial/phone/credentials", Right.SETUP, "取得试打电话的一次性口令", body={"number": TEXT},
        listeners=WEB,
    ),
    Route(
        "GET", "/api/setup/trial/phone", Right.SETUP, "试打电话的 WebSocket（子协议 sip）", answers="text/plain",
        listeners=WEB,
    ),
    Route("GET", "/api/doctor", Right.METRICS_READ, "诊断本机和本系统", listeners=WEB),
    Route("GET", "/metrics", Right.METRICS_READ, "Prometheus 指标", answers="text/plain"),
    Route("GET", "/api/queues", Right.QUEUES_READ, "排队、振铃和通话中的来电"),
    Route("GET", "/api/queues/explain/{what}", Right.QUEUES_READ, "为什么这样分配"),
    Route("GET", "/api/measures/half-hours", Right.STATUS_READ, "最近 24 小时，按半小时", listeners=WEB),
    Route(
        "GET", "/api/staffing", Right.STATUS_READ, "多少座席时市民要等多久（排队公式）",
        query={name: {"type": "number"} for name in ("calls", "talk", "wrap_up", "patience", "seats")}, listeners=WEB,
    ),
    # Agents and seats
    Route("GET", "/api/agents", Right.AGENTS_READ, "全部工号和状态"),
    Route("GET", "/api/seats", Right.AGENTS_READ, "全部话机和状态"),
    Route(
        "POST", "/api/agents/{agent}/sign-in", Right.AGENTS_ACT, "签入", Ownership.AGENT, {"seat": SEAT}, ("seat",),
    ),
    Route(
        "POST", "/api/agents/{agent}/{action}", Right.AGENTS_ACT, "签出、示闲、示忙、话后整理", Ownership.AGENT,
        {"reason": TEXT, "extend_seconds": {"type": "integer"}, "end": FLAG},
        choices={"action": ("sign-out", "ready", "pause", "wrap-up")},
    ),
    Route(
        "POST", "/api/agents/{agent}/pin", Right.AGENTS_PIN, "设置话机签入密码",
        body={"pin": {"type": "string", "pattern": "^[0-9]{4,8}$"}}, needs=("pin",),
    ),
    Route("POST", "/api/agents/{agent}/unlock", Right.AGENTS_PIN, "解除话机签入的锁定", body={}),
    # The phone in the page
    Route(
        "POST", "/api/phone/credentials", Right.AGENTS_ACT, "取得网页电话的一次性口令", Ownership.SELF, {},
        listeners=WEB,
    ),
    Route("POST", "/api/phone/resume", Right.AGENTS_ACT, "页面刷新后接回自己的通话", Ownership.SELF, {}, listeners=WEB),
    Route(
        "GET", "/api/phone", Right.AGENTS_ACT, "网页电话的 WebSocket（子协议 sip）", Ownership.SELF,
        answers="text/plain",
        listeners=WEB,
    ),
    Route(
        "POST", "/api/seats/{seat}/set-up", Right.AGENTS_PIN, "看话机的注册密码（留痕）",
        body={"reason": REASON}, needs=("reason",), listeners=WEB,
    ),
    Route("GET", "/api/names", Right.LIVE_READ, "技能组、座席、线路等各是什么名称", listeners=WEB),
    Route("GET", "/api/desk", Right.LIVE_READ, "座席界面可选的内容：示忙原因、协作单位、工单类型", listeners=WEB),
    # Calls
    Route(
        "POST", "/api/calls/{call}/transfer", Right.CALLS_ACT, "一键转接", Ownership.CURRENT_CALL,
        {"target": TEXT, "form": {"enum": ["one-key", "three-party", "blind", "attended"]}}, ("target",),
    ),
    Route(
        "POST", "/api/calls/{call}/consultation", Right.CALLS_ACT, "结束咨询", Ownership.CURRENT_CALL,
        {"then": {"enum": ["join", "back", "leave"]}}, ("then",),
    ),
    Route(
        "POST", "/api/calls/{call}/note", Right.CALLS_ACT, "记下地址和案情", Ownership.CURRENT_OR_WRAP_UP,
        {"address": TEXT, "summary": LONG},
    ),
    Route(
        "POST", "/api/calls/{call}/wrap-up", Right.CALLS_ACT, "填处理结果；别人的来电须写原因（留痕）",
        Ownership.CURRENT_OR_WRAP_UP,
        {"code": {"type": "string", "maxLength": 40}, "remark": TEXT, "reason": {**REASON, "minLength": 0}}, ("code",),
    ),
    Route(
        "GET", "/api/calls/{call}/earlier", Right.CALLS_READ, "这个号码以前的来电和未了的事，号码不显示",
        Ownership.CURRENT_OR_WRAP_UP,
        listeners=WEB,
    ),
    Route(
        "GET", "/api/calls", Right.CALLS_READ, "来电流水，号码已遮盖", Ownership.CHECKED_BY_HANDLER,
        query=SEARCH, listeners=WEB,
    ),
    Route(
        "POST", "/api/calls/search", Right.CALLS_READ, "按来电号码查来电（留痕），号码已遮盖",
        Ownership.CHECKED_BY_HANDLER,
        {**SEARCH, "caller": CALLER}, ("caller",), listeners=WEB,
    ),
    Route("GET", "/api/calls/{call}", Right.CALLS_READ, "一次来电的经过，号码已遮盖", Ownership.CHECKED_BY_HANDLER,
    listeners=WEB),
    Route(
        "POST", "/api/calls/{call}/reveal", Right.NUMBERS_REVEAL, "看来电号码（留痕）", Ownership.CHECKED_BY_HANDLER,
        {"reason": REASON}, ("reason",), listeners=WEB,
    ),
    Route(
        "POST", "/api/agents/{agent}/calls", Right.CALL_OUT, "外呼：座席话机先响，接起后呼叫对方", Ownership.AGENT,
        {"number": TEXT, "call": CALL, "reason": {**REASON, "minLength": 0}, "about": CALL},
    ),
    Route("GET", "/api/outbound-calls", Right.CALL_OUT, "一天内的外呼，号码已遮盖；座席看自己的",
    Ownership.CHECKED_BY_HANDLER),
    Route("GET", "/api/lost-calls", Right.CALLBACKS_READ, "漏接：还要回拨的市民，号码已遮盖，和一天的回拨率"),
    # Drills
    Route(
        "POST", "/api/drills", Right.DRILLS_START, "在一部话机上开始演练", Ownership.SEAT,
        {"target": {"enum": list(EMERGENCY_NUMBERS)}, "seat": SEAT}, ("target", "seat"),
    ),
    Route(
        "GET", "/api/drills", Right.DRILLS_READ, "一个月的演练",
        query={"month": {"type": "string", "examples": ["2026-11"]}},
    ),
    Route(
        "GET", "/api/drills/export", Right.DRILLS_READ, "一个月的演练，表格文件",
        query={"month": {"type": "string", "examples": ["2026-11"]}}, answers="application/octet-stream", listeners=WEB,
    ),
    # Reports
    Route(
        "GET", "/api/reports", Right.REPORTS_READ, "话务报表：一个月，或从一天到一天", query=REPORT, listeners=WEB,
    ),
    Route(
        "GET", "/api/reports/export", Right.REPORTS_READ, "话务报表，表格文件或 PDF",
        query={**REPORT, "form": {"enum": ["xlsx", "pdf"]}},
        answers="application/octet-stream", listeners=WEB,
    ),
    Route(
        "GET", "/api/feed", Right.FEED_READ, "部门的程序取自己订阅的数据；after 为上一次答复里的 next",
        Ownership.CHECKED_BY_HANDLER,
        query={"subscription": TEXT, "after": {"type": "string", "maxLength": 40, "examples": ["0"]}, "limit": COUNT},
        listeners=WEB,
    ),
    # Urgent orders
    Route(
        "POST", "/api/calls/{call}/orders", Right.ORDERS_WORK, "登记应急工单", Ownership.CURRENT_OR_WRAP_UP,
        {"type": TEXT, "place": TEXT, "summary": LONG, "key": TEXT}, ("type", "place", "summary"),
    ),
    Route("GET", "/api/orders", Right.ORDERS_READ, "应急工单"),
    Route("GET", "/api/orders/{number}", Right.ORDERS_READ, "一张应急工单，号码已遮盖"),
    Route("GET", "/api/orders/{number}/sheet", Right.NUMBERS_REVEAL, "打印应急工单，命令行用", listeners=CONTROL),
    Route(
        "POST", "/api/orders/{number}/sheet", Right.NUMBERS_REVEAL, "打印应急工单，含来电号码（留痕）", Ownership.ORDER,
        {"reason": REASON}, ("reason",), listeners=WEB,
    ),
    Route(
        "POST", "/api/orders/{number}/update", Right.ORDERS_WORK, "补充应急工单", Ownership.ORDER,
        {"place": TEXT, "summary": LONG},
    ),
    Route(
        "POST", "/api/orders/{number}/acknowledge", Right.ORDERS_END, "代部门签收应急工单",
        body={"department": TEXT, "who": TEXT}, needs=("department", "who"),
    ),
    Route(
        "POST", "/api/orders/{number}/extend", Right.ORDERS_END, "应急工单延期办结",
        body={"minutes": WHOLE, "reason": TEXT}, needs=("minutes", "reason"),
    ),
    Route(
        "POST", "/api/orders/{number}/{what}", Right.ORDERS_END, "办结、取消应急工单",
        body={"reason": TEXT}, needs=("reason",), choices={"what": ("close", "cancel")},
    ),
    Route(
        "POST", "/orders/{number}/acknowledge", None, "部门的程序凭签名签收应急工单", Ownership.SELF,
        {"who": TEXT}, ("who",), signed=True,
    ),
    # Recordings
    Route(
        "GET", "/api/recordings", Right.RECORDINGS_PLAY, "录音列表",
        query={"since": MOMENT, "until": MOMENT, "limit": COUNT}, listeners=WEB,
    ),
    Route(
        "POST", "/api/recordings/{call}/look", Right.RECORDINGS_PLAY, "申请听、导出录音（留痕）",
        body={"reason": REASON, "export": FLAG}, needs=("reason",), listeners=WEB,
    ),
    Route(
        "GET", "/api/recordings/{call}/sound", Right.RECORDINGS_PLAY, "听录音，凭申请到的 look",
        query={"look": TEXT, "side": {"enum": ["both", "caller", "agent"]}}, answers="audio/wav", listeners=WEB,
    ),
    # Promises
    Route("GET", "/api/callbacks", Right.CALLBACKS_READ, "回拨，号码已遮盖"),
    Route(
        "POST", "/api/callbacks/{call}/cancel", Right.CALLBACKS_CANCEL, "取消回拨",
        body={"reason": REASON}, needs=("reason",),
    ),
    Route(
        "POST", "/api/callbacks/{call}/hand", Right.WORK_HAND, "把回拨转给别的技能组",
        body={"group": TEXT, "reason": REASON}, needs=("group", "reason"),
    ),
    Route(
        "POST", "/api/callbacks/{call}/reveal", Right.NUMBERS_REVEAL, "看回拨号码（留痕）",
        Ownership.CHECKED_BY_HANDLER,
        {"reason": REASON}, ("reason",), listeners=WEB,
    ),
    Route("GET", "/api/messages", Right.MESSAGES_READ, "留言，号码已遮盖"),
    Route(
        "POST", "/api/messages/{call}/hand", Right.WORK_HAND, "把留言转给别的技能组、座席",
        body={"group": TEXT, "agent": AGENT, "reason": REASON}, needs=("reason",),
    ),
    Route(
        "POST", "/api/messages/{call}/look", Right.RECORDINGS_PLAY, "申请在网页上听留言（留痕）",
        body={"reason": REASON}, needs=("reason",), listeners=WEB,
    ),
    Route(
        "GET", "/api/messages/{call}/sound", Right.RECORDINGS_PLAY, "听留言，凭申请到的 look",
        query={"look": TEXT}, answers="audio/wav", listeners=WEB,
    ),
    Route(
        "POST", "/api/messages/{call}/close", Right.MESSAGES_WORK, "办结留言", Ownership.CLOSED_BY,
        {"agent": AGENT, "reason": REASON}, ("agent", "reason"),
    ),
    Route(
        "POST", "/api/messages/{call}/play", Right.MESSAGES_WORK, "在话机上听留言", Ownership.SEAT,
        {"seat": SEAT}, ("seat",),
    ),
    Route(
        "POST", "/api/messages/{call}/reveal", Right.NUMBERS_REVEAL, "看留言人号码（留痕）",
        Ownership.CHECKED_BY_HANDLER,
        {"reason": REASON}, ("reason",), listeners=WEB,
    ),
    # Supervision
    Route(
        "POST", "/api/supervise/{action}", Right.SUPERVISE_JOIN, "监听、密语、强插、接管", Ownership.SUPERVISOR,
        {"agent": AGENT, "supervisor": AGENT, "reason": REASON}, ("agent", "supervisor", "reason"),
        choices={"action": _JOINS},
    ),
    Route(
        "POST", "/api/supervise/force", Right.SUPERVISE, "强制改座席状态",
        body={"agent": AGENT, "to": {"enum": ["ready", "paused", "signed-out"]}, "pause": TEXT, "reason": REASON},
        needs=("agent", "to", "reason"),
    ),
    Route(
        "POST", "/api/supervise/move", Right.SUPERVISE, "移动排队的来电",
        body={"group": TEXT, "to": TEXT, "call": CALL, "reason": REASON}, needs=("group", "to", "reason"),
    ),
    Route(
        "POST", "/api/supervise/close", Right.SUPERVISE, "关闭技能组",
        body={"group": TEXT, "waiting": {"enum": ["stay", "move"]}, "reason": REASON}, needs=("group", "reason"),
    ),
    Route(
        "POST", "/api/supervise/open", Right.SUPERVISE, "重新开放技能组",
        body={"group": TEXT, "reason": REASON}, needs=("group", "reason"),
    ),
    Route("GET", "/api/announcements", Right.ANNOUNCEMENTS_READ, "播报"),
    Route(
        "POST", "/api/announcements/{action}", Right.ANNOUNCE, "播给所有来电、停止播报",
        body={"announcement": TEXT, "reason": TEXT}, needs=("announcement",), choices={"action": ("raise", "stop")},
    ),
    Route(
        "POST", "/api/drain", Right.SETUP, "排空（新的普通来电以 503 拒接）、恢复接听",
        body={"on": FLAG, "reason": TEXT}, needs=("on",),
    ),
    # The routing table
    Route(
        "GET", "/api/routing/draft", Right.ROUTING_READ, "路由表草稿",
        query={"kind": TEXT, "after": TEXT, "limit": COUNT},
    ),
    Route(
        "POST", "/api/routing/draft", Right.ROUTING_EDIT, "改草稿",
        body={"edits": EDITS, "reason": TEXT}, needs=("edits",),
    ),
    Route("POST", "/api/routing/draft/discard", Right.ROUTING_EDIT, "丢弃草稿", body={"reason": TEXT}),
    Route("GET", "/api/routing/forms", Right.ROUTING_READ, "路由表有哪些表、哪些列"),
    Route("GET", "/api/routing/names", Right.ROUTING_READ, "草稿和生效版本中各行的名称"),
    Route(
        "GET", "/api/routing/new-key", Right.ROUTING_EDIT, "新的一行用什么编号",
        query={"kind": TEXT, "name": TEXT},
    ),
    Route("GET", "/api/routing/lint", Right.ROUTING_READ, "检查草稿"),
    Route(
        "POST", "/api/routing/lint", Right.ROUTING_READ, "检查改动后的草稿，不保存",
        body={"edits": EDITS}, needs=("edits",),
    ),
    Route(
        "POST", "/api/routing/simulate", Right.ROUTING_READ, "推算来电去向，不发起呼叫",
        body={"number": TEXT, "caller": TEXT, "at": TEXT}, needs=("number",),
    ),
    Route(
        "GET", "/api/routing/hours", Right.ROUTING_READ, "草稿中各班表在某一天的服务时间", query={"day": TEXT},
    ),
    Route(
        "GET", "/api/routing/picture", Right.ROUTING_READ, "一个号码的来电去向图", query={"number": TEXT},
        answers="image/svg+xml", listeners=WEB,
    ),
    Route(
        "GET", "/api/routing/export", Right.ROUTING_READ, "导出路由表",
        query={"form": {"enum": ["xlsx", "toml", "csv"]}, "table": {"enum": ["draft", "published"]}, "kind": TEXT},
        answers="application/octet-stream", listeners=WEB,
    ),
    Route(
        "POST", "/api/routing/import", Right.ROUTING_EDIT, "导入文件到草稿；check=1 只检查", upload=20_000_000,
        query={"name": TEXT, "check": {"enum": ["0", "1"]}, "seen": WHOLE}, listeners=WEB,
    ),
    Route("GET", "/api/routing/diff", Right.ROUTING_READ, "草稿与版本的差别", query={"version": WHOLE}),
    Route(
        "POST", "/api/routing/publish", Right.ROUTING_PUBLISH, "发布",
        body={"reason": TEXT, "at": TEXT, "seen": WHOLE}, needs=("reason",),
    ),
    Route(
        "POST", "/api/routing/rollback", Right.ROUTING_PUBLISH, "退回某个版本",
        body={"version": WHOLE, "reason": TEXT}, needs=("version", "reason"),
    ),
    Route("GET", "/api/routing/versions", Right.ROUTING_READ, "全部版本", query={"limit": COUNT}),
    Route("GET", "/api/routing/releases", Right.ROUTING_READ, "待批和定时的发布", query={"limit": COUNT}),
    Route(
        "POST", "/api/routing/releases/{id}/{action}", Right.ROUTING_PUBLISH, "批准、驳回、取消发布",
        body={"reason": TEXT}, choices={"action": ("approve", "reject", "cancel")},
    ),
    # Prompts
    Route(
        "GET", "/api/prompts", Right.PROMPTS_READ, "全部提示音：文字、时长、来源、用在哪里",
        query={"find": TEXT, "limit": COUNT}, listeners=WEB,
    ),
    Route(
        "POST", "/api/prompts/preview", Right.PROMPTS_EDIT, "试听一段还不属于任何提示音的文字；什么都不保存",
        body={"text": TEXT}, needs=("text",), listeners=WEB,
    ),
    Route(
        "GET", "/api/prompts/transition", Right.PROMPTS_READ, "归并号码的提示音本来怎么说",
        query={"mode": TEXT, "number": TEXT, "name": TEXT}, listeners=WEB,
    ),
    Route("GET", "/api/prompts/{language}/{prompt}", Right.PROMPTS_READ, "一段提示音和它的各版", listeners=WEB),
    Route(
        "GET", "/api/prompts/{language}/{prompt}/listen", Right.PROMPTS_READ, "听生效的提示音", answers="audio/wav",
        listeners=WEB,
    ),
    Route(
        "POST", "/api/prompts/{language}/{prompt}/text", Right.PROMPTS_EDIT, "改提示音的文字；keep 才生效（留痕）",
        body={"text": TEXT, "keep": FLAG, "reason": TEXT, "seen": VERSION}, needs=("text",), listeners=WEB,
    ),
    Route(
        "POST", "/api/prompts/{language}/{prompt}/recording", Right.PROMPTS_EDIT,
        "换成录音（wav）；keep=1 才生效（留痕）", upload=10_000_000,
        query={"text": TEXT, "keep": {"enum": ["0", "1"]}, "reason": TEXT, "seen": VERSION}, listeners=WEB,
    ),
    Route(
        "POST", "/api/prompts/{language}/{prompt}/back", Right.PROMPTS_EDIT, "退回提示音的某一版；keep 才生效（留痕）",
        body={"version": VERSION, "keep": FLAG, "reason": TEXT, "seen": VERSION}, needs=("version",), listeners=WEB,
    ),
    # Users, programs, audit
    Route("GET", "/api/users", Right.USERS, "全部用户", listeners=WEB),
    Route(
        "POST", "/api/users", Right.USERS, "新建用户",
        body={"user": TEXT, "name": TEXT, "roles": ROLES, "agent": TEXT, "reason": REASON},
        needs=("user", "name", "roles", "reason"), listeners=WEB,
    ),
    Route(
        "POST", "/api/users/{user}/{action}", Right.USERS, "改角色、重置密码、解锁、停用、恢复、强制下线",
        body={"roles": ROLES, "agent": TEXT, "reason": REASON}, needs=("reason",),
        choices={"action": _USER_ACTIONS}, listeners=WEB,
    ),
    Route("GET", "/api/approvals", Right.USERS_APPROVE, "等第二人核准的申请，和近来的", listeners=WEB),
    Route(
        "POST", "/api/approvals/{id}/{action}", Right.USERS_APPROVE, "作为第二人核准、驳回申请",
        body={"reason": REASON}, needs=("reason",), choices={"action": ("approve", "reject")}, listeners=WEB,
    ),
    Route(
        "POST", "/api/approvals/{id}/carry-out", Right.USERS, "执行自己的、已核准的申请", listeners=WEB,
    ),
    Route("GET", "/api/rights", Right.USERS, "哪个角色有哪些权限", listeners=WEB),
    Route("GET", "/api/sessions", Right.USERS, "谁登录着", query={"user": TEXT}, listeners=WEB),
    Route("GET", "/api/clients", Right.USERS, "程序的令牌", listeners=WEB),
    Route(
        "POST", "/api/clients", Right.USERS, "给程序发令牌",
        body={"name": TEXT, "rights": RIGHTS, "days": WHOLE, "reason": REASON},
        needs=("name", "rights", "days", "reason"), listeners=WEB,
    ),
    Route(
        "POST", "/api/clients/{client}/revoke", Right.USERS, "收回令牌",
        body={"reason": REASON}, needs=("reason",), listeners=WEB,
    ),
    Route(
        "GET", "/api/audit", Right.AUDIT_READ,
        "审计记录；action=look. 只看谁看过号码、听过录音，row=numbers.12315 看路由表一行从什么改成什么",
        query={
            "action": TEXT, "who": TEXT, "text": TEXT, "row": TEXT, "since": MOMENT, "until": MOMENT, "before": WHOLE,
            "limit": COUNT,
        },
        listeners=WEB,
    ),
    Route("GET", "/api/audit/verify", Right.AUDIT_READ, "核对审计记录有没有被动过", listeners=WEB),
)  # fmt: skip

BY_ROUTE: Final[Mapping[tuple[str, str], Route]] = {(door.method, door.path): door for door in ROUTES}

WEB_ROUTES: Final = tuple(door for door in ROUTES if "web" in door.listeners)
"""What browsers and programs may ask."""

API_ROUTES: Final = tuple(door for door in WEB_ROUTES if not door.page)
"""Without the application's own files, which are everybody's."""


def concrete(door: Route) -> list[str]:
    """The door's path once for each choice that it leaves."""
    for name, choices in door.choices.items():
        return [door.path.replace(f"{{{name}}}", choice) for choice in choices]
    return [door.path]


BY_ROW: Final[Mapping[tuple[str, str], Route]] = {
    (door.method, path): door for door in API_ROUTES for path in concrete(door)
}
"""By the rows of docs/rights.csv."""
