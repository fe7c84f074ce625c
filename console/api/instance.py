"""What who looks after the instance asks: is the audit whole, is it well, how is a phone set up, who may what.

One job: translate. A phone's password is written down as seen before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiohttp import web

from audit.model import Act
from console.access.permissions import API_ROUTES
from console.api.sessions import People, actor_of
from console.http_json import body_of, error_response, json_response, text_of
from telephony.model import SEAT_ID, SeatId
from users.model import Right, Role
from users.rules import FOR_CLIENTS, RIGHTS, ROLE_WORDS

EXAMPLE: Final = '{"reason": "装新话机"}'
MAX_REASON: Final = 100


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of looking through the whole audit."""

    count: int
    noted: int
    """Entries whose seal is known outside the database, too."""
    findings: Sequence[str]
    last: str
    """Number and hash of the last entry, to be kept elsewhere; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor's."""

    subject: str
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """What is typed into a phone."""

    server: str
    """Empty: the phones are served at every address of the machine."""
    port: int
    password: str


class InstancePort(Protocol):
    """What these routes need of the instance."""

    async def verified(self) -> Verified: ...

    async def diagnosed(self) -> Sequence[Diagnosis]: ...

    async def line(self, seat: SeatId) -> Line | None:
        """None for a seat that is not there."""
        ...


def instance_routes(people: People, care: InstancePort) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(people, care)
    return [
        web.get("/api/audit/verify", views.verify),
        web.get("/api/doctor", views.doctor),
        web.get("/api/rights", views.rights),
        web.post("/api/seats/{seat}/set-up", views.set_up),
    ]


class _Views:
    def __init__(self, people: People, care: InstancePort) -> None:
        self._people = people
        self._care = care

    async def verify(self, request: web.Request) -> web.Response:
        found = await self._care.verified()
        return json_response(
            {"count": found.count, "noted": found.noted, "findings": list(found.findings), "last": found.last}
        )

    async def doctor(self, request: web.Request) -> web.Response:
        rows = [
            {"subject": one.subject, "level": one.level, "message": one.message} for one in await self._care.diagnosed()
        ]
        return json_response({"findings": rows})

    async def rights(self, request: web.Request) -> web.Response:
        roles = [{"role": role.value, "name": ROLE_WORDS[role]} for role in Role]
        policy = self._people.accounts.policy
        decided = {
            "roles_may_mix": policy.mixed_roles,
            "second_person": policy.second_person,
            "second_factor_roles": sorted(policy.second_factor),
            "one_time_password_hours": int(policy.one_time.total_seconds() // 3600),
        }
        rights = [_right(right) for right in Right if right is not Right.SELF]
        return json_response({"roles": roles, "rights": rights, "policy": decided})

    async def set_up(self, request: web.Request) -> web.Response:
        """What to type into the phone of a seat."""
        seat = request.match_info["seat"]
        reason = text_of(await body_of(request, EXAMPLE), "reason", MAX_REASON, what="原因")
        line = await self._care.line(SeatId(seat)) if SEAT_ID.fullmatch(seat) else None
        if line is None:
            raise error_response(404, f"没有话机 {seat[:40]!r}；话机在路由表的“话机”中，发布后才有密码")
        act = Act("look.seat", f"看话机 {seat} 的密码", reason, {"seat": seat})
        await self._people.accounts.write_down(actor_of(request), act)
        return json_response({"seat": seat, "server": line.server, "port": line.port, "password": line.password})


BESIDES: Final[Mapping[Right, list[str]]] = {Right.FEED_NUMBERS: ["部门的程序取自己订阅的数据时，来电号码完整给出"]}
"""What a right opens that is no route of its own."""


def _right(right: Right) -> dict[str, Any]:
    return {
        "right": right.value,
        "what": [door.what for door in API_ROUTES if door.right is right] + BESIDES.get(right, []),
        "roles": {role.value: RIGHTS[role][right].value for role in Role if right in RIGHTS[role]},
        "program": right in FOR_CLIENTS,
    }
