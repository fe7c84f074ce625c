"""Lost calls (漏接) over the API: who reached nobody, and is still to be called back.

One job: read. An agent calls back by ``POST /api/agents/{agent}/calls`` with the ``call`` of the row.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import json_response
from ledger.story import mask
from outbound.lost import Ended, LostCall, LostCalls, LostReason

MOST_SHOWN: Final = 1000
REASONS: Final = {
    LostReason.ABANDONED: "等候中挂机",
    LostReason.NOBODY: "无人在岗",
    LostReason.CALLBACK: "回拨没有接通",
}
ENDED: Final = {Ended.REDIALLED: "市民再次来电，已接听", Ended.CALLED_BACK: "已回拨接通"}


class Losing(Protocol):
    """What this route needs of the engine."""

    @property
    def lost_calls(self) -> LostCalls: ...

    @property
    def now_ms(self) -> int: ...


def lost_call_routes(control: Losing) -> list[web.RouteDef]:
    """The route, to be added to both listeners."""

    async def lost(request: web.Request) -> web.Response:
        """Open ones first, the longest lost first; numbers are masked."""
        now, registry = control.now_ms, control.lost_calls
        rows = [lost_row(entry, now) for entry in registry.all()[:MOST_SHOWN]]
        return json_response({"lost_calls": rows, "figures": asdict(registry.figures(now))})

    return [web.get("/api/lost-calls", lost)]


def lost_row(lost: LostCall, now_ms: int) -> dict[str, Any]:
    """One citizen for who calls back; the number is masked."""
    return {
        "call": lost.call,
        "number": mask(lost.number),
        "line": lost.line,
        "group": lost.group,
        "why": str(lost.reason),
        "why_name": REASONS[lost.reason],
        "first_at": _iso(lost.first_ms),
        "last_at": _iso(lost.last_ms),
        "age_seconds": max(0, (lost.ended_ms or now_ms) - lost.first_ms) // 1000,
        "times": lost.times,
        "tries": lost.tries,
        "promised": lost.handed_over,
        "open": lost.open,
        "ended": str(lost.ended or ""),
        "ended_name": ENDED[lost.ended] if lost.ended is not None else "",
        "ended_at": _iso(lost.ended_ms) if lost.ended_ms else None,
    }


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()
