"""Whether this instance lives and is ready, for monitors and load balancers: on a port of its own, without a token.

One job: two questions. It tells nothing that a stranger could use: no numbers, no names, no versions. A monitor that
asks too often or says nothing costs a connection, never a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

import structlog
from aiohttp import web

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

ALARM: Final = "health"
KEEPALIVE_SECONDS: Final = 15.0


class AlarmSink(Protocol):
    def put(self, key: str, text: str, *, grave: bool = True) -> None: ...


class Health:
    """The listener of one instance."""

    def __init__(self, bind: str, port: int, readiness: Callable[[], Mapping[str, bool]], alarms: AlarmSink) -> None:
        """``readiness``: each condition by name, true when it holds. ``port`` 0: there is no listener."""
        self._bind = bind
        self._port = port
        self._readiness = readiness
        self._alarms = alarms
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, or say in the log and as an alarm why not: a monitor that cannot ask must not cost calls."""
        if not self._port:
            return
        application = web.Application(client_max_size=1)
        application.add_routes([web.get("/livez", self._live), web.get("/readyz", self._ready)])
        self._runner = web.AppRunner(application, access_log=None, keepalive_timeout=KEEPALIVE_SECONDS)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._bind, self._port).start()
        except OSError as error:
            log.error("health port not open", reason=str(error))
            cause = error.strerror or error
            text = f"健康检查的端口没有打开（{cause}）：请检查 health_bind、health_port 后重启；电话不受影响"
            self._alarms.put(ALARM, text, grave=False)

    async def stop(self) -> None:
        """Close it."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _live(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _ready(self, _request: web.Request) -> web.Response:
        """200 when calls are served as they should be, 503 with what is missing otherwise."""
        conditions = self._readiness()
        lines = "".join(f"{'ok' if holds else 'no'} {name}\n" for name, holds in conditions.items())
        return web.Response(text=lines, status=200 if all(conditions.values()) else 503)
