"""Users, programs and the audit over HTTP, for who manages them.

One job: translate. What may be is users.accounts' to say, and it writes down who did it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from aiohttp import web

from audit.model import Entry
from audit.query import AuditQuery, RowChange, row_history
from console.api.sessions import People, actor_of, usable
from console.http_json import WHO, body_of, error_response, json_response, text_of, whole_of
from users.approvals import Approvals, Asker, Kind, Wish
from users.model import Right, Role
from users.rules import MAX_CLIENT_DAYS, MAX_DISPLAY
from users.serializers import approval_as_json, client_as_json, session_as_json, user_as_json

EXAMPLE: Final = '{"reason": "新同事"}'
MAX_REASON: Final = 100
MOST_ENTRIES: Final = 1000

Word = TypeVar("Word", Role, Right)


class UsersPort(People, Protocol):
    """Users, and what was done to them."""

    @property
    def approvals(self) -> Approvals: ...

    async def audit(self, query: AuditQuery) -> Sequence[Entry]:
        """The newest entries that are asked for, in their order."""
        ...


def user_routes(people: UsersPort) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(people)
    deeds = "|".join(("role", "reset", "unlock", "disable", "enable", "end-sessions"))
    return [
        web.get("/api/users", views.users),
        web.post("/api/users", views.add),
        web.post(f"/api/users/{{user}}/{{action:{deeds}}}", views.change),
        web.get("/api/approvals", views.approvals),
        web.post("/api/approvals/{id:[0-9]{1,9}}/{action:approve|reject}", views.decide),
        web.post("/api/approvals/{id:[0-9]{1,9}}/carry-out", views.carry_out),
        web.get("/api/sessions", views.sessions),
        web.get("/api/clients", views.clients),
        web.post("/api/clients", views.add_client),
        web.post("/api/clients/{client}/revoke", views.revoke),
        web.get("/api/audit", views.audit),
    ]


class _Views:
    def __init__(self, people: UsersPort) -> None:
        self._people = people

    async def users(self, request: web.Request) -> web.Response:
        accounts = self._people.accounts
        locked = await accounts.locked()
        signed_in = Counter(one.user for one in await accounts.sessions())
        return json_response(
            {
                "users": [
                    user_as_json(one)
                    | {
                        "locked_until": locked[one.name].isoformat() if one.name in locked else None,
                        "sessions": signed_in[one.name],
                    }
                    for one in await accounts.users()
                ]
            }
        )

    async def add(self, request: web.Request) -> web.Response:
        body = await body_of(
            request, '{"user": "lisi", "name": "李四", "roles": ["agent"], "agent": "1001", "reason": "…"}'
        )
        name, display = (
            text_of(body, key, MAX_DISPLAY, what=what) for key, what in (("user", "用户名"), ("name", "姓名"))
        )
        roles, agent = _words(body, "roles", Role), text_of(body, "agent", 8, what="工号", empty=True)
        reason = _reason(body)
        wish = Wish(Kind.ADD, name, display, tuple(sorted(roles)), agent)
        return await self._wanted(request, wish, reason, {"user": name}, "password")

    async def change(self, request: web.Request) -> web.Response:
        accounts, actor = self._people.accounts, actor_of(request)
        body = await body_of(request, EXAMPLE)
        user, action, reason = request.match_info["user"], request.match_info["action"], _reason(body)
        told: dict[str, Any] = {"user": user}
        match action:
            case "role":
                agent = text_of(body, "agent", 8, what="工号", empty=True) if "agent" in body else None
                wish = Wish(Kind.ROLE, user, roles=tuple(sorted(_words(body, "roles", Role))), agent=agent)
                return await self._wanted(request, wish, reason, told, "")
            case "reset":
                return await self._wanted(request, Wish(Kind.RESET, user), reason, told, "password")
            case "unlock":
                await usable(accounts.unlock(user, actor, reason))
            case "end-sessions":
                told["ended"] = await usable(accounts.end_sessions(user, actor, reason))
            case _:
                await usable(accounts.disable(user, actor, reason, disabled=action == "disable"))
        return json_response(told)

    async def _wanted(
        self, request: web.Request, wish: Wish, reason: str, told: dict[str, Any], secret: str
    ) -> web.Response:
        """Done at once, or waiting for a second person (202)."""
        done = await usable(self._people.approvals.want(wish, asker_of(request), reason))
        if done.waits is not None:
            return json_response(told | {"waits": approval_as_json(done.waits)}, 202)
        return json_response(told | ({secret: done.secret} if secret else {}))

    async def approvals(self, request: web.Request) -> web.Response:
        found = await self._people.approvals.newest()
        return json_response({"approvals": [approval_as_json(one) for one in found]})

    async def decide(self, request: web.Request) -> web.Response:
        reason = _reason(await body_of(request, EXAMPLE))
        id_, agree = int(request.match_info["id"]), request.match_info["action"] == "approve"
        made = await usable(self._people.approvals.decide(id_, asker_of(request), reason, agree=agree))
        return json_response(approval_as_json(made))

    async def carry_out(self, request: web.Request) -> web.Response:
        id_ = int(request.match_info["id"])
        made, secret = await usable(self._people.approvals.carry_out(id_, asker_of(request)))
        name = {"add": "password", "reset": "password", "client": "token"}.get(made.wish.kind)
        return json_response(approval_as_json(made) | ({name: secret, "user": made.wish.name} if name else {}))

    async def sessions(self, request: web.Request) -> web.Response:
        found = await self._people.accounts.sessions(request.query.get("user", "")[:24])
        return json_response({"sessions": [session_as_json(one) for one in found]})

    async def clients(self, request: web.Request) -> web.Response:
        return json_response({"clients": [client_as_json(one) for one in await self._people.accounts.clients()]})

    async def add_client(self, request: web.Request) -> web.Response:
        body = await body_of(request, '{"name": "大厅大屏", "rights": ["live.read"], "days": 90, "reason": "…"}')
        name, rights = text_of(body, "name", MAX_DISPLAY, what="程序名"), _words(body, "rights", Right)
        days, reason = whole_of(body.get("days"), "days", 90, 1, MAX_CLIENT_DAYS), _reason(body)
        wish = Wish(Kind.CLIENT, name, rights=tuple(sorted(rights)), days=days)
        return await self._wanted(request, wish, reason, {}, "token")

    async def revoke(self, request: web.Request) -> web.Response:
        reason, client = _reason(await body_of(request, EXAMPLE)), request.match_info["client"]
        await usable(self._people.accounts.revoke_client(client, actor_of(request), reason))
        return json_response({"client": client})

    async def audit(self, request: web.Request) -> web.Response:
        query = audit_query(request.query)
        entries = await self._people.audit(query)
        if not query.row:
            return json_response({"entries": [_entry(entry) for entry in entries]})
        changes = [_entry(change.entry) | _change(change) for change in row_history(entries, query.row)]
        return json_response({"entries": changes})


def asker_of(request: web.Request) -> Asker:
    """Who wishes or agrees: the user, whatever he is called today."""
    user = request[WHO].user
    if user is None:
        raise error_response(403, "这件事要人来做，程序不能")
    return Asker(user.name, actor_of(request))


def _reason(body: dict[str, Any]) -> str:
    return text_of(body, "reason", MAX_REASON, what="原因")


def _words(body: dict[str, Any], key: str, kind: type[Word]) -> frozenset[Word]:
    told = body.get(key)
    known: dict[str, Word] = {word.value: word for word in kind}
    if not isinstance(told, list) or not told or not all(isinstance(one, str) and one in known for one in told):
        raise error_response(400, f"{key} 应为下列之一或几个：{'、'.join(known)}")
    return frozenset(known[one] for one in told)


def audit_query(query: Mapping[str, str]) -> AuditQuery:
    """What a request asks of the audit. Raises HTTPBadRequest."""

    def moment(name: str) -> datetime | None:
        text = query.get(name, "")[:40]
        try:
            at = datetime.fromisoformat(text) if text else None
        except ValueError:
            at = None
        if text and (at is None or at.tzinfo is None):
            raise error_response(400, f"{name} 应为带时区的时间，例如 2026-10-10T09:00:00+08:00")
        return at

    return AuditQuery(
        whole_of(query.get("limit"), "limit", 100, 1, MOST_ENTRIES),
        query.get("action", "")[:60],
        query.get("who", "")[:60],
        query.get("text", "")[:200],
        query.get("row", "")[:120],
        moment("since"),
        moment("until"),
        whole_of(query.get("before"), "before", 0, 0, 1_000_000_000),
    )


def _change(change: RowChange) -> dict[str, Any]:
    """What became of a row, field by field; ``first``: what it was before stands nowhere."""
    return {
        "row": None if change.new is None else dict(change.new),
        "first": change.first,
        "changes": [{"field": name, "old": old, "new": new} for name, (old, new) in change.fields.items()],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "at": entry.at.isoformat(),
        "who": entry.actor.name,
        "from": entry.actor.origin,
        "action": entry.act.action,
        "subject": entry.act.subject,
        "reason": entry.act.reason,
        "detail": dict(entry.act.detail),
    }
