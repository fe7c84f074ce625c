"""The queues over the control API: who waits, rings and talks, with each caller's own age; and why.

One job: read the ACD and write rows. It changes nothing.
"""

from __future__ import annotations

from typing import Any, Protocol

from aiohttp import web

from callbacks.service import Callbacks
from console.http_json import error_response, json_response
from ledger.labels_zh import CALLBACK_STATES, CALLBACK_WHY
from queues.acd import Acd, Ticket
from queues.explain import explain_agent, explain_call
from routing.naming import Names
from telephony.model import AGENT_ID, CALL_ID, AgentId, CallId


class Queues(Protocol):
    """What these routes need of the engine."""

    @property
    def names(self) -> Names: ...

    @property
    def acd(self) -> Acd: ...

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def now_ms(self) -> int: ...


def queue_routes(control: Queues) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.get("/api/queues", views.calls),
        web.get("/api/queues/explain/{what}", views.explain),
    ]


class _Views:
    def __init__(self, control: Queues) -> None:
        self._control = control

    async def calls(self, request: web.Request) -> web.Response:
        """Every call that the ACD knows; who waits in the order in which they will be served."""
        acd = self._control.acd
        tickets = sorted(acd.tickets.values(), key=lambda ticket: ticket.rank)
        return json_response({"now_ms": self._control.now_ms, "calls": [_row(acd, ticket) for ticket in tickets]})

    async def explain(self, request: web.Request) -> web.Response:
        """Why a call (by its id) or an agent (by 工号) is where it is, and why not elsewhere, in Chinese lines."""
        what, acd, now = request.match_info["what"], self._control.acd, self._control.now_ms
        if CALL_ID.fullmatch(what):
            lines = self._call(CallId(what))
        elif AGENT_ID.fullmatch(what):
            lines = explain_agent(acd, AgentId(what), now)
        else:
            raise error_response(400, f"{what[:80]!r} 既不是呼叫编号也不是工号；例如 hl1-1700000000.12 或 1001")
        called = self._control.names
        return json_response({"lines": [called.in_words(line, "groups", "skills") for line in lines]})

    def _call(self, call: CallId) -> tuple[str, ...]:
        """Why a call is where it is. A callback is found by the call in which it was promised, too."""
        acd, now, book = self._control.acd, self._control.now_ms, self._control.callbacks.book
        promise = book.of_attempt(call) or (book.get(call) if call not in acd.tickets else None)
        if promise is None or not promise.open:
            return explain_call(acd, call, now)
        why = f"（上次：{CALLBACK_WHY.get(promise.why, promise.why)}）" if promise.why else ""
        line = f"这是来电{promise.id}约定的回拨：{CALLBACK_STATES[promise.state]}{why}"
        return (line, *explain_call(acd, promise.call, now))


def _row(acd: Acd, ticket: Ticket) -> dict[str, Any]:
    return {
        "call": ticket.call,
        "phase": ticket.phase,
        "group": ticket.group,
        "priority": ticket.priority,
        "since_ms": ticket.since_ms,
        "position": acd.position(ticket.call),
        "preferred": ticket.preferred,
        "language": ticket.language,
        "seat": ticket.seat,
    }
