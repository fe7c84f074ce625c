"""Agents' calls (外呼) over the API: made on behalf of an agent, whose own phone rings first, and listed.

One job: translate. Who may call whom is decided in outbound/.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import WHO, body_of, error_response, json_response, operator_of, text_of
from ledger.labels_zh import OUTBOUND_STATES, OUTBOUND_WHY
from ledger.records import CallRecord
from ledger.story import mask
from outbound.model import OutboundCall
from outbound.service import NotCalled, OutboundCalls
from telephony.model import AGENT_ID, CALL_ID, AgentId, CallId
from users.model import Right, Scope

EXAMPLE: Final = '{"number": "13800138000", "reason": "回复办理结果"}'
MOST_DIGITS: Final = 40
MAX_REASON: Final = 100
MAX_ABOUT: Final = 64
MOST_SHOWN: Final = 500


class CallingOut(Protocol):
    """What these routes need of the engine."""

    @property
    def outbound(self) -> OutboundCalls: ...

    async def call_of(self, call: CallId) -> CallRecord | None:
        """A call that is up or that the ledger knows; None for another, or while the ledger cannot be asked."""
        ...


def outbound_routes(control: CallingOut) -> list[web.RouteDef]:
    """The routes, to be added to both listeners."""
    views = _Views(control)
    return [
        web.post("/api/agents/{agent}/calls", views.call),
        web.get("/api/outbound-calls", views.calls),
    ]


class _Views:
    def __init__(self, control: CallingOut) -> None:
        self._control = control

    async def call(self, request: web.Request) -> web.Response:
        """Ring the agent's phone, then the number; or the caller of a past call, whose number stays unseen."""
        agent = request.match_info["agent"]
        if not AGENT_ID.fullmatch(agent):
            raise error_response(404, f"{agent[:20]!r} 不是工号；例如 1001")
        body = await body_of(request, EXAMPLE)
        about = text_of(body, "about", MAX_ABOUT, what="关于哪个来电或工单", empty=True)
        reason = text_of(body, "reason", MAX_REASON, what="事由", empty=True)
        number = text_of(body, "number", MOST_DIGITS, what="号码", empty=True)
        if call := text_of(body, "call", MAX_ABOUT, what="呼叫编号", empty=True):
            number, about = await self._caller(request, call, agent), about or call
        if not number:
            raise error_response(400, f"请写明要呼叫的号码（number），或它的来电（call），例如 {EXAMPLE}")
        try:
            made = await self._control.outbound.from_page(
                AgentId(agent), number, by=operator_of(body), reason=reason, about=about
            )
        except NotCalled as no:
            raise error_response(409, str(no), refusal=str(no.refusal)) from None
        return json_response(call_row(made), 202)

    async def _caller(self, request: web.Request, call: str, agent: str) -> str:
        if not CALL_ID.fullmatch(call):
            raise error_response(400, f"{call[:80]!r} 不是呼叫编号；例如 hl1-1700000000.12")
        record = await self._control.call_of(CallId(call))
        if record is None:
            raise error_response(404, f"没有呼叫 {call}，或者数据库暂时读不到")
        who = request.get(WHO)
        if (
            who is not None
            and who.rights.get(Right.CALL_OUT) is Scope.OWN
            and record.answered_at is not None
            and record.agent != agent
        ):
            raise error_response(403, "这不是您接的来电，不能由您回呼；需要时请班长处理")
        if not record.caller:
            raise error_response(409, "这个来电没有显示号码，不能回呼")
        return record.caller

    async def calls(self, request: web.Request) -> web.Response:
        """Calls of the last day, the newest first; numbers are masked. Agents see their own."""
        own = request[WHO].agent if _own_only(request) else None
        rows = sorted(self._control.outbound.calls.values(), key=lambda one: one.asked_at, reverse=True)
        mine = [call_row(one) for one in rows if own is None or (own and one.agent == own)]
        return json_response({"loaded": self._control.outbound.loaded, "calls": mine[:MOST_SHOWN]})


def _own_only(request: web.Request) -> bool:
    who = request.get(WHO)
    return who is not None and who.rights.get(Right.CALL_OUT) is Scope.OWN


def call_row(call: OutboundCall) -> dict[str, Any]:
    """One call for who works with it; the number is masked."""

    def moment(value: Any) -> str | None:
        return None if value is None else value.isoformat()

    return {
        "id": call.id,
        "agent": call.agent,
        "seat": call.seat,
        "number": mask(call.number) if call.number else "",
        "group": call.group,
        "state": str(call.state),
        "state_name": OUTBOUND_STATES[call.state],
        "why": call.why,
        "why_name": OUTBOUND_WHY.get(call.why, call.why),
        "reason": call.reason,
        "about": call.about,
        "way": str(call.way),
        "by": call.by,
        "asked_at": call.asked_at.isoformat(),
        "answered_at": moment(call.answered_at),
        "closed_at": moment(call.closed_at),
    }
