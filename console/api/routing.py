"""The routing table over the control API: draft, lint, diff, publish, versions, releases.

One job: requests into routing.tables.Tables and back. Who acts is told in the body (``by``, ``via``) by whoever holds
the token; a refusal is a sentence in Chinese, with the conflicts as data where there are any.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final, Protocol

from aiohttp import web

from audit.model import Actor
from console.access.client_address import address_of
from console.http_json import body_of, json_response
from database.errors import DatabaseError
from routing.console_queries import hours, simulate
from routing.draft import Edit
from routing.faults import Fault
from routing.naming import NO_NAMES
from routing.releases import Happening
from routing.row_forms import described, fault_as_json, fields_of
from routing.snapshot import SnapshotCorrupt
from routing.tables import Refused, Tables, moment, require_year

EXAMPLE: Final = '{"reason": "试运行"}'
LONGEST_NAME: Final = 60
LONGEST_NUMBER: Final = 40
LONGEST_ORIGIN: Final = 200
MOST: Final = 1_000_000_000
"""Of versions and counts; databases know no whole numbers without end."""

_HAPPENINGS: Final = {
    "approve": Happening.APPROVED,
    "reject": Happening.REJECTED,
    "cancel": Happening.CANCELLED,
}

Answer = Callable[[web.Request], Awaitable[Any]]


class Routing(Protocol):
    """What these routes need of the engine."""

    @property
    def tables(self) -> Tables: ...


def routing_routes(control: Routing) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.get("/api/routing/draft", sentenced(views.draft)),
        web.post("/api/routing/draft", sentenced(views.edit)),
        web.post("/api/routing/draft/discard", sentenced(views.discard)),
        web.get("/api/routing/forms", sentenced(views.forms)),
        web.get("/api/routing/names", sentenced(views.names)),
        web.get("/api/routing/new-key", sentenced(views.new_key)),
        web.get("/api/routing/lint", sentenced(views.lint)),
        web.post("/api/routing/lint", sentenced(views.try_out)),
        web.post("/api/routing/simulate", sentenced(views.simulate)),
        web.get("/api/routing/hours", sentenced(views.hours)),
        web.get("/api/routing/diff", sentenced(views.diff)),
        web.post("/api/routing/publish", sentenced(views.publish)),
        web.post("/api/routing/rollback", sentenced(views.rollback)),
        web.get("/api/routing/versions", sentenced(views.versions)),
        web.get("/api/routing/releases", sentenced(views.releases)),
        web.post("/api/routing/releases/{id:[0-9]{1,9}}/{action:approve|reject|cancel}", sentenced(views.decide)),
    ]


class _Views:
    def __init__(self, control: Routing) -> None:
        self._control = control

    async def draft(self, request: web.Request) -> Any:
        told = request.query
        return await self._control.tables.rows(told.get("kind", ""), told.get("after", ""), _whole(told, "limit", 1000))

    async def edit(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        wanted, unread = edits(body.get("edits"))
        if unread:
            told = [fault_as_json(fault, NO_NAMES) for fault in unread]
            raise Refused("；".join(one["told"] for one in told), {"faults": told})
        return await self._control.tables.edit(wanted, actor_told(request, body), _text(body, "reason"))

    async def discard(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        return await self._control.tables.discard(actor_told(request, body), _text(body, "reason"))

    async def forms(self, request: web.Request) -> Any:
        return {"sheets": described()}

    async def names(self, request: web.Request) -> Any:
        return await self._control.tables.names()

    async def new_key(self, request: web.Request) -> Any:
        told = request.query
        return await self._control.tables.new_key(told.get("kind", ""), told.get("name", "")[:LONGEST_NAME])

    async def lint(self, request: web.Request) -> Any:
        return await self._control.tables.lint()

    async def try_out(self, request: web.Request) -> Any:
        """The lint of the draft as edits would leave it that somebody is still typing."""
        return await self._control.tables.lint(*edits((await body_of(request, EXAMPLE)).get("edits")))

    async def simulate(self, request: web.Request) -> Any:
        body = await body_of(request, '{"number": "12333", "at": "2026-12-01T09:00"}')
        number, caller, at = (_text(body, name) for name in ("number", "caller", "at"))
        if not number:
            raise Refused('应写明市民拨打的号码，例如 {"number": "12333"}')
        return await simulate(
            self._control.tables, number[:LONGEST_NUMBER], caller[:LONGEST_NUMBER], moment(at) if at else None
        )

    async def hours(self, request: web.Request) -> Any:
        asked = request.query.get("day", "")
        try:
            day = date.fromisoformat(asked)
            require_year(day.year)
        except ValueError:
            raise Refused(f"没有 {asked[:20]!r} 这一天；应写成 年-月-日，例如 day=2027-01-01") from None
        return await hours(self._control.tables, day)

    async def diff(self, request: web.Request) -> Any:
        return await self._control.tables.diff(_whole(request.query, "version", 0) or None)

    async def publish(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        at = _text(body, "at")
        return await self._control.tables.publish(
            actor_told(request, body),
            _text(body, "reason"),
            at=moment(at) if at else None,
            seen=_whole(body, "seen", 0) or None,
        )

    async def rollback(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        return await self._control.tables.rollback(
            _whole(body, "version", 0), actor_told(request, body), _text(body, "reason")
        )

    async def versions(self, request: web.Request) -> Any:
        return await self._control.tables.versions(_whole(request.query, "limit", 50))

    async def releases(self, request: web.Request) -> Any:
        return await self._control.tables.releases(_whole(request.query, "limit", 50))

    async def decide(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        happening = _HAPPENINGS[request.match_info["action"]]
        actor = actor_told(request, body)
        return await self._control.tables.decide(int(request.match_info["id"]), happening, actor, _text(body, "reason"))


def edits(given: Any) -> tuple[list[Edit], list[Fault]]:
    """Edits as JSON has them, and what in their cells cannot be read. Raises Refused.

    A row's new values are told as plain ``fields``, or as ``cells``: texts as they stand in a workbook.
    """
    example = '{"edits": [{"kind": "numbers", "key": "12315", "fields": {"mode": "dual"}, "seen": 7}]}'
    if not isinstance(given, list) or not given:
        raise Refused(f"应写明改哪些行，例如 {example}")
    made: list[Edit] = []
    faults: list[Fault] = []
    for one in given:
        kind, key, fields, cells, seen = (one.get(name) if isinstance(one, dict) else None for name in _EDIT)
        if not (
            isinstance(kind, str)
            and isinstance(key, str)
            and (fields is None or isinstance(fields, dict))
            and (cells is None or (isinstance(cells, dict) and all(isinstance(text, str) for text in cells.values())))
            and (seen is None or type(seen) is int)
        ):
            raise Refused(f"这一行改动看不懂：{one!r:.200}；例如 {example}")
        if cells is not None:
            typed = fields_of((kind, key), cells)
            fields = {**(fields or {}), **typed.fields}
            faults += typed.faults
        made.append(Edit((kind, key), fields, seen))
    return made, faults


_EDIT: Final = ("kind", "key", "fields", "cells", "seen")


def sentenced(answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler of an answer in plain data or of one made up already; what cannot be is a sentence."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            told = await answer(request)
            return told if isinstance(told, web.StreamResponse) else json_response(told)
        except Refused as refused:
            return json_response({"error": str(refused), **refused.more}, 409)
        except (DatabaseError, SnapshotCorrupt, OSError) as error:
            return json_response({"error": f"没有做成，什么都没有改：{error}"}, 503)

    return handle


def actor_told(request: web.Request, body: Mapping[str, Any]) -> Actor:
    """Who asks, as the body says: on the browsers' listener that is who signed in. Raises Refused."""
    name, origin = _text(body, "by"), _text(body, "via")
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise Refused(f"应写明是谁（by，1 到 {LONGEST_NAME} 个字），例如 zhangsan")
    return Actor(name, (origin if origin.isprintable() and origin else f"接口 {address_of(request)}")[:LONGEST_ORIGIN])


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key, "")
    if not isinstance(value, str):
        raise Refused(f"{key} 应为文字")
    return value.strip()


def _whole(body: Mapping[str, Any], key: str, default: int) -> int:
    value = body.get(key, default)
    try:
        number = int(value)
        if isinstance(value, (bool, float)) or abs(number) > MOST:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise Refused(f"{key} 应为整数，最大 {MOST}") from None
    return number
