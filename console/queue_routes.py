"""The queues over the control API: who waits, rings and talks, with each caller's own age.

One job: read the ACD and write rows. It changes nothing.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from aiohttp import web

from queues.acd import Acd, Ticket


class Queues(Protocol):
    """What these routes need of the engine."""

    @property
    def acd(self) -> Acd: ...

    @property
    def now_ms(self) -> int: ...


def queue_routes(control: Queues) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [web.get("/api/queues", views.calls)]


class _Views:
    def __init__(self, control: Queues) -> None:
        self._control = control

    async def calls(self, request: web.Request) -> web.Response:
        """Every call that the ACD knows; who waits in the order in which they will be served."""
        acd = self._control.acd
        tickets = sorted(acd.tickets.values(), key=lambda ticket: ticket.rank)
        return _json({"now_ms": self._control.now_ms, "calls": [_row(acd, ticket) for ticket in tickets]})


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


def _json(value: Any) -> web.Response:
    return web.Response(text=json.dumps(value, ensure_ascii=False), content_type="application/json", charset="utf-8")
