"""One's own: the checks for those whose right goes no further than their own agent id, seat and calls.

One job: refuse. The declarations: console/access/permissions.py.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from console.access.permissions import Door, Own
from console.http_json import json_of, refused
from orders.service import Orders
from queues.acd import Acd
from telephony.model import AgentId, CallId
from users.model import Identity

FOREIGN: Final = "这不是您自己的{what}，不能操作；需要时请班长处理"


class Floor(Protocol):
    """What these checks need of the engine."""

    @property
    def acd(self) -> Acd: ...

    @property
    def orders(self) -> Orders: ...

    def wrapped_up(self, agent: AgentId) -> CallId | None:
        """The call that this agent's wrap-up is about; None outside a wrap-up."""


async def require_own(door: Door, request: web.Request, who: Identity, control: Floor) -> None:
    """Raises HTTPForbidden unless the request is about the asker's own things."""
    if door.own in (Own.SELF, Own.HANDLED):
        return
    if door.own is Own.NOTHING:
        raise refused(403, "您只能操作自己的工号和通话，这一项需要更大的权限；请联系管理员")
    if not who.agent:
        raise refused(403, "您的用户没有设工号，不能操作座席；请管理员用 hotline users role 补上")
    if door.own is Own.ORDER:
        order = control.orders.book.get(request.match_info["number"])
        _require(order is not None and order.by == who.name, "工单")
    elif door.own is Own.AGENT:
        _require(request.match_info["agent"] == who.agent, "工号")
    elif door.own in (Own.TALK, Own.WORK):
        acd, call = control.acd, request.match_info["call"]
        at = acd.seat_of.get(AgentId(who.agent))
        seat = acd.seats.get(at) if at is not None else None
        talks = seat is not None and seat.call == call
        _require(talks or (door.own is Own.WORK and control.wrapped_up(AgentId(who.agent)) == call), "通话")
    else:
        body = await json_of(request)
        if door.own is Own.SEAT:
            seat_id = control.acd.seat_of.get(AgentId(who.agent))
            _require(seat_id is not None and body.get("seat") == seat_id, "座席")
        else:
            _require(body.get("supervisor" if door.own is Own.SUPERVISOR else "agent") == who.agent, "工号")


def _require(own: bool, what: str) -> None:
    if not own:
        raise refused(403, FOREIGN.format(what=what))
