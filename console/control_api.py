"""The control API: what the ``hotline`` command asks of a running engine. JSON over HTTP, bearer token, loopback.

Browsers have a listener of their own with users and rights (console/web.py); most routes are the same.

One job: translate requests into the engine's services and back. Errors are sentences in Chinese.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from aiohttp import web

from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from console.access.guard import error_middleware
from console.api.callbacks import callback_routes
from console.api.dispositions import DispositionsPort, disposition_routes
from console.api.drain import DrainPort, drain_routes
from console.api.drills import DrillsPort, drill_routes
from console.api.orders import SIGNED, OrdersPort, order_routes
from console.api.outbound import CallingOut, outbound_routes
from console.api.queues import queue_routes
from console.api.routing import routing_routes
from console.api.supervision import SupervisionPort, supervise_routes
from console.api.transfers import transfer_routes
from console.http_json import WHO, body_of, error_response, json_response, operator_of
from console.live.sse import Use, add_live_routes
from console.lost_call_routes import Losing, lost_call_routes
from ledger.live import Live
from queues.acd import Acd
from queues.events import AgentSignedIn, Paused, Ready, SignedOut, WrapUpEnded, WrapUpExtended
from queues.events import Event as QueueEvent
from queues.model import NotAllowed
from queues.states import AgentState
from routing.model import Snapshot
from routing.naming import Names
from routing.skills import served
from routing.tables import Tables
from telephony.model import AGENT_ID, SEAT_ID, AgentId, CallId, SeatId
from transfers.states import Form, Settlement
from users.model import Right, Scope

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

EXAMPLE: Final = '{"seat": "8001"}'
MAX_BODY_BYTES: Final = 64 * 1024

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Control(SupervisionPort, OrdersPort, DrillsPort, DispositionsPort, CallingOut, Losing, DrainPort, Protocol):
    """What the API needs of the engine."""

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def names(self) -> Names:
        """What the rows of the table in force, and its prompts, are called."""
        ...

    @property
    def acd(self) -> Acd: ...

    @property
    def now_ms(self) -> int:
        """Unix ms on the ACD's own clock."""
        ...

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def mailbox(self) -> Mailbox: ...

    async def play(self, message: CallId, seat: SeatId) -> None: ...

    @property
    def tables(self) -> Tables: ...

    def tell(self, event: QueueEvent) -> None: ...

    @property
    def counters(self) -> Live: ...

    @property
    def uses(self) -> Sequence[Use]: ...

    def picture(self) -> dict[str, Any]: ...

    async def transfer(self, call: CallId, target: str, form: Form) -> None: ...

    async def settle(self, call: CallId, how: Settlement) -> None: ...

    def take_down(self, call: CallId, address: str | None, summary: str | None) -> None: ...

    def owes_code(self, agent: AgentId) -> bool:
        """Whether an agent may not end the wrap-up by hand before saying what the call came to."""
        ...

    def caller_now(self, call: CallId) -> str | None: ...

    def deed(self, what: str, by: str, **data: str) -> None:
        """Keep who did what."""

    def has_pin(self, agent: AgentId) -> bool: ...

    async def set_pin(self, agent: AgentId, pin: str, by: str) -> None:
        """Raises NotAllowed."""

    def unlock(self, agent: AgentId) -> None: ...

    async def status(self) -> dict[str, Any]: ...


def application(control: Control, token: str, more: Sequence[web.RouteDef] = ()) -> web.Application:
    """The API as an aiohttp application; ``more``: routes of what only a whole instance has (console.api.setup)."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[error_middleware, _guard(token)])
    app.add_routes(api_routes(control))
    app.add_routes(more)
    add_live_routes(app, control)
    return app


def api_routes(control: Control) -> list[web.RouteDef]:
    """The routes that the command line and browsers share; console/access/permissions.py says who may pass."""
    api = _Api(control)
    return [
        web.get("/api/status", api.status),
        web.get("/api/agents", api.agents),
        web.post("/api/agents/{agent}/sign-in", api.sign_in),
        web.post("/api/agents/{agent}/{action:sign-out|ready|pause|wrap-up}", api.act),
        web.post("/api/agents/{agent}/pin", api.set_pin),
        web.post("/api/agents/{agent}/unlock", api.unlock),
        web.get("/api/seats", api.seats),
        *queue_routes(control),
        *transfer_routes(control),
        *disposition_routes(control),
        *outbound_routes(control),
        *lost_call_routes(control),
        *drill_routes(control),
        *drain_routes(control),
        *callback_routes(control),
        *order_routes(control),
        *routing_routes(control),
        *supervise_routes(control),
    ]


class _Api:
    def __init__(self, control: Control) -> None:
        self._control = control

    async def status(self, request: web.Request) -> web.Response:
        return json_response(await self._control.status())

    async def agents(self, request: web.Request) -> web.Response:
        acd = self._control.acd
        rows = []
        for agent in self._control.snapshot.agents.values():
            seat_id = acd.seat_of.get(AgentId(agent.id))
            seat = acd.seats.get(seat_id) if seat_id is not None else None
            rows.append(
                {
                    "agent": agent.id,
                    "name": agent.name,
                    "groups": list(agent.groups),
                    "supervisor": agent.supervisor,
                    "pin": self._control.has_pin(AgentId(agent.id)),
                    "seat": seat_id,
                    "state": seat.state if seat is not None else "signed-out",
                    "since_ms": seat.since_ms if seat is not None else None,
                    "until_ms": seat.until_ms if seat is not None else None,
                    "why": seat.why if seat is not None else None,
                    "pause": seat.pause if seat is not None else None,
                    "call": seat.call if seat is not None else None,
                }
            )
        return json_response({"agents": rows})

    async def seats(self, request: web.Request) -> web.Response:
        acd, table = self._control.acd, self._control.snapshot
        phones = (acd.seats.get(SeatId(seat)) for seat in (*table.seats, *table.page_phones))
        never = [seat for seat in table.seats if SeatId(seat) not in acd.seats]
        places = sorted((seat for seat in acd.seats.values() if seat.site), key=lambda seat: seat.id)
        rows: list[dict[str, Any]] = [
            {
                "seat": seat.id, "agent": seat.agent, "state": seat.state, "reachable": seat.reachable,
                "call": seat.call, **({"site": seat.site} if seat.site else {}),
            }
            for seat in (*phones, *places)
            if seat is not None
        ]  # fmt: skip
        # Published and never seen: whoever sets a phone up has to find it here before it registers for the first time.
        nobody = {"agent": None, "state": AgentState.SIGNED_OUT, "reachable": False, "call": None}
        rows += [{"seat": seat, **nobody} for seat in never]
        return json_response({"seats": sorted(rows, key=lambda row: ("site" in row, row["seat"]))})

    async def sign_in(self, request: web.Request) -> web.Response:
        agent = self._agent(request)
        body = await body_of(request, EXAMPLE)
        seat = str(body.get("seat", ""))
        table = self._control.snapshot
        if not SEAT_ID.fullmatch(seat) or not table.may_sit(agent, seat):
            choices = "、".join(table.seats[:10])
            raise error_response(400, f"没有座席 {seat!r}；可用座席：{choices} 等，在网页里接听时写自己的工号 {agent}")
        self._require_free(request, agent, SeatId(seat))
        able = served(table.agents[agent], table.groups.values(), table.skills)
        event = AgentSignedIn(agent, SeatId(seat), able.groups, levels=able.levels, languages=able.languages)
        return self._tell(event, agent, SeatId(seat), "sign-in", operator_of(body))

    def _require_free(self, request: web.Request, agent: AgentId, seat: SeatId) -> None:
        """An agent at a page takes nobody's seat: that takes the phone itself (*11, with a PIN), or a supervisor."""
        who, held = request.get(WHO), self._control.acd.seats.get(seat)
        if who is None or who.rights[Right.AGENTS_ACT] is not Scope.OWN or held is None:
            return
        if held.agent is not None and held.agent != agent:
            reason = f"座席 {seat} 上工号 {held.agent} 还签入着；请他签出，或在这部话机上拨 *11 签入，或请班长强制签出"
            raise error_response(409, reason)

    async def act(self, request: web.Request) -> web.Response:
        agent = self._agent(request)
        seat = self._control.acd.seat_of.get(agent)
        if seat is None:
            raise error_response(409, f"工号 {agent} 没有签入；先运行 hotline agents sign-in {agent} --seat 座席号")
        body = await body_of(request, EXAMPLE)
        by = operator_of(body)
        match request.match_info["action"]:
            case "sign-out":
                return self._tell(SignedOut(seat), agent, seat, "sign-out", by)
            case "ready":
                self._require_code(request, agent)
                return self._tell(Ready(seat), agent, seat, "ready", by)
            case "pause":
                reason = pause_reason(self._control.snapshot, body)
                return self._tell(Paused(seat, reason), agent, seat, "pause", by, reason)
            case _:
                if body.get("end") is True:
                    self._require_code(request, agent)
                    return self._tell(WrapUpEnded(seat), agent, seat, "end-wrap-up", by)
                seconds = body.get("extend_seconds")
                if type(seconds) is not int:
                    raise error_response(400, '应写明延长几秒或结束，例如 {"extend_seconds": 60} 或 {"end": true}')
                return self._tell(WrapUpExtended(seat, seconds), agent, seat, "extend", by, f"{seconds} 秒")

    async def set_pin(self, request: web.Request) -> web.Response:
        agent = self._agent(request)
        body = await body_of(request, EXAMPLE)
        try:
            await self._control.set_pin(agent, str(body.get("pin", "")), operator_of(body))
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        self._control.deed("pin", operator_of(body), agent=agent)
        return json_response({"agent": agent, "pin": True})

    async def unlock(self, request: web.Request) -> web.Response:
        agent = self._agent(request)
        self._control.unlock(agent)
        self._control.deed("unlock", operator_of(await body_of(request, EXAMPLE)), agent=agent)
        return json_response({"agent": agent})

    def _require_code(self, request: web.Request, agent: AgentId) -> None:
        """Of the agent alone, at the desk: phone keys, the end in time and a supervisor wait for no code."""
        who = request.get(WHO)
        if who is not None and who.agent == agent and self._control.owes_code(agent):
            raise error_response(409, "请先选处理结果（按 F6），再结束话后整理；到时间会自动结束，记为未填")

    def _agent(self, request: web.Request) -> AgentId:
        agent = request.match_info["agent"]
        if not AGENT_ID.fullmatch(agent) or agent not in self._control.snapshot.agents:
            raise error_response(404, f"没有工号 {agent!r}；运行 hotline agents list 查看全部工号")
        return AgentId(agent)

    def _tell(
        self, event: QueueEvent, agent: AgentId, at: SeatId, what: str, by: str, reason: str = ""
    ) -> web.Response:
        try:
            self._control.tell(event)
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        self._control.deed(what, by, agent=agent, seat=at, reason=reason)
        seat_id = self._control.acd.seat_of.get(agent)
        seat = self._control.acd.seats.get(seat_id) if seat_id is not None else None
        return json_response(
            {"agent": agent, "seat": seat_id, "state": seat.state if seat is not None else "signed-out"}
        )


def _guard(token: str) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        offered = request.headers.get("Authorization", "")
        signed = request.match_info.route.name == SIGNED  # its handler asks for a department's signature
        # aiohttp keeps bytes that are no text as surrogates: they are a wrong token, not a fault of ours.
        if not signed and not secrets.compare_digest(
            offered.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode()
        ):
            raise error_response(401, "需要凭据；请在运行热线的机器上用 hotline 命令操作")
        try:
            return await handler(request)
        except web.HTTPException as error:
            if error.content_type == "application/json":
                raise
            # aiohttp's own refusals, before a handler of ours is reached
            return json_response({"error": _OWN_REFUSALS.get(error.status, error.reason)}, error.status)

    return guard


_OWN_REFUSALS: Final[Mapping[int, str]] = {
    404: "没有这个接口；可用的有 /api/status、/api/agents、/api/seats、/api/queues、/api/callbacks、"
    "/api/messages、/api/orders、/api/live、/metrics",
    405: "这个接口不接受这种请求方法；查看用 GET，操作用 POST",
    413: f"请求体太大，最多 {MAX_BODY_BYTES} 字节",
}


def pause_reason(table: Snapshot, body: Mapping[str, Any]) -> str:
    """The reason that was asked for. Raises HTTPBadRequest for one that the table does not have."""
    reason = body.get("reason")
    reason = reason.strip() if isinstance(reason, str) else ""
    if reason not in table.pause_reasons.values():
        raise error_response(400, f"示忙原因应为 {'、'.join(table.pause_reasons.values())} 之一；原因在路由表里设定")
    return reason
