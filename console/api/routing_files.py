"""Files and pictures of the routing table for browsers: export, import, the flow of a number.

One job: bytes in and out of routing.console_queries. The command line does the same on its own machine.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from console.access.guard import UPLOADED
from console.api.routing import LONGEST_NUMBER, Routing, actor_told, sentenced
from console.http_json import WHO
from routing.columns import sheets
from routing.console_queries import DRAFT, FORMATS, export, picture, take_in
from routing.tables import Refused

LONGEST_FILE_NAME: Final = 120


def routing_file_routes(control: Routing) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(control)
    return [
        web.get("/api/routing/picture", sentenced(views.picture)),
        web.get("/api/routing/export", sentenced(views.export)),
        web.post("/api/routing/import", sentenced(views.take_in)),
    ]


class _Views:
    def __init__(self, control: Routing) -> None:
        self._control = control

    async def picture(self, request: web.Request) -> Any:
        number = request.query.get("number", "").strip()[:LONGEST_NUMBER]
        if not number:
            raise Refused("应写明画哪个号码，例如 ?number=12333")
        drawn = await picture(self._control.tables, number)
        return web.Response(text=drawn, content_type="image/svg+xml", charset="utf-8")

    async def export(self, request: web.Request) -> Any:
        told = request.query
        form, source, kind = told.get("form", "xlsx"), told.get("table", DRAFT), told.get("kind", "")
        data = await export(self._control.tables, form, source, kind)
        title = sheets()[kind].title if form == "csv" else "路由表"
        given = f"attachment; filename=\"routing.{form}\"; filename*=UTF-8''{quote(f'{title}.{form}')}"
        return web.Response(body=data, content_type=FORMATS[form], headers={"Content-Disposition": given})

    async def take_in(self, request: web.Request) -> Any:
        told, who = request.query, request[WHO]
        name = told.get("name", "").strip()
        if not 0 < len(name) <= LONGEST_FILE_NAME or not name.isprintable():
            raise Refused("应写明文件名（name），例如 ?name=路由表.xlsx")
        seen = told.get("seen", "")
        if not (seen == "" or (seen.isascii() and seen.isdigit() and len(seen) < 10)):
            raise Refused("seen 应为检查时得到的改动号")
        return await take_in(
            self._control.tables, name, request[UPLOADED], actor_told(request, {"by": who.name, "via": who.origin}),
            check=told.get("check", "1") != "0", seen=int(seen) if seen else None,
        )  # fmt: skip
