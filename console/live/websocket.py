"""The live WebSocket ``/api/ws?topics=me,groups``: what a page shows, pushed to it.

One job: the life of a socket. What is sent: console/screens/topics.py and console/live/hub.py. It is one-way: a page
acts over the other routes. Frames are written as they are, once made for all; the socket's own pings find peers that
are dead.
"""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSCloseCode, web

from console.http_json import SESSION_CHECK, WHO, SessionCheck, error_response
from console.live.hub import Hub, Subscriber
from console.screens.topics import NEEDS, Topic
from telephony.model import AgentId
from users.model import Identity, Scope

PING_SECONDS: Final = 15.0
"""How often a peer is asked whether it lives; half of it later it is taken for dead."""

STANDING_SECONDS: Final = 2.0
"""How often it is looked whether who watches may still do so."""

CLOSE_SECONDS: Final = 2.0
MAX_SOCKETS: Final = 1000
MAX_OF_ONE: Final = 20
"""Of one user or program: a browser's tabs. Whoever opens more, in however many sessions, shuts out himself alone."""

MAX_SAID_BYTES: Final = 1024

SIGNED_OUT: Final = 4401
NOT_ALLOWED: Final = 4403


def add_live_socket(app: web.Application, hub: Hub) -> None:
    """Add it; open sockets are closed, with a reason that lets pages come again, when the application shuts down."""
    sockets = _Sockets(hub)
    app.add_routes([web.get("/api/ws", sockets.open)])
    app.on_shutdown.append(sockets.close)

    async def ended(_: web.Application) -> None:
        await hub.stop()

    app.on_cleanup.append(ended)


class _Sockets:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: dict[web.WebSocketResponse, str] = {}
        """With the name of who watches."""

    async def open(self, request: web.Request) -> web.StreamResponse:
        who = request[WHO]
        topics = _topics(request)
        if denied := not_allowed(who, topics):
            raise error_response(403, f"您没有看 {'、'.join(denied)} 的权限；请去掉它们，或请管理员调整角色")
        socket = web.WebSocketResponse(
            heartbeat=PING_SECONDS, timeout=CLOSE_SECONDS, compress=False, max_msg_size=MAX_SAID_BYTES
        )
        if not socket.can_prepare(request).ok:
            raise error_response(400, "这是 WebSocket 接口，请用 ws:// 或 wss:// 连接")
        if who.session and "Origin" not in request.headers:
            raise error_response(403, "请求没有说明来自哪个页面（Origin）；请在浏览器里打开本系统，程序请用令牌")
        self._admit(who)
        await socket.prepare(request)
        assert request.transport is not None, "prepared a moment ago"
        watcher = Subscriber(request.transport, topics, AgentId(who.agent) if who.agent else None)
        self._open[socket] = who.name
        try:
            self._hub.subscribe(watcher)
            await _watched(socket, request[SESSION_CHECK], who, topics)
        finally:
            self._hub.unsubscribe(watcher)
            del self._open[socket]
        return socket

    def _admit(self, who: Identity) -> None:
        if len(self._open) >= MAX_SOCKETS:
            raise error_response(503, f"已有 {MAX_SOCKETS} 个页面在看，请关掉不用的再试")
        if sum(name == who.name for name in self._open.values()) >= MAX_OF_ONE:
            raise error_response(429, f"您已打开 {MAX_OF_ONE} 个页面，请关掉不用的再试")

    async def close(self, app: web.Application) -> None:
        """The engine goes: pages are told, and come again."""
        message = "系统正在重启，请稍候".encode()
        await asyncio.gather(*(one.close(code=WSCloseCode.GOING_AWAY, message=message) for one in tuple(self._open)))


async def _watched(
    socket: web.WebSocketResponse, standing: SessionCheck, who: Identity, topics: frozenset[Topic]
) -> None:
    """Until the page goes, or may not watch any more."""
    looking = asyncio.create_task(_until_shut_out(socket, standing, who, topics))
    try:
        async for _ in socket:  # pings and pongs are not among what is said
            await socket.close(code=WSCloseCode.POLICY_VIOLATION, message="这个连接只推送，操作请用其他接口".encode())
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _until_shut_out(
    socket: web.WebSocketResponse, standing: SessionCheck, who: Identity, topics: frozenset[Topic]
) -> None:
    """Look again and again, whatever the page does meanwhile; close when the answer is no."""

    def may(now: Identity) -> bool:
        return now.agent == who.agent and not not_allowed(now, topics)

    while True:
        await asyncio.sleep(STANDING_SECONDS)
        if not await standing.still_authorised(may):
            break
    if await standing.still_authorised():
        await socket.close(code=NOT_ALLOWED, message="您的权限变了，请刷新页面".encode())
    else:
        await socket.close(code=SIGNED_OUT, message="登录已失效，请重新登录".encode())


def not_allowed(who: Identity, topics: frozenset[Topic]) -> list[Topic]:
    """The topics for which the rights do not suffice."""
    return sorted(topic for topic in topics if who.rights.get(NEEDS[topic]) is not Scope.ALL)


def _topics(request: web.Request) -> frozenset[Topic]:
    asked = {name for name in request.query.get("topics", Topic.ME).split(",") if name}
    if unknown := asked - set(Topic):
        names = "、".join(sorted(name[:20] for name in unknown)[:5])
        raise error_response(400, f"没有主题 {names}；topics 可用 {'、'.join(Topic)}，用逗号分开")
    return frozenset(Topic(name) for name in asked)
