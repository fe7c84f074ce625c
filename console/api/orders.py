"""Urgent orders (应急工单) over the API: raised, listed, typed on, taken, closed, printed.

One job: translate requests. What may become of an order is decided in orders/. One route is for the departments' own
programs and asks for their signature instead of the control token: see docs/order-data.md.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final, Protocol

from aiohttp import web

from console.access.client_address import address_of
from console.access.rate_limit import RateLimit
from console.http_json import WHO, body_of, error_response, json_response, operator_of, whole_of
from ledger.push_rules import SIGNATURE_SECONDS, signature
from ledger.story import mask
from orders.labels_zh import sheet, standing
from orders.model import (
    Acknowledged,
    AcknowledgementWay,
    Ended,
    Event,
    Extended,
    IllegalOrderEvent,
    Order,
    OrderState,
    Updated,
)
from orders.order_numbers import RegisterUnusable
from orders.rules import name_of
from orders.service import AlreadyRaised, Orders
from queues.model import NotAllowed
from routing.calendar import CITY
from routing.model import Snapshot
from telephony.model import CALL_ID, CallId
from users.model import Right, Scope

SIGNED: Final = "signed"
"""Name of the routes that ask for a department's signature, not for the token."""

RAISE_EXAMPLE: Final = '{"type": "water-outage", "place": "东山路 1 号", "summary": "水管爆裂", "by": "1001"}'
UPDATE_EXAMPLE: Final = '{"summary": "水已漫上路面", "by": "1001"}'
TAKE_EXAMPLE: Final = '{"department": "water-supply", "who": "值班员", "by": "1010"}'
EXTEND_EXAMPLE: Final = '{"minutes": 240, "reason": "等待抢修队", "by": "1010"}'
END_EXAMPLE: Final = '{"reason": "已修复", "by": "1010"}'
SIGNED_EXAMPLE: Final = '{"who": "值班员"}'

MAX_PLACE: Final = 200
MAX_SUMMARY: Final = 1000
MAX_WHO: Final = 40
MAX_REASON: Final = 200
MAX_STAMP: Final = 12
"""Digits of a time in seconds."""
MAX_MINUTES: Final = 43_200
"""30 days, as the routing table allows at most."""
SIGNED_PER_MINUTE: Final = 120
"""Rightly signed requests of one department: its program repeats what got no answer, and no more is to be done."""
UNSIGNED_PER_MINUTE: Final = 60
"""Requests of one address that nobody we know has signed; they slow no department behind the same proxy."""
NOBODY: Final = ""
"""Whose key a department is asked for that is not there."""
UNSIGNED: Final = (
    "签名不对：部门、时间戳（与热线相差不超过 300 秒）或签名不符；请按 docs/order-data.md 用本部门的密钥签名"
)
SHOWN: Final = 6
"""Characters of a place that a list shows."""

_KEY: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class OrdersPort(Protocol):
    """What these routes need of the engine."""

    @property
    def orders(self) -> Orders: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def now_ms(self) -> int: ...

    async def raise_order(
        self, call: CallId, type_: str, place: str, summary: str, key: str, by: str
    ) -> tuple[Order, bool]:
        """Raises NotAllowed, RegisterUnusable or AlreadyRaised."""

    def department_key(self, department: str) -> str:
        """The key that we share with a department."""

    def deed(self, what: str, by: str, **data: str) -> None: ...


def order_routes(control: OrdersPort) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.post("/api/calls/{call}/orders", views.raise_),
        web.get("/api/orders", views.list_),
        web.get("/api/orders/{number}", views.show),
        web.get("/api/orders/{number}/sheet", views.sheet),
        web.post("/api/orders/{number}/update", views.update),
        web.post("/api/orders/{number}/acknowledge", views.acknowledge),
        web.post("/api/orders/{number}/extend", views.extend),
        web.post("/api/orders/{number}/{what:close|cancel}", views.end),
        web.post("/orders/{number}/acknowledge", views.signed, name=SIGNED),
    ]


class _Views:
    def __init__(self, control: OrdersPort) -> None:
        self._control = control
        self._signed, self._unsigned = RateLimit(SIGNED_PER_MINUTE), RateLimit(UNSIGNED_PER_MINUTE)

    async def raise_(self, request: web.Request) -> web.Response:
        """201 for a new order, 200 for one that this key has raised before."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, f"{call[:80]!r} 不是呼叫编号；请用 hotline queues list 查看正在进行的呼叫")
        body = await body_of(request, RAISE_EXAMPLE)
        kinds = self._control.snapshot.order_types
        kind = body.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            known = (
                "、".join(f"{row.id}（{row.name}）" for row in kinds.values())
                or "（无，请在路由表的应急工单类型中添加）"
            )
            raise error_response(400, f"没有应急工单类型 {str(kind)[:40]!r}；可用的有 {known}")
        place = _text(body, "place", MAX_PLACE, RAISE_EXAMPLE)
        summary = _text(body, "summary", MAX_SUMMARY, RAISE_EXAMPLE)
        key = body.get("key", "")
        if key != "" and (not isinstance(key, str) or not _KEY.fullmatch(key)):
            raise error_response(400, "key 应为 1 到 64 个字母、数字或 _ . : -；不写则同一呼叫的同一类型只登记一次")
        by = operator_of(body)
        try:
            order, new = await self._control.raise_order(
                CallId(call), kind, place, summary, key or f"{call}:{kind}", by
            )
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        except AlreadyRaised as already:
            raise error_response(409, str(already)) from None
        except RegisterUnusable as error:
            raise error_response(503, str(error)) from None
        if new:
            self._control.deed("order-raise", by, to=order.number)
        return json_response(
            {**whole(order), "new": new, "durable": await self._control.orders.durable()}, 201 if new else 200
        )

    async def list_(self, request: web.Request) -> web.Response:
        """Open orders and those of the last week, oldest first; who called and what about is not in a list."""
        orders = self._control.orders
        return json_response({"loaded": orders.loaded, "orders": [row(one) for one in orders.book.all()]})

    async def show(self, request: web.Request) -> web.Response:
        """In full for who raised it and for who deals with all of them; for the rest as in the list."""
        order, who = self._order(request), request.get(WHO)
        dealt = who is None or order.by == who.name or who.rights.get(Right.ORDERS_WORK) is Scope.ALL
        return json_response(whole(order) if dealt else row(order))

    async def sheet(self, request: web.Request) -> web.Response:
        """The page to print, with the caller's number; that somebody asked for it is kept."""
        order = self._order(request)
        self._control.deed("order-print", operator_of(request.query), to=order.number)
        return json_response({"number": order.number, "html": sheet(order, CITY)})

    async def update(self, request: web.Request) -> web.Response:
        order, body = self._order(request), await body_of(request, UPDATE_EXAMPLE)
        place = _text(body, "place", MAX_PLACE, UPDATE_EXAMPLE, needed=False)
        summary = _text(body, "summary", MAX_SUMMARY, UPDATE_EXAMPLE, needed=False)
        if not place and not summary:
            raise error_response(400, f"地点和情况至少写一项，例如 {UPDATE_EXAMPLE}")
        return self._apply(order, Updated(place, summary, operator_of(body)), "order-update", operator_of(body))

    async def acknowledge(self, request: web.Request) -> web.Response:
        """One of us was told that a department has taken it."""
        order, body = self._order(request), await body_of(request, TAKE_EXAMPLE)
        department = _text(body, "department", MAX_WHO, TAKE_EXAMPLE)
        who = _text(body, "who", MAX_WHO, TAKE_EXAMPLE)
        return self._apply(
            order, Acknowledged(department, AcknowledgementWay.COMMAND, who), "order-acknowledge", operator_of(body)
        )

    async def extend(self, request: web.Request) -> web.Response:
        """More time for who has taken it, counted from now."""
        order, body = self._order(request), await body_of(request, EXTEND_EXAMPLE)
        minutes = whole_of(body.get("minutes"), "minutes", 0, 1, MAX_MINUTES)
        reason = _text(body, "reason", MAX_REASON, EXTEND_EXAMPLE)
        return self._apply(order, Extended(minutes), "order-extend", operator_of(body), reason)

    async def end(self, request: web.Request) -> web.Response:
        order, body = self._order(request), await body_of(request, END_EXAMPLE)
        reason = _text(body, "reason", MAX_REASON, END_EXAMPLE)
        what = request.match_info["what"]
        state = OrderState.CLOSED if what == "close" else OrderState.CANCELLED
        return self._apply(order, Ended(state, operator_of(body), reason), f"order-{what}", operator_of(body), reason)

    async def signed(self, request: web.Request) -> web.Response:
        """签收 by a department's own program. Who cannot sign is told nothing, not even which orders there are."""
        number = request.match_info["number"]
        department = request.headers.get("X-Hotline-Department", "")
        stamp = request.headers.get("X-Hotline-Timestamp", "")
        offered = request.headers.get("X-Hotline-Signature", "")
        raw = await request.read()
        known = department in self._control.snapshot.departments
        fresh = stamp.isascii() and stamp.isdigit() and len(stamp) <= MAX_STAMP
        fresh = fresh and abs(self._control.now_ms / 1000 - int(stamp)) <= SIGNATURE_SECONDS
        # Who cannot sign learns nothing, not even which departments there are: one answer after the same work.
        key = self._control.department_key(department if known else NOBODY)
        right = signature(key, int(stamp) if fresh else 0, number, raw)
        signed = secrets.compare_digest(right.encode(), offered.encode("utf-8", "surrogateescape"))
        if not (known and fresh and signed):
            raise self._unknown(request, UNSIGNED)
        if wait := self._signed.wait(department, self._control.now_ms / 1000):
            raise _too_often(wait, f"一分钟内最多 {SIGNED_PER_MINUTE} 次")
        order = self._order(request)
        body = await body_of(request, SIGNED_EXAMPLE)
        who = _text(body, "who", MAX_WHO, SIGNED_EXAMPLE)
        if department not in (step.department for step in order.steps):
            raise error_response(404, f"工单 {number} 没有派给 {department}")
        done = self._change(order, Acknowledged(department, AcknowledgementWay.SIGNATURE, who))
        return json_response({"number": done.number, "state": done.state, "acknowledged_by": done.acknowledged_by})

    def _unknown(self, request: web.Request, why: str) -> web.HTTPException:
        """401, or 429 for an address that goes on trying."""
        wait = self._unsigned.wait(address_of(request), self._control.now_ms / 1000)
        return _too_often(wait, f"{why}；请改正后再试") if wait else error_response(401, why)

    def _apply(self, order: Order, event: Event, what: str, by: str, reason: str = "") -> web.Response:
        done = self._change(order, event)
        if done is not order:
            self._control.deed(what, by, to=order.number, reason=reason)
        return json_response(whole(done))

    def _change(self, order: Order, event: Event) -> Order:
        try:
            return self._control.orders.apply(order, event)
        except IllegalOrderEvent as no:
            raise error_response(409, str(no)) from None

    def _order(self, request: web.Request) -> Order:
        number = request.match_info["number"]
        found = self._control.orders.book.get(number)
        if found is None and not self._control.orders.loaded:
            raise error_response(503, "启动以前的工单还没有从数据库读到；请稍候再试，或运行 hotline status 查看数据库")
        if found is None:
            raise error_response(404, f"没有工单 {number[:40]!r}，或早已办结；运行 hotline orders list --all 查看")
        return found


def _too_often(seconds: int, why: str) -> web.HTTPException:
    error = error_response(429, f"请求太频繁：{why}；{seconds} 秒后再发")
    error.headers["Retry-After"] = str(seconds)
    return error


def row(order: Order) -> dict[str, Any]:
    """One order of a list: nothing of who called and what about."""
    return {
        "number": order.number,
        "call": order.call,
        "type": order.type,
        "type_name": order.type_name,
        "place": order.place if len(order.place) <= SHOWN else f"{order.place[:SHOWN]}…",
        "state": order.state,
        "standing": standing(order),
        "by": order.by,
        "raised_at": order.raised_at.isoformat(),
        "due_at": order.due.isoformat() if order.state is OrderState.DISPATCHED else None,
        "department": order.acknowledged_by or order.steps[order.step].department,
        "department_name": name_of(order, order.acknowledged_by or order.steps[order.step].department),
        "acknowledged_at": order.acknowledged_at.isoformat() if order.acknowledged_at else None,
        "finish_by": order.finish_by.isoformat() if order.finish_by and order.open else None,
        "overdue": order.overdue,
        "over_at": order.over_at.isoformat() if order.over_at else None,
        "attempts": order.attempts,
    }


def whole(order: Order) -> dict[str, Any]:
    """One order for who works on it; the caller's number is masked."""
    return {
        **row(order),
        "place": order.place,
        "summary": order.summary,
        "caller": mask(order.caller) if order.caller else "",
        "departments": [{"id": step.department, "name": step.name} for step in order.steps],
        "told": [step.department for step in order.told],
        "calling": order.ringing.department if order.ringing is not None else "",
        "acknowledged_by": order.acknowledged_by,
        "acknowledged_how": order.acknowledged_how,
        "acknowledged_who": _veiled(order.acknowledged_who),
        "over_by": order.over_by,
        "reason": order.reason,
    }


def _veiled(who: str) -> str:
    """A duty phone may be somebody's own mobile."""
    return mask(who) if who.removeprefix("+").isdigit() else who


def _text(body: dict[str, Any], name: str, longest: int, example: str, *, needed: bool = True) -> str:
    value = body.get(name, "")
    text = value.strip() if isinstance(value, str) else ""
    readable = all(sign.isprintable() or sign == "\n" for sign in text)
    if (needed and not text) or len(text) > longest or not readable or not isinstance(value, str):
        raise error_response(400, f"{name} 应为 1 到 {longest} 个字，例如 {example}")
    return text
