"""The phone in the page: SIP over a WebSocket, between a browser and Asterisk, for the agent who is signed in there.

The set-up page has one, too, for its test call (试打): the same door and pipe, with a phone that can call 12345 alone.

One job: the door and the pipe. A page asks for a password (``POST /api/phone/credentials``) and opens one WebSocket
with it (``GET /api/phone``, subprotocol ``sip``); when that closes, or a new password is asked for, the old one is
worth nothing. Asterisk itself is on loopback: the browser needs one address and one certificate. What goes through is
not looked at; who registers as whom is proven to Asterisk by the password.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import structlog
from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, WSCloseCode, WSMsgType, web

from console.access.guard import Site
from console.http_json import SESSION_CHECK, WHO, body_of, error_response, json_response
from queues.model import NotAllowed
from telephony.model import TRIAL_PHONE, AgentId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

DOMAIN: Final = "hotline.invalid"
"""Of the page's SIP address: a name that is never looked up (RFC 6761)."""

PROTOCOL: Final = "sip"
MAX_FRAME_BYTES: Final = 64 * 1024
OPEN_SECONDS: Final = 60.0
"""A password is good for so long, if no WebSocket is opened with it."""

HEARTBEAT_SECONDS: Final = 10.0
STANDING_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 5.0

ELSEWHERE: Final = 4001
"""Close code: the agent's phone is in another page now."""

SIGNED_OUT: Final = 4002
"""Close code: the session is over, or its right."""

SWITCH_GONE: Final = 4003
"""Close code: Asterisk has ended the connection; it is worth another try."""

Socket = web.WebSocketResponse | ClientWebSocketResponse

_TRIAL: Final = AgentId(TRIAL_PHONE)


class Phones(Protocol):
    """What these routes need of the engine."""

    @property
    def url(self) -> str:
        """Asterisk's WebSocket."""
        ...

    async def grant(self, agent: AgentId) -> str:
        """A new password. Raises NotAllowed."""
        ...

    async def grant_trial(self, number: str = "") -> str:
        """A new password for the set-up page's phone, whose call is taken for this number. Raises NotAllowed."""
        ...

    async def revoke(self, agent: AgentId) -> None:
        """Make it worth nothing."""
        ...

    async def signed_out(self, agent: AgentId) -> None:
        """Whose page it was is not signed in any more: off duty, after the talk that may be going on."""
        ...

    async def resume(self, agent: AgentId) -> None:
        """Ring again for the caller whom the page has lost. Raises NotAllowed."""
        ...


@dataclass(eq=False, slots=True)
class _Line:
    """One password, and the WebSocket opened with it."""

    agent: AgentId
    session: str
    expiry: asyncio.TimerHandle | None = None
    page: web.WebSocketResponse | None = None
    opening: bool = False


def add_phone_routes(app: web.Application, phones: Phones, site: Site) -> None:
    """Add them to the browsers' application; open lines end when it shuts down."""
    views = _Views(phones, site)
    app.add_routes(
        [
            web.post("/api/phone/credentials", views.credentials),
            web.post("/api/phone/resume", views.resume),
            web.get("/api/phone", views.line),
            web.post("/api/setup/trial/phone/credentials", views.trial_credentials),
            web.get("/api/setup/trial/phone", views.trial_line),
        ]
    )
    app.cleanup_ctx.append(views.life)
    app.on_shutdown.append(views.close)


class _Views:
    def __init__(self, phones: Phones, site: Site) -> None:
        self._phones = phones
        self._site = site
        self._lines: dict[AgentId, _Line] = {}
        self._granting = asyncio.Lock()
        """One after the other, so that the last password told is the one that Asterisk knows."""
        self._client: ClientSession | None = None
        self._work: set[asyncio.Task[None]] = set()

    async def life(self, app: web.Application) -> AsyncIterator[None]:
        """The client that connects to Asterisk."""
        async with ClientSession() as client:
            self._client = client
            yield
            self._client = None
            await asyncio.gather(*self._work, return_exceptions=True)

    async def close(self, app: web.Application) -> None:
        """Let all pages go; they come again."""
        for line in tuple(self._lines.values()):
            if line.page is not None:
                await line.page.close(code=WSCloseCode.SERVICE_RESTART)

    async def credentials(self, request: web.Request) -> web.Response:
        agent = _agent(request)
        return await self._granted(request, agent, lambda: self._phones.grant(agent), "/api/phone")

    async def trial_credentials(self, request: web.Request) -> web.Response:
        if request[WHO].user is None:
            raise error_response(403, "程序没有网页电话")
        held = self._lines.get(_TRIAL)
        if held is not None and held.page is not None and held.session != request[WHO].session:
            raise error_response(409, "另一位管理员正在试打；请等他挂断后再试")
        number = (await body_of(request, '{"number": "12333"}')).get("number", "")
        if not isinstance(number, str):
            raise error_response(400, "number 应为文字，例如 12333")
        grant = partial(self._phones.grant_trial, number.strip())
        return await self._granted(request, _TRIAL, grant, "/api/setup/trial/phone")

    async def _granted(
        self, request: web.Request, agent: AgentId, grant: Callable[[], Awaitable[str]], socket: str
    ) -> web.Response:
        async with self._granting:
            old = self._lines.pop(agent, None)
            try:
                password = await grant()
            except NotAllowed as no:
                if old is not None:
                    self._lines[agent] = old
                raise error_response(409, str(no)) from None
            line = self._lines[agent] = _Line(agent, request[WHO].session)
            line.expiry = asyncio.get_running_loop().call_later(OPEN_SECONDS, self._expire, line)
        if old is not None:
            self._replaced(old)
        return json_response(
            {
                "seat": agent, "uri": f"sip:{agent}@{DOMAIN}", "user": agent, "password": password,
                "socket": socket, "expires_seconds": int(OPEN_SECONDS),
            }
        )  # fmt: skip

    async def resume(self, request: web.Request) -> web.Response:
        try:
            await self._phones.resume(_agent(request))
        except NotAllowed as no:
            raise error_response(409, str(no)) from None
        return json_response({"resumed": True})

    async def line(self, request: web.Request) -> web.StreamResponse:
        return await self._opened(request, _agent(request))

    async def trial_line(self, request: web.Request) -> web.StreamResponse:
        return await self._opened(request, _TRIAL)

    async def _opened(self, request: web.Request, agent: AgentId) -> web.StreamResponse:
        offered = [one.strip() for one in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        if request.headers.get("Upgrade", "").lower() != "websocket" or PROTOCOL not in offered:
            raise error_response(400, "这里只接受网页电话的 WebSocket（子协议 sip）；请刷新页面")
        if request.headers.get("Origin") != self._site.own(request):
            raise error_response(403, "网页电话只能由本系统的页面打开；请在浏览器里直接打开本系统")
        line = self._lines.get(agent)
        if line is None or line.opening or line.session != request[WHO].session:
            raise error_response(409, "请先取得一次性的电话口令（POST …/credentials）；请刷新页面")
        line.opening = True
        if line.expiry is not None:
            line.expiry.cancel()
        try:
            return await self._carry(request, line)
        finally:
            if self._lines.get(agent) is line:
                del self._lines[agent]
                self._start(self._phones.revoke(agent))

    async def _carry(self, request: web.Request, line: _Line) -> web.StreamResponse:
        """Connect to Asterisk, then carry both ways until one side ends or the session does."""
        assert self._client is not None, "set for the application's life"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                switch = await self._client.ws_connect(
                    self._phones.url, protocols=(PROTOCOL,), max_msg_size=MAX_FRAME_BYTES
                )
        except (ClientError, OSError, TimeoutError) as error:
            log.warning("page's phone has no switch", agent=line.agent, reason=str(error))
            raise error_response(503, "电话系统暂时没有连上；页面会自动再试") from None
        page = web.WebSocketResponse(
            protocols=(PROTOCOL,), max_msg_size=MAX_FRAME_BYTES, heartbeat=HEARTBEAT_SECONDS, compress=False
        )
        ends: dict[asyncio.Task[None], int] = {}
        try:
            await page.prepare(request)
            line.page = page
            log.info("page's phone connected", agent=line.agent)
            ends[asyncio.create_task(_pipe(page, switch))] = WSCloseCode.OK
            ends[asyncio.create_task(_pipe(switch, page))] = SWITCH_GONE
            ends[asyncio.create_task(_until_signed_out(request))] = SIGNED_OUT
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            why = max(ends[end] for end in done)
            if why == SIGNED_OUT:
                self._start(self._phones.signed_out(line.agent))
            if not page.closed:
                await page.close(code=why)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
            await switch.close()
            log.info("page's phone disconnected", agent=line.agent)
        return page

    def _replaced(self, old: _Line) -> None:
        """The agent's phone is in another page from now on."""
        if old.expiry is not None:
            old.expiry.cancel()
        if old.page is not None:
            self._start(_close(old.page, ELSEWHERE))

    def _expire(self, line: _Line) -> None:
        if self._lines.get(line.agent) is line and not line.opening:
            del self._lines[line.agent]
            self._start(self._phones.revoke(line.agent))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


async def _pipe(source: Socket, sink: Socket) -> None:
    """Text frames, one way, until either side ends. SIP is text: anything else ends it."""
    async for frame in source:
        if frame.type is not WSMsgType.TEXT:
            return
        try:
            await sink.send_str(frame.data)
        except (ClientError, ConnectionError):
            return


async def _until_signed_out(request: web.Request) -> None:
    """The door has just asked who it is; from then on it is asked again and again."""
    standing = request[SESSION_CHECK]
    while True:
        await asyncio.sleep(STANDING_SECONDS)
        if not await standing.still_authorised():
            return


async def _close(page: web.WebSocketResponse, code: int) -> None:
    await page.close(code=code)


def _agent(request: web.Request) -> AgentId:
    who = request[WHO]
    if who.user is None:
        raise error_response(403, "程序没有网页电话")
    if not who.agent:
        raise error_response(403, "您的用户没有设工号，没有网页电话；请管理员用 hotline users role 补上")
    return AgentId(who.agent)
