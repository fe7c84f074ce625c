"""Charts' figures over HTTP: the last day by half-hours, and what so many seats would do.

One job: translate. The measures are the ledger's, the formulas those of queues/forecasting.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import error_response, json_response
from ledger.measures import Aims
from queues.forecasting.erlang import NotCalculable, Outlook
from queues.forecasting.staffing import Target, outlook, seats_for

MOST: Final = {"calls": 5000.0, "talk": 1200.0, "wrap_up": 600.0, "patience": 3600.0, "seats": 3000.0}
"""Per hour, then seconds, then seats: more than any city's; bounds what one question costs."""

LEAST: Final = {"calls": 0.0, "talk": 1.0, "wrap_up": 0.0, "patience": 1.0, "seats": 1.0}
AROUND: Final = 8
"""Rows before and after what is asked for."""

NAMES: Final = {
    "calls": "每小时来电数",
    "talk": "平均通话秒数",
    "wrap_up": "话后整理秒数",
    "patience": "市民耐心秒数",
    "seats": "座席数",
}


class Measured(Protocol):
    """What these routes need of the ledger."""

    async def last_day(self) -> dict[str, Any]:
        """Raises DatabaseError."""


def foresight_routes(measured: Measured, aims: Aims) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""

    async def half_hours(request: web.Request) -> web.Response:
        return json_response(await measured.last_day())

    async def staffing(request: web.Request) -> web.Response:
        return json_response(_staffing(request, aims))

    return [web.get("/api/measures/half-hours", half_hours), web.get("/api/staffing", staffing)]


def _staffing(request: web.Request, aims: Aims) -> dict[str, Any]:
    calls, talk, wrap_up = (_number(request, name) for name in ("calls", "talk", "wrap_up"))
    patience = _number(request, "patience") if request.query.get("patience") else None
    target, handling = Target(aims.answer_seconds, aims.percent / 100), talk + wrap_up
    offered = calls * handling / 3600
    try:
        enough = seats_for(offered, handling, target, patience)
        middle = round(_number(request, "seats")) if request.query.get("seats") else enough
        span = range(max(1, min(middle, enough) - AROUND), max(middle, enough) + AROUND + 1)
        rows = [_row(outlook(offered, seats, handling, patience), target) for seats in _thinned(span)]
    except NotCalculable as error:
        raise error_response(400, str(error)) from None
    aim = {"seconds": target.seconds, "share": target.share}
    return {"offered": offered, "enough": enough, "seats": middle, "rows": rows, "aim": aim}


def _thinned(span: range) -> list[int]:
    """At most some forty of them, both ends included: what is asked for may be far from what would be enough."""
    step = max(1, len(span) // 40)
    return sorted({*span[::step], span[-1]})


def _row(one: Outlook, target: Target) -> dict[str, Any]:
    return {
        "seats": one.seats,
        "wait_share": one.wait_share,
        "service_level": one.service_level(target.seconds),
        "answer_seconds": one.answer_seconds if isfinite(one.answer_seconds) else None,
        "abandon_share": one.abandon_share,
        "occupancy": one.occupancy,
    }


def _number(request: web.Request, name: str) -> float:
    try:
        value = float(request.query.get(name, ""))
        if not LEAST[name] <= value <= MOST[name]:
            raise ValueError
    except ValueError:
        raise error_response(400, f"{NAMES[name]}（{name}）应为 {LEAST[name]:g} 到 {MOST[name]:g} 的数") from None
    return value
