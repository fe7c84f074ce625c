"""The door-keeper of the browsers' listener: who asks, from which page, with which right, for whose things.

One job: refuse before a handler is reached. It acts by console/access/permissions.py; a route that is not declared
there is shut.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiohttp import web

from console.access.client_address import ADDRESS, HEADER, Network, address_of, client_address
from console.access.ownership import OwnershipPort, require_own
from console.access.permissions import BY_ROUTE, Route
from console.http_json import SESSION_CHECK, WHO, SessionCheck, error_response, json_response
from console.request_faults import TOLD, client_s
from database.errors import DatabaseError
from users.model import Identity, Scope
from users.passwords import csrf_token

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

CSRF_HEADER: Final = "X-CSRF-Token"
SAFE: Final = ("GET", "HEAD")
BODY_SECONDS: Final = 10.0
"""How long a browser may take to send what it has to say."""

MAX_BODY_BYTES: Final = 64 * 1024
FILE_TYPE: Final = "application/octet-stream"
FILE_SECONDS: Final = 60.0
"""How long a file may take: 20 MB at 3 Mbit/s."""

UPLOADED: Final = web.RequestKey("uploaded", bytes)
"""The file that came, at a door that takes one."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Server": "hotline",
}
YEAR_SECONDS: Final = 365 * 24 * 3600

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SessionLookup(Protocol):
    """Who is signed in."""

    async def identify(self, token: str) -> Identity | None: ...

    async def standing(self, token: str) -> Identity | None:
        """For who is looked at again and again."""
        ...

    async def program(self, token: str, origin: str) -> Identity | None: ...


@dataclass(frozen=True, slots=True)
class Site:
    """How browsers see this listener."""

    secure: bool = False
    """They come by TLS, here or at a proxy in front."""
    origin: str = ""
    """As a proxy in front is called, e.g. ``https://12345.example``; empty: by the request's own Host."""
    proxies: tuple[Network, ...] = ()
    """Whose word for a client's address counts."""

    @property
    def cookie(self) -> str:
        """A name with ``__Host-`` makes the browser insist on Secure, on this host and on the whole of it."""
        return "__Host-hotline" if self.secure else "hotline"

    def own(self, request: web.Request) -> str:
        """The origin that a page of ours has."""
        return self.origin or f"{request.scheme}://{request.host}"


@dataclass(frozen=True, slots=True)
class Guard:
    """One listener's."""

    known: SessionLookup
    control: OwnershipPort
    site: Site

    async def authorise(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let the request in, or raise the refusal."""
        forwarded = request.headers.getall(HEADER, [])
        request[ADDRESS] = client_address(request.remote or "", forwarded, self.site.proxies)
        if (unknown := request.match_info.http_exception) is not None:
            raise unknown
        door = self._door(request)
        token = self._cookie(request)
        program = request.headers.get("Authorization", "").partition("Bearer ")[2].strip()
        if not program and not door.signed and not door.page:
            self._require_own_page(request)
        who: Identity | None = None
        if door.right is not None:
            who = await self._identify(request, token, program)
            if request.method not in SAFE and not program:
                self._require_csrf(request, token)
            require_right(door, who)
            request[WHO] = who
            request[SESSION_CHECK] = SessionCheck(self._now(door, token, program, who))
        await _read(request, door)
        if who is not None and door.right is not None and who.rights[door.right] is Scope.OWN:
            await require_own(door, request, who, self.control)
        return await handler(request)

    def _door(self, request: web.Request) -> Route:
        resource = request.match_info.route.resource
        method = "GET" if request.method == "HEAD" else request.method
        door = BY_ROUTE.get((method, resource.canonical if resource is not None else ""))
        if door is not None and "web" not in door.listeners:
            raise web.HTTPNotFound
        if door is None:
            log.error("route without a declared right", method=method, path=request.path)
            raise error_response(403, "这个接口没有声明权限，不开放；请告诉开发人员")
        return door

    def _cookie(self, request: web.Request) -> str:
        return request.cookies.get(self.site.cookie, "")

    def _require_own_page(self, request: web.Request) -> None:
        """Only pages of ours may ask with the browser's cookie: two marks that a page cannot forge, either shuts."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        safe = request.method in SAFE
        foreign = (site is not None and site not in (("same-origin", "none") if safe else ("same-origin",))) or (
            origin is not None and origin != self.site.own(request)
        )
        if foreign or (not safe and site is None and origin is None):
            raise error_response(403, "请求不是从本系统的页面发出的；请在浏览器里直接打开本系统，程序请用令牌")

    async def _identify(self, request: web.Request, token: str, program: str) -> Identity:
        try:
            who = (
                await self.known.program(program, origin_of(request))
                if program
                else await self.known.identify(token) if token else None
            )  # fmt: skip
        except DatabaseError as error:
            raise error_response(503, f"现在核对不了身份：{error}") from None
        if who is None:
            what = "令牌不对、已收回或已到期；请管理员用 hotline users client-add 重新发放" if program else "请先登录"
            raise error_response(401, what)
        return who

    def _require_csrf(self, request: web.Request, token: str) -> None:
        offered = request.headers.get(CSRF_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(offered, csrf_token(token).encode()):
            raise error_response(403, f"请求缺少页面凭据（{CSRF_HEADER}）；请刷新页面后再试")

    def _now(self, door: Route, token: str, program: str, who: Identity) -> Callable[[], Awaitable[Identity | None]]:
        async def now() -> Identity | None:
            found = await (self.known.program(program, who.origin) if program else self.known.standing(token))
            return found if found is not None and door.right in found.rights else None

        return now


def require_right(door: Route, who: Identity) -> None:
    """Raises HTTPForbidden."""
    if door.right is None or door.right in who.rights:
        return
    if who.user is not None and who.user.must_change:
        raise error_response(403, "请先改密码：一次性密码只能用来登录和改密码", must_change=True)
    if who.must_totp:
        raise error_response(403, "请先启用动态口令：您的角色必须有它才能用本系统", must_totp=True)
    raise error_response(403, f"您没有“{door.what}”的权限（{door.right}）；需要时请管理员调整角色")


def origin_of(request: web.Request) -> str:
    """From where somebody asks, for the record."""
    agent = "".join(sign for sign in request.headers.get("User-Agent", "") if sign.isprintable())
    return f"网页 {address_of(request) or '?'} {agent}"[:200].strip()


async def _read(request: web.Request, door: Route) -> None:
    """The body, whole and in time, and nothing but JSON or a door's file: forms of other pages send neither unasked."""
    if request.method in SAFE:
        return
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise error_response(415, "请求体不要压缩（不要带 Content-Encoding）")
    if door.upload:
        await _take(request, door.upload)
        return
    if not request.can_read_body:
        return
    if request.content_type != "application/json":
        raise error_response(415, "请求体应为 JSON（Content-Type: application/json）")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await request.read()
    except TimeoutError:
        raise error_response(408, f"请求体 {BODY_SECONDS:.0f} 秒内没有收完；请检查网络后再试") from None


async def _take(request: web.Request, most: int) -> None:
    """A file, piece by piece, no more of it than the door takes."""
    if request.content_type != FILE_TYPE:
        raise error_response(415, f"请求体应为文件（Content-Type: {FILE_TYPE}）")
    told = f"文件最大 {most / 1e6:.0f} MB；请减小文件（表格去掉图片和多余的行，录音剪短）后再试"
    if (request.content_length or 0) > most:
        raise error_response(409, told)
    pieces = bytearray()
    try:
        async with asyncio.timeout(FILE_SECONDS):
            async for piece in request.content.iter_chunked(MAX_BODY_BYTES):
                pieces += piece
                if len(pieces) > most:
                    raise error_response(409, told)
    except TimeoutError:
        raise error_response(408, f"文件 {FILE_SECONDS:.0f} 秒内没有收完；请检查网络后再试") from None
    request[UPLOADED] = bytes(pieces)


OWN_REFUSALS: Final = {
    404: "没有这个接口；全部接口见 /api/openapi.json",
    405: "这个接口不接受这种请求方法；查看用 GET，操作用 POST",
    413: f"请求体太大，最多 {MAX_BODY_BYTES} 字节",
}


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal and every fault a JSON sentence; a fault is logged, and its text stays here."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        return json_response({"error": OWN_REFUSALS.get(error.status, error.reason)}, error.status)
    except DatabaseError as error:
        return json_response({"error": f"没有做成，什么都没有改：{error}"}, 503)
    except UnicodeEncodeError:  # half a character ("\ud800" in JSON), which an answer was to repeat
        return json_response({"error": "请求里有不成字的字符；请改正后重试"}, 400)
    except ConnectionError:
        raise
    except Exception as error:
        if client_s(error):
            TOLD.bad_request(error)
            return json_response({"error": "请求体看不懂，或嵌套太深；请改正后重试"}, 400)
        TOLD.fault(error, method=request.method, path=request.path)
        return json_response({"error": "系统出错，没有做成；已记入日志，请告诉管理员"}, 500)
