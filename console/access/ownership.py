"""One's own: the checks for those whose right goes no further than their own agent id, seat and calls.

One job: refuse. The declarations: console/access/permissions.py.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from console.access.permissions import Ownership, Route
from console.http_json import error_response, json_of
from orders.service import Orders
from queues.acd import Acd
from telephony.model import AgentId, CallId
from users.model import Identity

FOREIGN: Final = "这不是您自己的{what}，不能操作；需要时请班长处理"


class OwnershipPort(Protocol):
    """What these checks need of the engine."""

    @property
    def acd(self) -> Acd: ...

    @property
    def orders(self) -> Orders: ...

    def wrapped_up(self, agent: AgentId) -> CallId | None:
        """The call that this agent's wrap-up is about; None outside a wrap-up."""


async def require_own(door: Route, request: web.Request, who: Identity, control: OwnershipPort) -> None:
    """Raises HTTPForbidden unless the request is about the asker's own things."""
    if door.own in (Ownership.SELF, Ownership.CHECKED_BY_HANDLER):
        return
    if door.own is Ownership.NONE:
        raise error_response(403, "您只能操作自己的工号和通话，这一项需要更大的权限；请联系管理员")
    if not who.agent:
        raise error_response(403, "您的用户没有设工号，不能操作座席；请管理员用 hotline users role 补上")
    if door.own is Ownership.ORDER:
        order = control.orders.book.get(request.match_info["number"])
        _require(order is not None and order.by == who.name, "工单")
    elif door.own is Ownership.AGENT:
        _require(request.match_info["agent"] == who.agent, "工号")
    elif door.own in (Ownership.CURRENT_CALL, Ownership.CURRENT_OR_WRAP_UP):
        acd, call = control.acd, request.match_info["call"]
        at = acd.seat_of.get(AgentId(who.agent))
        seat = acd.seats.get(at) if at is not None else None
        talks = seat is not None and seat.call == call
        _require(
            talks or (door.own is Ownership.CURRENT_OR_WRAP_UP and control.wrapped_up(AgentId(who.agent)) == call),
            "通话",
        )
    else:
        body = await json_of(request)
        if door.own is Ownership.SEAT:
            seat_id = control.acd.seat_of.get(AgentId(who.agent))
            _require(seat_id is not None and body.get("seat") == seat_id, "座席")
        else:
            _require(body.get("supervisor" if door.own is Ownership.SUPERVISOR else "agent") == who.agent, "工号")


def _require(own: bool, what: str) -> None:
    if not own:
        raise error_response(403, FOREIGN.format(what=what))
