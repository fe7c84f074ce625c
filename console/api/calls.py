"""Personal data over HTTP: past calls with masked numbers, and looks: a number revealed, a recording played.

One job: write down who looks at what and why, before it is shown. A look that cannot be written down is not had. A
recording is asked for once, with a reason, and then played with as many range requests as a player likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from aiohttp import web

from audit.model import Act
from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from console.access.access_tickets import TICKET_SECONDS, AccessTickets, brake, within
from console.api.call_search import moment, names, place_after, require_no_guess, wanted_calls
from console.api.related_calls import related
from console.api.sessions import People, actor_of
from console.http_json import WHO, body_of, error_response, json_response, reason_that_is_one, whole_of
from ledger.model import Fact, Kind
from ledger.records import CallRecord
from ledger.store import CallFilter
from ledger.story import as_json, mask, outline
from orders.labels_zh import sheet
from orders.service import Orders
from recordings.layout import HALVES, half_file, recording_file
from recordings.model import Recording
from routing.calendar import CITY
from routing.model import Snapshot
from routing.naming import Names
from telephony.model import CALL_ID, CallId
from users.model import Right, Scope
from users.seal import KeyUnusable

EXAMPLE: Final = '{"reason": "市民要求核对"}'
MAX_REASON: Final = 100
MOST_ROWS: Final = 1000


class Archive(Protocol):
    """What these routes need of past calls."""

    @property
    def folder(self) -> Path:
        """Where recordings lie."""
        ...

    @property
    def messages(self) -> Path:
        """Where messages lie, by the same rule."""
        ...

    async def calls(self, wanted: CallFilter) -> Sequence[CallRecord]: ...

    async def story(self, call: CallId) -> tuple[CallRecord, Sequence[Fact]] | None: ...

    async def recordings(self, since: datetime | None, until: datetime | None, limit: int) -> Sequence[Recording]: ...


class RunningCalls(Protocol):
    """What they need of the engine."""

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def mailbox(self) -> Mailbox: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def names(self) -> Names:
        """Of the table in force, with its prompts."""
        ...

    @property
    def orders(self) -> Orders: ...


def call_routes(people: People, archive: Archive, control: RunningCalls) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(people, archive, control)
    return [
        web.get("/api/calls", views.calls),
        web.post("/api/calls/search", views.search),
        web.get("/api/calls/{call}", views.call),
        web.post("/api/calls/{call}/reveal", views.reveal_caller),
        web.post("/api/callbacks/{call}/reveal", views.reveal_callback),
        web.post("/api/messages/{call}/reveal", views.reveal_message),
        web.post("/api/orders/{number}/sheet", views.sheet),
        web.get("/api/recordings", views.recordings),
        web.post("/api/recordings/{call}/look", views.look),
        web.get("/api/recordings/{call}/sound", views.sound),
        web.post("/api/messages/{call}/look", views.look_message),
        web.get("/api/messages/{call}/sound", views.message_sound),
    ]


class _Views:
    def __init__(self, people: People, archive: Archive, control: RunningCalls) -> None:
        self._people = people
        self._archive = archive
        self._control = control
        self._looks = AccessTickets(people)

    async def calls(self, request: web.Request) -> web.Response:
        return await self._found(request, wanted_calls(request.query, MOST_ROWS))

    async def search(self, request: web.Request) -> web.Response:
        """By the caller's number: never in an address, which proxies write down, and who looked for whom is kept."""
        body = await body_of(request, '{"caller": "13800138000"}')
        code = self._control.snapshot.area_code
        wanted = wanted_calls(body, MOST_ROWS, by_caller=True, area_code=code)
        if Right.NUMBERS_REVEAL not in request[WHO].rights:
            wanted = require_no_guess(wanted, str(body.get("caller") or ""))
        await brake(self._people, request, "search")
        try:
            searched = self._people.accounts.seal.keyed(wanted.caller_end.removeprefix("+"))
        except KeyUnusable as error:
            raise error_response(503, f"现在不能按号码查：{error}") from None
        act = Act("look.caller", f"按来电号码查来电：{mask(wanted.caller_end)}", detail={"searched": searched})
        await self._people.accounts.write_down(actor_of(request), act)
        return await self._found(request, wanted)

    async def _found(self, request: web.Request, wanted: CallFilter) -> web.Response:
        """One page, and where the next begins. One row more than asked for tells whether there is one."""
        if _only_own(request, Right.CALLS_READ):
            wanted = replace(wanted, agent=_agent(request))
        records = await self._archive.calls(replace(wanted, limit=wanted.limit + 1))
        page = records[: wanted.limit]
        return json_response(
            {
                "calls": [outline(record) for record in page],
                "next": place_after(page[-1]) if len(records) > len(page) else None,
                **({} if wanted.before else {"names": names(self._control.snapshot)}),
            }
        )

    async def call(self, request: web.Request) -> web.Response:
        record, facts = await self._story(request, Right.CALLS_READ)
        agent = _agent(request) if _only_own(request, Right.CALLS_READ) else ""
        links = await related(self._archive.calls, record, facts, agent)
        return json_response(as_json(record, facts, called=self._control.names.of) | {"related": links})

    async def reveal_caller(self, request: web.Request) -> web.Response:
        """The number, and what was taken down of the matter: both are the citizen's."""
        record, facts = await self._story(request, Right.NUMBERS_REVEAL)
        reason = await self._reason(request)
        act = Act("look.number", f"看来电号码和案情：呼叫 {record.call}", reason, {"call": record.call})
        await self._people.accounts.write_down(actor_of(request), act)
        noted = next((fact.data for fact in reversed(facts) if fact.kind is Kind.NOTED), {})
        notes = {key: str(noted.get(key, "")) for key in ("address", "summary")}
        wrapped = next((fact.data for fact in reversed(facts) if fact.kind is Kind.WRAP_UP), {})
        notes["remark"] = str(wrapped.get("remark", ""))
        return json_response({"number": record.caller, **notes})

    async def reveal_callback(self, request: web.Request) -> web.Response:
        found = self._control.callbacks.book.get(_call(request))
        if found is None:
            raise error_response(404, f"没有回拨 {_call(request)}")
        self._require_group(request, found.group)
        return await self._revealed(request, found.number, f"回拨号码：回拨 {found.id}", found.id)

    async def reveal_message(self, request: web.Request) -> web.Response:
        found = self._control.mailbox.get(_call(request))
        if found is None:
            raise error_response(404, f"没有留言 {_call(request)}")
        if not found.holder or found.holder != request[WHO].agent:
            self._require_group(request, found.group)
        return await self._revealed(request, found.caller, f"留言人号码：留言 {found.id}", found.id)

    async def sheet(self, request: web.Request) -> web.Response:
        """The page of an urgent order to print, with the caller's number."""
        order = self._control.orders.book.get(request.match_info["number"])
        if order is None:
            raise error_response(404, f"没有工单 {request.match_info['number'][:40]!r}")
        reason = await self._reason(request)
        act = Act("look.order", f"打印应急工单 {order.number}", reason, {"call": order.call})
        await self._people.accounts.write_down(actor_of(request), act)
        return json_response({"number": order.number, "html": sheet(order, CITY)})

    async def recordings(self, request: web.Request) -> web.Response:
        told = request.query
        limit = whole_of(told.get("limit"), "limit", 50, 1, MOST_ROWS)
        found = await self._archive.recordings(moment(told.get("since")), moment(told.get("until")), limit)
        rows = [
            {
                "call": one.call,
                "status": one.status.value,
                "started_at": one.started_at.isoformat(),
                "seconds": one.seconds,
                "fault": one.fault,
            }
            for one in found
        ]
        return json_response({"recordings": rows})

    async def look(self, request: web.Request) -> web.Response:
        """Ask to hear a recording: who and why is written down, and a ticket to play it is given."""
        call, body = _call(request), await body_of(request, EXAMPLE)
        reason = reason_that_is_one(body, MAX_REASON)
        taken = body.get("export") is True
        if not self._file(call, "both").is_file():
            raise error_response(404, f"呼叫 {call} 没有录音；可用 hotline recordings list 查看")
        action, what = ("look.export", "导出录音") if taken else ("look.recording", "听录音")
        act = Act(action, f"{what}：呼叫 {call}", reason, {"call": call})
        look = await self._looks.give(request, f"recording {call}", act, taken=taken)
        return json_response(
            {"look": look, "sound": f"/api/recordings/{call}/sound?look={look}", "seconds": TICKET_SECONDS}
        )

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """The sound itself, with ranges. The path is made of a call id of strict form, never of what was sent."""
        call = _call(request)
        look = self._looks.require(request, f"recording {call}", f"/api/recordings/{call}/look")
        side = request.query.get("side", "both")
        if side not in ("both", *HALVES):
            raise error_response(400, f"side 应为 both、{'、'.join(HALVES)} 之一")
        path = self._file(call, side)
        if not path.is_file():
            raise error_response(404, f"呼叫 {call} 的录音文件不在了；请运行 hotline recordings check")
        return _played(path, f"attachment; filename={path.name}" if look.taken else "inline")

    async def look_message(self, request: web.Request) -> web.Response:
        """Ask to hear a message in the page."""
        call, reason = _call(request), await _reason(request)
        if self._message_file(call) is None:
            raise error_response(404, f"没有留言 {call} 的声音；可用 hotline messages list 查看")
        act = Act("look.message", f"听留言：{call}", reason, {"call": call})
        look = await self._looks.give(request, f"message {call}", act)
        return json_response(
            {"look": look, "sound": f"/api/messages/{call}/sound?look={look}", "seconds": TICKET_SECONDS}
        )

    async def message_sound(self, request: web.Request) -> web.StreamResponse:
        call = _call(request)
        self._looks.require(request, f"message {call}", f"/api/messages/{call}/look")
        path = self._message_file(call)
        if path is None:
            raise error_response(404, f"留言 {call} 的声音不在了；请检查磁盘和备份")
        return _played(path, "inline")

    def _message_file(self, call: CallId) -> Path | None:
        path = within(self._archive.messages, recording_file(call))
        return path if path is not None and path.is_file() else None

    def _file(self, call: CallId, side: str) -> Path:
        name = recording_file(call)
        path = within(self._archive.folder, name if side == "both" else half_file(name, side))
        if path is None:
            raise error_response(404, f"呼叫 {call} 没有录音")
        return path

    async def _reason(self, request: web.Request) -> str:
        """Why, and that it is not too much. Raises HTTPException."""
        reason = await _reason(request)
        await brake(self._people, request, "look")
        return reason

    async def _story(self, request: web.Request, right: Right) -> tuple[CallRecord, Sequence[Fact]]:
        call = _call(request)
        found = await self._archive.story(call)
        own = _only_own(request, right)
        if found is None or (own and found[0].agent != _agent(request)):
            raise error_response(
                403 if own else 404, f"没有呼叫 {call}，或它不是您接的" if own else f"流水里没有呼叫 {call}"
            )
        return found

    async def _revealed(self, request: web.Request, number: str, what: str, of: str) -> web.Response:
        act = Act("look.number", f"看{what}", await self._reason(request), {"call": of})
        await self._people.accounts.write_down(actor_of(request), act)
        return json_response({"number": number})

    def _require_group(self, request: web.Request, group: str) -> None:
        """Who answers calls sees what waits for the groups that he serves."""
        if not _only_own(request, Right.NUMBERS_REVEAL):
            return
        agent = self._control.snapshot.agents.get(_agent(request))
        if agent is None or group not in agent.groups:
            raise error_response(403, "这不属于您的技能组；需要时请班长处理")


def _played(path: Path, manner: str) -> web.FileResponse:
    headers = {"Content-Type": "audio/wav", "Cache-Control": "no-store", "Content-Disposition": manner}
    return web.FileResponse(path, headers=headers)


def _only_own(request: web.Request, right: Right) -> bool:
    return request[WHO].rights[right] is Scope.OWN


def _agent(request: web.Request) -> str:
    agent = request[WHO].agent
    if not agent:
        raise error_response(403, "您的用户没有设工号，没有自己的来电；请管理员用 hotline users role 补上")
    return agent


def _call(request: web.Request) -> CallId:
    call = request.match_info["call"]
    if not CALL_ID.fullmatch(call):
        raise error_response(404, f"{call[:80]!r} 不是呼叫编号；例如 hl1-1700000000.12")
    return CallId(call)


async def _reason(request: web.Request) -> str:
    return reason_that_is_one(await body_of(request, EXAMPLE), MAX_REASON)
