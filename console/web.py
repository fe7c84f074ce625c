"""The listener for browsers: the API behind sessions, rights and the headers that a page deserves.

One job: put the parts together. The command line has a listener of its own (console/control_api.py) with a token that
no network ever sees; the routes are the same ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from aiohttp import web

from console.access.guard import HEADERS, MAX_BODY_BYTES, YEAR_SECONDS, Guard, Handler, Site, error_middleware
from console.access.permissions import API_ROUTES
from console.api.calls import Archive, call_routes
from console.api.desk import desk_routes
from console.api.drills import drill_file_routes
from console.api.feed import Feed, feed_routes
from console.api.forecasting import Measured, foresight_routes
from console.api.instance import InstancePort, instance_routes
from console.api.prompts import Prompts, prompt_routes
from console.api.reports import report_routes
from console.api.routing_files import routing_file_routes
from console.api.sessions import session_routes
from console.api.setup import SetUp, setup_routes
from console.api.users import UsersPort, user_routes
from console.control_api import Control, api_routes
from console.http_json import json_response
from console.live.hub import Hub
from console.live.sse import add_live_routes
from console.live.websocket import add_live_socket
from console.openapi import document
from console.screens.topics import Screens
from console.static_pages import page_routes
from console.web_phone_proxy import Phones, add_phone_routes
from ledger.reports.service import Reports


class WebServices(UsersPort, Protocol):
    """What only browsers need: users, the archive of calls, what pages watch, and their own phones."""

    @property
    def archive(self) -> Archive: ...

    @property
    def screens(self) -> Screens: ...

    @property
    def phones(self) -> Phones: ...

    @property
    def measured(self) -> Measured: ...

    @property
    def reports(self) -> Reports: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def prompts(self) -> Prompts: ...

    @property
    def care(self) -> InstancePort: ...

    @property
    def set_up(self) -> SetUp: ...


def web_application(control: Control, behind: WebServices, site: Site, pages: Path) -> web.Application:
    """Pages and API for browsers and programs, as an aiohttp application; ``pages``: the folder of the built pages."""
    guard = Guard(behind.sessions, control, site)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await guard.authorise(request, handler)

    async def described(request: web.Request) -> web.Response:
        return json_response(document(API_ROUTES))

    async def dress(request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.update(HEADERS)
        if request.path.startswith("/api/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        if site.secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"

    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[error_middleware, guarded])
    app.on_response_prepare.append(dress)
    app.add_routes(
        [
            *page_routes(pages),
            *session_routes(behind, site),
            web.get("/api/openapi.json", described),
            *api_routes(control),
            *desk_routes(behind.archive, control),
            *call_routes(behind, behind.archive, control),
            *user_routes(behind),
            *foresight_routes(behind.measured, control.counters.aims),
            *report_routes(behind.reports, lambda: control.snapshot),
            *feed_routes(behind.feed),
            *instance_routes(behind, behind.care),
            *setup_routes(behind.set_up),
            *routing_file_routes(control),
            *prompt_routes(behind.prompts),
            *drill_file_routes(control),
        ]
    )
    add_live_routes(app, control)
    add_live_socket(app, Hub(behind.screens, lambda: control.now_ms))
    add_phone_routes(app, behind.phones, site)
    return app
