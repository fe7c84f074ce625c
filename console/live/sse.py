"""The live view over the control API: a snapshot, a stream of what changes, and metrics for Prometheus.

One job: HTTP. ``/api/live`` is the whole picture; ``/api/live/stream`` sends it once as ``snapshot`` and then, at most
once a second and only when something changed, a ``delta`` (JSON merge patch, RFC 7396) as server-sent events. Pictures
are made once for all who look, and not at all when nobody does. A reader that does not keep up is let go: it comes
again and gets a new snapshot. Who signs out, or loses the right, loses the stream within half a minute.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import SESSION_CHECK, WHO, error_response
from console.live.metrics import text
from ledger.live import Live, merge_patch
from orders.service import Orders
from queues.acd import Acd

STEP_SECONDS: Final = 1.0
QUIET_SECONDS: Final = 15.0
"""After so long without news a comment is sent, so that a dead reader is noticed."""

MAX_BEHIND: Final = 20
"""Deltas that a slow reader may be behind."""

MAX_READERS: Final = 200
MAX_OF_ONE: Final = 10
"""Of one user or program: whoever opens more shuts out himself alone."""


class Use(Protocol):
    """One limit."""

    @property
    def limit(self) -> str: ...
    @property
    def used(self) -> int: ...
    @property
    def most(self) -> int: ...


class LiveView(Protocol):
    """What these routes need of the engine."""

    @property
    def acd(self) -> Acd: ...

    @property
    def counters(self) -> Live: ...

    @property
    def orders(self) -> Orders: ...

    @property
    def uses(self) -> Sequence[Use]:
        """How much of each limit is in use."""
        ...

    def picture(self) -> dict[str, Any]:
        """Everything a screen shows, at this moment."""
        ...


def add_live_routes(app: web.Application, control: LiveView) -> None:
    """Add them to the control API's application; open streams end when it shuts down."""
    views = _Views(control)
    app.add_routes(
        [
            web.get("/api/live", views.snapshot),
            web.get("/api/live/stream", views.stream),
            web.get("/metrics", views.metrics),
        ]
    )
    app.on_shutdown.append(views.close)


class _Views:
    def __init__(self, control: LiveView) -> None:
        self._control = control
        self._readers: dict[asyncio.Queue[bytes], str] = {}
        """What waits to be sent, with the name of who reads."""
        self._painter: asyncio.Task[None] | None = None
        self._last: dict[str, Any] = {}

    async def snapshot(self, request: web.Request) -> web.Response:
        return web.Response(text=_json(self._control.picture()), content_type="application/json", charset="utf-8")

    async def metrics(self, request: web.Request) -> web.Response:
        uses = [(use.limit, use.used, use.most) for use in self._control.uses]
        body, kind = text(self._control.acd, self._control.counters, self._control.orders, uses)
        return web.Response(body=body, headers={"Content-Type": kind})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        if len(self._readers) >= MAX_READERS:
            reason = f"已有 {MAX_READERS} 个大屏或页面在看，请关掉不用的再试"
            raise web.HTTPServiceUnavailable(text=_json({"error": reason}), content_type="application/json")
        name = who.name if (who := request.get(WHO)) is not None else ""
        if name and sum(reader == name for reader in self._readers.values()) >= MAX_OF_ONE:
            raise error_response(429, f"您已打开 {MAX_OF_ONE} 个实时页面或程序连接，请关掉不用的再试")
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await answer.prepare(request)
        news: asyncio.Queue[bytes] = asyncio.Queue(MAX_BEHIND)
        if self._painter is None:
            self._last = self._control.picture()
            self._painter = asyncio.get_running_loop().create_task(self._paint())
        news.put_nowait(_event("snapshot", self._last))
        self._readers[news] = name
        standing, asked = request.get(SESSION_CHECK), time.monotonic()
        try:
            while news in self._readers or not news.empty():
                try:
                    await answer.write(await asyncio.wait_for(news.get(), QUIET_SECONDS))
                except TimeoutError:
                    await answer.write(b": still here\n\n")
                if time.monotonic() - asked > QUIET_SECONDS:
                    asked = time.monotonic()
                    if standing is not None and not await standing.still_authorised():
                        break
        except ConnectionError:
            pass  # the reader has gone: nothing to tell anybody
        finally:
            self._readers.pop(news, None)
            if not self._readers and self._painter is not None:
                self._painter.cancel()
                self._painter = None
        return answer

    async def close(self, app: web.Application) -> None:
        """Let all readers go."""
        for news in tuple(self._readers):
            self._readers.pop(news, None)
            if news.empty():
                news.put_nowait(b"")  # wakes who waits for news

    async def _paint(self) -> None:
        while True:
            await asyncio.sleep(STEP_SECONDS)
            picture = self._control.picture()
            patch = merge_patch(self._last, picture)
            self._last = picture
            if not patch:
                continue
            event = _event("delta", patch)
            for news in tuple(self._readers):
                try:
                    news.put_nowait(event)
                except asyncio.QueueFull:
                    self._readers.pop(news, None)


def _event(name: str, value: Any) -> bytes:
    return f"event: {name}\ndata: {_json(value)}\n\n".encode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
