"""Our side of the wire of HTTP: what aiohttp answers and logs before a request reaches a handler of ours.

One job: let no stranger cost more than an answer. Heads that are none, bodies that cannot be unpacked and peers that go
away leave no traceback; a refusal says nothing of what serves here; connections are bounded, as a whole and for each
address, and a head has to come in time.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from console.request_faults import TOLD, client_s

HEAD_SECONDS: Final = 20.0
"""How long a peer may take for the head of a request, and be silent between two."""

MOST_CONNECTIONS: Final = 4000
MOST_OF_ONE: Final = 1500
"""From one address: a floor of 200 seats behind one router, seven connections each."""

UNREADABLE: Final = {
    408: "请求没有在时限内发完；请检查网络后再试",
    413: "请求太大；请减小后再试",
    500: "系统出错，没有做成；已记入日志，请告诉管理员",
    504: "没有在时限内做完；请稍后再试",
}


class _Handler(RequestHandler):
    """One connection."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        manager = self._manager
        if isinstance(manager, _Server) and not manager.admit(transport):
            self._manager = None
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
            return
        super().connection_made(transport)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what nobody could read; raises ConnectionError when nothing can be answered any more."""
        if isinstance(exc, ConnectionError):
            raise exc
        if exc is None or client_s(exc):
            TOLD.bad_request(exc)
            status = status if 400 <= status < 500 else 504 if exc is None else 400
        else:
            TOLD.fault(exc, path=request.path)
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out")
        text = UNREADABLE.get(status, "看不懂这个请求；请检查请求行和请求头")
        answer = web.Response(
            status=status,
            text=json.dumps({"error": text}, ensure_ascii=False),
            content_type="application/json",
            headers={"Server": "hotline"},
        )
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """aiohttp's own last resort."""
        error = kw.get("exc_info")
        if isinstance(error, BaseException) and not client_s(error):
            TOLD.fault(error)
        else:
            TOLD.bad_request(error if isinstance(error, BaseException) else None)


class _Server(web.Server):
    """All connections of one listener."""

    def admit(self, transport: asyncio.BaseTransport) -> bool:
        """Whether one more connection from there is borne."""
        if len(self._connections) >= MOST_CONNECTIONS:
            return False
        address = _address(transport)
        return sum(_address(there) == address for there in self._connections.values()) < MOST_OF_ONE

    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


def _address(transport: asyncio.BaseTransport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


class Listener(web.AppRunner):
    """An application's runner whose connections behave so."""

    def __init__(self, app: web.Application, **more: Any) -> None:
        kept: dict[str, Any] = {"access_log": None, "keepalive_timeout": HEAD_SECONDS, "auto_decompress": False}
        super().__init__(app, **(kept | more))

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            loop=asyncio.get_running_loop(),
            **made._kwargs,  # noqa: SLF001  # the same server, with connections of ours
        )
