"""Signing in and out, and one's own password and second factor, over HTTP.

One job: cookies and JSON. What is right is users.sessions' and users.accounts' to say.
"""

from __future__ import annotations

import time
from typing import Any, Final, Protocol

from aiohttp import web

from audit.model import Actor
from console.access.client_address import address_of
from console.access.guard import Site, origin_of
from console.access.personal_data_limit import Brake
from console.access.rate_limit import RateLimit
from console.http_json import WHO, body_of, error_response, json_response, text_of
from users.accounts import Accounts
from users.model import Identity, User
from users.passwords import csrf_token
from users.rules import LONGEST, NotUsable
from users.sessions import Sessions, SignInRefused

EXAMPLE: Final = '{"user": "zhangsan", "password": "…"}'
MAX_SECRET: Final = 256


class People(Protocol):
    """Users and their sessions."""

    @property
    def accounts(self) -> Accounts: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def brake(self) -> Brake:
        """On looks at personal data."""
        ...


def session_routes(people: People, site: Site) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(people, site)
    return [
        web.post("/api/session", views.sign_in),
        web.get("/api/session", views.me),
        web.post("/api/session/end", views.sign_out),
        web.post("/api/session/password", views.password),
        web.post("/api/session/totp/begin", views.begin_totp),
        web.post("/api/session/totp/confirm", views.confirm_totp),
        web.post("/api/session/totp/end", views.end_totp),
    ]


class _Views:
    def __init__(self, people: People, site: Site) -> None:
        self._people = people
        self._site = site
        self._pace = RateLimit()

    async def sign_in(self, request: web.Request) -> web.Response:
        if wait := self._pace.wait(address_of(request), time.monotonic()):
            raise self._wait("这个地址登录太频繁", wait)
        body = await body_of(request, EXAMPLE)
        name, password = text_of(body, "user", 200, what="用户名"), _secret(body, "password")
        code, old = text_of(body, "code", 200, what="动态口令", empty=True), self._cookie(request)
        try:
            made = await self._people.sessions.sign_in(name.lower(), password, code, origin_of(request), old)
        except SignInRefused as no:
            if no.seconds:
                raise self._wait(str(no), no.seconds) from None
            raise error_response(no.status, str(no), **({"code_wanted": True} if no.code_wanted else {})) from None
        answer = json_response(_shown(made.identity, made.token))
        answer.set_cookie(
            self._site.cookie,
            made.token,
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=self._site.secure,
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def me(self, request: web.Request) -> web.Response:
        return json_response(_shown(request[WHO], self._cookie(request)))

    async def sign_out(self, request: web.Request) -> web.Response:
        await self._people.sessions.end(request[WHO])
        return self._gone({"signed_out": True})

    async def password(self, request: web.Request) -> web.Response:
        body = await body_of(request, '{"old": "…", "new": "…"}')
        user, actor = _user(request), actor_of(request)
        await usable(
            self._people.accounts.change_password(user.name, _secret(body, "old"), _secret(body, "new"), actor)
        )
        return self._gone({"changed": True})

    async def begin_totp(self, request: web.Request) -> web.Response:
        password = _secret(await body_of(request, '{"password": "…"}'), "password")
        return json_response(
            await usable(self._people.accounts.begin_totp(_user(request).name, password, actor_of(request)))
        )

    async def confirm_totp(self, request: web.Request) -> web.Response:
        code = text_of(await body_of(request, '{"code": "123456"}'), "code", 200, what="验证码")
        codes = await usable(self._people.accounts.confirm_totp(_user(request).name, code, actor_of(request)))
        return json_response({"recovery_codes": codes})

    async def end_totp(self, request: web.Request) -> web.Response:
        password = _secret(await body_of(request, '{"password": "…"}'), "password")
        await usable(self._people.accounts.end_totp(_user(request).name, password, actor_of(request)))
        return json_response({"totp": False})

    def _cookie(self, request: web.Request) -> str:
        return request.cookies.get(self._site.cookie, "")

    def _gone(self, value: dict[str, Any]) -> web.Response:
        answer = json_response(value)
        answer.del_cookie(self._site.cookie, path="/", secure=self._site.secure, httponly=True, samesite="Strict")
        return answer

    def _wait(self, reason: str, seconds: int) -> web.HTTPException:
        no = error_response(429, reason if "请" in reason else f"{reason}，请 {seconds} 秒后再试", seconds=seconds)
        no.headers["Retry-After"] = str(seconds)
        return no


def actor_of(request: web.Request) -> Actor:
    """Who acts, for the audit."""
    who = request[WHO]
    return Actor(who.name, who.origin)


async def usable(work: Any) -> Any:
    """The result, or a refusal in the words of who refused."""
    try:
        return await work
    except NotUsable as no:
        raise error_response(409, str(no)) from None


def _user(request: web.Request) -> User:
    user = request[WHO].user
    if user is None:
        raise error_response(403, "程序没有自己的密码")
    return user


def _secret(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_SECRET:
        raise error_response(400, f"{key} 应为 1 到 {MAX_SECRET} 个字符的文字")
    return value


def _shown(who: Identity, token: str) -> dict[str, Any]:
    user = who.user
    return {
        "user": user.name if user else None,
        "name": user.display if user else who.name,
        "roles": sorted(user.roles) if user else [],
        "agent": who.agent,
        "rights": {right.value: scope.value for right, scope in sorted(who.rights.items())},
        "must_change": user.must_change if user else False,
        "totp": user.totp if user else False,
        "must_totp": who.must_totp,
        "csrf": csrf_token(token) if token else "",
    }
