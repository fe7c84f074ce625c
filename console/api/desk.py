"""What an agent's page asks for besides what it watches: the words of the table, and what else the caller has with us.

One job: read and shape. Numbers are masked.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from console.api.calls import Archive
from console.http_json import error_response, json_response
from ledger.records import CallRecord
from ledger.store import CallFilter
from orders.service import Orders
from routing.model import Snapshot
from routing.naming import PROMPTS, Names
from routing.numbers import citizen
from telephony.model import CALL_ID, CallId

MOST_EARLIER: Final = 10
MOST_LOOKED_AT: Final = 50
"""Calls whose number ends like the caller's: an older row may hold another form of it, or be another's."""
"""Earlier calls that are shown: what somebody reads while a citizen speaks."""

_UNASKED: Final = frozenset({PROMPTS, "numbers"})
"""Names that no page needs by themselves, and of which a table may have twenty thousand."""


class Desks(Protocol):
    """What these routes need of the engine."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def names(self) -> Names: ...

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def mailbox(self) -> Mailbox: ...

    @property
    def orders(self) -> Orders: ...

    def caller_now(self, call: CallId) -> str | None:
        """Who calls, of a call that is up or in somebody's wrap-up; None for any other call."""


def desk_routes(archive: Archive, control: Desks) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(archive, control)
    return [
        web.get("/api/names", views.names),
        web.get("/api/desk", views.words),
        web.get("/api/calls/{call}/earlier", views.earlier),
    ]


class _Views:
    def __init__(self, archive: Archive, control: Desks) -> None:
        self._archive = archive
        self._control = control

    async def names(self, request: web.Request) -> web.Response:
        """What the rows of the table in force are called: a page shows no key where there is a name."""
        named = self._control.names.named
        shown = {kind: named[kind] for kind in named if kind not in _UNASKED}
        return json_response({"version": self._control.snapshot.version, "names": shown})

    async def words(self, request: web.Request) -> web.Response:
        """What the table lets an agent choose from, in its order."""
        table = self._control.snapshot
        return json_response(
            {
                "pause_reasons": list(table.pause_reasons.values()),
                "seats": list(table.seats),
                "groups": {group.id: group.name for group in table.groups.values()},
                "partners": [
                    {"id": one.id, "name": one.name, "key": one.key, "note": one.note}
                    for one in table.partners.values()
                ],
                "order_types": [
                    {
                        "id": one.id,
                        "name": one.name,
                        "departments": [table.departments[name].name for name in one.departments],
                        "note": one.note,
                    }
                    for one in table.order_types.values()
                ],
                "wrap_up_codes": [
                    {"id": one.id, "key": one.key, "name": one.name, "groups": list(one.groups), "note": one.note}
                    for one in table.wrap_up_codes.values()
                ],
                "wrap_up_code_required": table.wrap_up_code_required,
            }
        )

    async def earlier(self, request: web.Request) -> web.Response:
        """Earlier calls from this call's number, newest first, and what is open with it; nothing of a withheld one."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, f"{call[:80]!r} 不是呼叫编号；例如 hl1-1700000000.12")
        caller = self._control.caller_now(CallId(call))
        if caller is None:
            raise error_response(404, f"呼叫 {call} 不在进行中；以前的来电请在来电记录里查")
        if not caller:
            return json_response({"calls": [], "messages": [], "callbacks": [], "orders": []})
        code = self._control.snapshot.area_code
        caller = citizen(caller, code)
        found = await self._archive.calls(CallFilter(caller_end=caller, limit=MOST_LOOKED_AT))
        records = [one for one in found if citizen(one.caller, code) == caller]
        return json_response(
            {
                "calls": [self._row(one) for one in records if one.call != call][:MOST_EARLIER],
                "messages": [
                    {"id": one.id, "group": one.group, "taken_at": one.taken_at.isoformat()}
                    for one in self._control.mailbox.all()
                    if one.open and citizen(one.caller, code) == caller
                ],
                "callbacks": [
                    {"id": one.id, "group": one.group, "promised_at": one.promised_at.isoformat()}
                    for one in self._control.callbacks.book.open()
                    if citizen(one.number, code) == caller
                ],
                "orders": [
                    {"number": one.number, "type": one.type_name, "raised_at": one.raised_at.isoformat()}
                    for one in self._control.orders.book.open()
                    if citizen(one.caller, code) == caller and one.call != call
                ],
            }
        )

    def _row(self, record: CallRecord) -> dict[str, Any]:
        table = self._control.snapshot
        line = table.numbers.get(record.number)
        code = table.wrap_up_codes.get(record.wrap_up_code)
        group = next((one.name for one in table.groups.values() if one.id == record.group), record.group)
        return {
            "call": record.call,
            "line": f"{record.number} {line.name}" if line is not None else record.number,
            "entered_at": record.entered_at.isoformat(),
            "group": group,
            "agent": record.agent,
            "talk_ms": record.talk_ms,
            "rating_level": record.rating_level,
            "transfers": [self._control.names.of("partners", one.target) for one in record.transfers],
            "came_to": code.name if code is not None else record.wrap_up_code,
        }
