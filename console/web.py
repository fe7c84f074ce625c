"""The listener for browsers: the API behind sessions, rights and the headers that a page deserves.

One job: put the parts together. The command line has a listener of its own (console/api.py) with a token that no
network ever sees; the routes are the same ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from aiohttp import web

from console.api import Control, api_routes
from console.care_routes import Care, care_routes
from console.desk_routes import desk_routes
from console.doors import API_DOORS
from console.drill_routes import drill_file_routes
from console.foresight_routes import Measured, foresight_routes
from console.guard import HEADERS, MAX_BODY_BYTES, YEAR_SECONDS, Guard, Handler, Site, worded
from console.live_hub import Hub, Screens
from console.live_routes import add_live_routes
from console.live_socket import add_live_socket
from console.look_routes import Archive, look_routes
from console.openapi import document
from console.pages import page_routes
from console.people_routes import Managed, people_routes
from console.phone_routes import Phones, add_phone_routes
from console.plain import answered
from console.prompt_routes import Prompts, prompt_routes
from console.report_routes import report_routes
from console.routing_file_routes import routing_file_routes
from console.session_routes import session_routes
from console.setup_routes import SetUp, setup_routes
from ledger.reports.service import Reports


class Behind(Managed, Protocol):
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
    def prompts(self) -> Prompts: ...

    @property
    def care(self) -> Care: ...

    @property
    def set_up(self) -> SetUp: ...


def web_application(control: Control, behind: Behind, site: Site, pages: Path) -> web.Application:
    """Pages and API for browsers and programs, as an aiohttp application; ``pages``: the folder of the built pages."""
    guard = Guard(behind.sessions, control, site)

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await guard.enter(request, handler)

    async def described(request: web.Request) -> web.Response:
        return answered(document(API_DOORS))

    async def dress(request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.update(HEADERS)
        if request.path.startswith("/api/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        if site.secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}"

    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[worded, guarded])
    app.on_response_prepare.append(dress)
    app.add_routes(
        [
            *page_routes(pages),
            *session_routes(behind, site),
            web.get("/api/openapi.json", described),
            *api_routes(control),
            *desk_routes(behind.archive, control),
            *look_routes(behind, behind.archive, control),
            *people_routes(behind),
            *foresight_routes(behind.measured, control.counters.aims),
            *report_routes(behind.reports, lambda: control.snapshot),
            *care_routes(behind, behind.care),
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
