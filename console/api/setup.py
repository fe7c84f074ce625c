"""The first run over HTTP: what is still to do, the newest test call, and the sample data taken out.

One job: translate. The test call's own phone is console/web_phone_proxy.py's.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

from audit.model import Actor
from console.api.routing import actor_told, sentenced
from console.http_json import WHO, body_of, text_of, whole_of

EXAMPLE: Final = '{"reason": "上线前清理", "seen": 1}'
MAX_REASON: Final = 100
MOST_VERSIONS: Final = 1_000_000_000


class Clearable(Protocol):
    """The sample data."""

    async def shown(self, user: str = "") -> dict[str, Any]: ...

    async def remove(self, actor: Actor, reason: str, *, seen: int | None, user: str = "") -> dict[str, Any]:
        """Raises routing.tables.Refused."""
        ...


class SetUp(Protocol):
    """What these routes need of the instance."""

    @property
    def samples(self) -> Clearable: ...

    async def steps(self, user: str = "") -> dict[str, Any]: ...

    async def trial(self) -> dict[str, Any]: ...


def setup_routes(set_up: SetUp) -> list[web.RouteDef]:
    """The routes, for both listeners."""
    views = _Views(set_up)
    return [
        web.get("/api/setup", sentenced(views.steps)),
        web.get("/api/setup/trial", sentenced(views.trial)),
        web.get("/api/setup/samples", sentenced(views.samples)),
        web.post("/api/setup/samples/remove", sentenced(views.remove)),
    ]


class _Views:
    def __init__(self, set_up: SetUp) -> None:
        self._set_up = set_up

    async def steps(self, request: web.Request) -> Any:
        return await self._set_up.steps(_user(request))

    async def trial(self, request: web.Request) -> Any:
        return await self._set_up.trial()

    async def samples(self, request: web.Request) -> Any:
        return await self._set_up.samples.shown(_user(request))

    async def remove(self, request: web.Request) -> Any:
        """The table as it was shown, or not at all."""
        body = await body_of(request, EXAMPLE)
        reason = text_of(body, "reason", MAX_REASON, what="原因")
        seen = whole_of(body.get("seen"), "seen", 0, 0, MOST_VERSIONS) or None
        actor = actor_told(request, body)
        return await self._set_up.samples.remove(actor, reason, seen=seen, user=_user(request))


def _user(request: web.Request) -> str:
    """The name that somebody signed in with; the command line has none."""
    who = request.get(WHO)
    return who.user.name if who is not None and who.user is not None else ""
