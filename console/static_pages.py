"""The browser application as it was built: one page, and its parts under names that change with what is in them.

One job: hand out files. They hold nothing that is anybody's; what the page shows comes through the API. Built by the
launcher from console/app; where that has not been done, the page says so.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aiohttp import web

from console.http_json import error_response

ASSET: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}", re.ASCII)
FOR_GOOD: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""A part's name holds a hash of its text: what was fetched once is good for ever."""

ANEW: Final = {"Cache-Control": "no-cache"}

NOT_BUILT: Final = (
    "<!doctype html><html lang=zh-CN><meta charset=utf-8><title>12345 热线</title>"
    "<h1>网页还没有构建</h1><p>请在服务器上运行 ./hotline up（需要能访问 npm 软件源），再刷新本页。"
    "电话和 hotline 命令不受影响。</p>"
)


def page_routes(built: Path) -> list[web.RouteDef]:
    """The routes; ``built`` is the folder that the build leaves."""
    views = _Views(built)
    return [
        web.get("/", views.page),
        web.get("/favicon.svg", views.icon),
        web.get("/assets/{file}", views.asset),
    ]


class _Views:
    def __init__(self, built: Path) -> None:
        self._built = built

    async def page(self, request: web.Request) -> web.StreamResponse:
        page = self._built / "index.html"
        if not page.is_file():
            return web.Response(status=503, text=NOT_BUILT, content_type="text/html", charset="utf-8", headers=ANEW)
        return web.FileResponse(page, headers=ANEW)

    async def icon(self, request: web.Request) -> web.StreamResponse:
        return self._file(self._built / "favicon.svg", ANEW)

    async def asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        if not ASSET.fullmatch(name):
            raise web.HTTPNotFound
        return self._file(self._built / "assets" / name, FOR_GOOD)

    def _file(self, path: Path, headers: dict[str, str]) -> web.StreamResponse:
        if not path.is_file():
            raise error_response(404, "网页已更新，请刷新（F5）")
        return web.FileResponse(path, headers=headers)
