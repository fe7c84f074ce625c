"""What calls came to (处理结果), over the API: said by who works on the call, or corrected later by a supervisor.

One job: translate. What may be said of which call is the engine's to judge.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from calls.model import DispositionRequest
from console.http_json import WHO, body_of, error_response, json_response, operator_of, text_of
from queues.acd import Acd
from queues.model import NotAllowed
from routing.model import WrapUpCode
from telephony.model import CALL_ID, AgentId, CallId

EXAMPLE: Final = '{"code": "answered", "remark": "已告知办理地点"}'
MAX_CODE: Final = 40
MAX_REMARK: Final = 200
MAX_REASON: Final = 100


class DispositionsPort(Protocol):
    """What this route needs of the engine."""

    @property
    def acd(self) -> Acd: ...

    def wrapped_up(self, agent: AgentId) -> CallId | None: ...

    async def say(self, call: CallId, wish: DispositionRequest) -> WrapUpCode:
        """Keep it. Raises NotAllowed."""
        ...


def disposition_routes(control: DispositionsPort) -> list[web.RouteDef]:
    """The route, to be added to both listeners."""

    async def say(request: web.Request) -> web.Response:
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, f"{call[:80]!r} 不是呼叫编号；例如 hl1-1700000000.12")
        body = await body_of(request, EXAMPLE)
        wish = DispositionRequest(
            code=text_of(body, "code", MAX_CODE, what="处理结果"),
            remark=text_of(body, "remark", MAX_REMARK, what="备注", empty=True),
            by=operator_of(body),
            agent=_own(request, control, CallId(call)),
            reason=text_of(body, "reason", MAX_REASON, what="原因", empty=True),
        )
        try:
            code = await control.say(CallId(call), wish)
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        return json_response({"call": call, "code": code.id, "name": code.name, "remark": wish.remark})

    return [web.post("/api/calls/{call}/wrap-up", say)]


def _own(request: web.Request, control: DispositionsPort, call: CallId) -> AgentId | None:
    """The agent who asks, when it is the call at his own seat or of his own wrap-up."""
    who = request.get(WHO)
    if who is None or not who.agent:
        return None
    agent = AgentId(who.agent)
    at = control.acd.seat_of.get(agent)
    seat = control.acd.seats.get(at) if at is not None else None
    talks = seat is not None and seat.call == call
    return agent if talks or control.wrapped_up(agent) == call else None
