"""Drills (演练) over the API: started at a seat, and a month's report.

One job: translate the request. Whether a drill can be had is the engine's to say, what it was worth
ledger/drill_report.py's.
"""

from __future__ import annotations

import asyncio
import re
from typing import Final, Protocol
from urllib.parse import quote

from aiohttp import web

from console.http_json import body_of, error_response, json_response, operator_of
from ledger.drill_report import DrillReport, as_json
from queues.model import NotAllowed
from routing.model import Snapshot
from telephony.model import EMERGENCY_NUMBERS, SeatId

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXAMPLE: Final = '{"target": "110", "seat": "8001"}'
MONTH: Final = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
WRONG_MONTH: Final = "month 应写成年-月，例如 2026-11"


class DrillsPort(Protocol):
    """What these routes need of the engine."""

    @property
    def snapshot(self) -> Snapshot: ...

    async def start_drill(self, target: str, seat: SeatId, by: str) -> None:
        """Raises NotAllowed, with a sentence, when it cannot be done now."""

    async def drill_report(self, month: str) -> DrillReport | None:
        """None while the ledger cannot be asked."""

    def drill_workbook(self, told: DrillReport) -> bytes:
        """The report as an .xlsx file, to be printed."""


def drill_routes(control: DrillsPort) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [web.post("/api/drills", views.start), web.get("/api/drills", views.report)]


def drill_file_routes(control: DrillsPort) -> list[web.RouteDef]:
    """For browsers: the command writes its file itself."""
    return [web.get("/api/drills/export", _Views(control).export)]


class _Views:
    def __init__(self, control: DrillsPort) -> None:
        self._control = control

    async def start(self, request: web.Request) -> web.Response:
        """Ring a seat's phone; who answers is in a drill."""
        body = await body_of(request, EXAMPLE)
        target, seat = str(body.get("target", "")), str(body.get("seat", ""))
        if target not in EMERGENCY_NUMBERS or seat not in self._control.snapshot.seats:
            targets = "、".join(EMERGENCY_NUMBERS)
            raise error_response(400, f"应为 {EXAMPLE}；target 可用 {targets}，seat 是路由表里的话机号")
        try:
            await self._control.start_drill(target, SeatId(seat), operator_of(body))
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        return json_response({"target": target, "seat": seat})

    async def report(self, request: web.Request) -> web.Response:
        """What was drilled in a month, and what was not."""
        return json_response(as_json(await self._told(request)))

    async def export(self, request: web.Request) -> web.Response:
        told = await self._told(request)
        title = quote(f"演练月报-{told.month}.xlsx")
        given = f"attachment; filename=\"drills-{told.month}.xlsx\"; filename*=UTF-8''{title}"
        data = await asyncio.to_thread(self._control.drill_workbook, told)
        return web.Response(body=data, content_type=XLSX, headers={"Content-Disposition": given})

    async def _told(self, request: web.Request) -> DrillReport:
        month = request.query.get("month", "")
        if not MONTH.fullmatch(month):
            raise error_response(400, WRONG_MONTH)
        told = await self._control.drill_report(month)
        if told is None:
            raise error_response(503, "数据库暂时读不到，演练记录稍后再看；请运行 hotline status 查看数据库")
        return told
