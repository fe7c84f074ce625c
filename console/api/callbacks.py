"""Promises over the API: callbacks, listed, handed over and cancelled; messages, listed, played, handed over, closed.

One job: read and ask. What may become of a promise is decided in callbacks/.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Protocol

from aiohttp import web

from callbacks.model import Callback
from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from callbacks.voicemail_rules import Voicemail
from console.http_json import WHO, body_of, error_response, json_response, operator_of
from ledger.labels_zh import CALLBACK_STATES, CALLBACK_WHY
from ledger.story import mask
from queues.acd import Acd
from queues.model import NotAllowed
from routing.model import Snapshot
from telephony.model import CALL_ID, AgentId, CallId, GroupId, SeatId
from users.model import Right, Scope

HAND_EXAMPLE: Final = '{"group": "market", "agent": "1002", "reason": "由专席处理"}'
EXAMPLE: Final = '{"agent": "1001", "reason": "市民来电取消"}'
MAX_REASON: Final = 60


class CallbacksPort(Protocol):
    """What these routes need of the engine."""

    @property
    def callbacks(self) -> Callbacks: ...

    @property
    def mailbox(self) -> Mailbox: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def now_ms(self) -> int: ...

    @property
    def acd(self) -> Acd: ...

    async def play(self, message: CallId, seat: SeatId) -> None:
        """Ring the seat's phone and play the message to who answers. Raises NotAllowed."""

    def deed(self, what: str, by: str, **data: str) -> None:
        """Keep who did what."""


def callback_routes(control: CallbacksPort) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.get("/api/callbacks", views.callbacks),
        web.post("/api/callbacks/{call}/cancel", views.cancel),
        web.post("/api/callbacks/{call}/hand", views.hand_callback),
        web.get("/api/messages", views.messages),
        web.post("/api/messages/{call}/hand", views.hand_message),
        web.post("/api/messages/{call}/close", views.close),
        web.post("/api/messages/{call}/play", views.play),
    ]


class _Views:
    def __init__(self, control: CallbacksPort) -> None:
        self._control = control

    async def callbacks(self, request: web.Request) -> web.Response:
        """Every promise that is open or of the last day, the oldest first; numbers are masked."""
        service = self._control.callbacks
        return json_response({"loaded": service.loaded, "callbacks": [callback_row(one) for one in service.book.all()]})

    async def cancel(self, request: web.Request) -> web.Response:
        call = self._callback(request)
        reason = await reason_of(request)
        if not self._control.callbacks.cancel(call, reason):
            raise error_response(409, f"回拨 {call} 已经结束，或正在呼叫市民，不能取消")
        self._control.deed("callback-cancel", operator_of(await body_of(request, EXAMPLE)), to=call, reason=reason)
        return self._callback_now(call)

    async def hand_callback(self, request: web.Request) -> web.Response:
        """To another group, which calls at the same age."""
        call, body = self._callback(request), await body_of(request, HAND_EXAMPLE)
        reason, group = await reason_of(request), self._group(body)
        if not group:
            raise error_response(400, f"请写明转给哪个技能组，例如 {HAND_EXAMPLE}；回拨由系统派给空闲座席，不指定工号")
        if not self._control.callbacks.reassign(call, GroupId(group)):
            raise error_response(409, f"回拨 {call} 已经结束，或正在派给座席，不能转派")
        self._control.deed("callback-hand", operator_of(body), to=call, group=group, reason=reason)
        return self._callback_now(call)

    async def messages(self, request: web.Request) -> web.Response:
        """Every message that is open or was closed within the last day; the open ones by when they are due."""
        return json_response({"messages": [self._row(one) for one in self._control.mailbox.all()]})

    async def hand_message(self, request: web.Request) -> web.Response:
        """To another group, or to one agent; whoever takes it hands it to himself."""
        message, body = self._message(request), await body_of(request, HAND_EXAMPLE)
        reason, group, agent = await reason_of(request), self._group(body), body.get("agent", "")
        if agent != "" and (not isinstance(agent, str) or agent not in self._control.snapshot.agents):
            raise error_response(400, f"没有工号 {str(agent)[:20]!r}；例如 {HAND_EXAMPLE}")
        if not group and not agent:
            raise error_response(400, f"请写明转给哪个技能组或哪个工号，例如 {HAND_EXAMPLE}")
        try:
            handed = self._control.mailbox.reassign(message.id, group or message.group, agent)
        except ValueError:
            raise error_response(409, f"留言 {message.id} 已由 {message.closed_by} 办结，不能转派") from None
        self._control.deed("message-hand", operator_of(body), to=message.id, group=group, agent=agent, reason=reason)
        return json_response(self._row(handed))

    async def close(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self._require_theirs(request, message)
        agent = str((await body_of(request, EXAMPLE)).get("agent", ""))
        if agent not in self._control.snapshot.agents:
            raise error_response(400, f"没有工号 {agent[:20]!r}；请写明谁处理的")
        note = await reason_of(request)
        try:
            done = self._control.mailbox.close(message.id, agent, note)
        except ValueError:
            raise error_response(409, f"留言 {message.id} 已由 {message.closed_by} 办结") from None
        by = operator_of(await body_of(request, EXAMPLE))
        self._control.deed("message-close", by, to=message.id, agent=agent, reason=note)
        return json_response(self._row(done))

    async def play(self, request: web.Request) -> web.Response:
        message, body = self._message(request), await body_of(request, EXAMPLE)
        self._require_theirs(request, message)
        seat = str(body.get("seat", ""))
        if not self._control.snapshot.is_phone(seat):
            raise error_response(
                400, f"没有座席 {seat[:20]!r}；可用座席：{'、'.join(self._control.snapshot.seats[:10])} 等"
            )
        try:
            await self._control.play(message.id, SeatId(seat))
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        self._control.deed("message-play", operator_of(body), to=message.id, seat=seat)
        return json_response(self._row(message))

    def _require_theirs(self, request: web.Request, message: Voicemail) -> None:
        """Who answers calls deals with what was handed to him, and with what waits for the groups that he serves."""
        who = request.get(WHO)
        if who is None or who.rights[Right.MESSAGES_WORK] is Scope.ALL or Right.WORK_HAND in who.rights:
            return
        if who.agent and message.holder == who.agent:
            return
        agent = self._control.snapshot.agents.get(AgentId(who.agent)) if who.agent else None
        if agent is None or message.group not in agent.groups:
            raise error_response(403, "这条留言不属于您的技能组，也没有转给您；需要时请班长处理")

    def _callback(self, request: web.Request) -> CallId:
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call) or CallId(call) not in self._control.callbacks.book:
            raise error_response(404, f"没有回拨 {call[:80]!r}；运行 hotline callbacks list 查看")
        return CallId(call)

    def _callback_now(self, call: CallId) -> web.Response:
        found = self._control.callbacks.book.get(call)
        assert found is not None, "it was there a moment ago"
        return json_response(callback_row(found))

    def _group(self, body: dict[str, Any]) -> str:
        """The group that is told; empty for none. Raises HTTPBadRequest for one that is not there."""
        group, known = body.get("group", ""), self._control.snapshot.groups
        if group == "" or (isinstance(group, str) and group in known):
            return str(group)
        names = "、".join(f"{one.id}（{one.name}）" for one in list(known.values())[:20])
        raise error_response(400, f"没有技能组 {str(group)[:40]!r}；可用的有 {names}")

    def _message(self, request: web.Request) -> Voicemail:
        call = request.match_info["call"]
        found = self._control.mailbox.get(CallId(call))
        if found is None:
            raise error_response(404, f"没有留言 {call[:80]!r}；运行 hotline messages list 查看")
        return found

    def _row(self, message: Voicemail) -> dict[str, Any]:
        return {
            "id": message.id,
            "caller": mask(message.caller) if message.caller else "",
            "line": message.line,
            "group": message.group,
            "holder": message.holder,
            "holder_on_duty": bool(message.holder) and AgentId(message.holder) in self._control.acd.seat_of,
            "seconds": message.seconds,
            "taken_at": message.taken_at.isoformat(),
            "due_at": message.due_at.isoformat(),
            "overdue": message.overdue(datetime.fromtimestamp(self._control.now_ms / 1000, UTC)),
            "closed_at": message.closed_at.isoformat() if message.closed_at else None,
            "closed_by": message.closed_by,
            "note": message.note,
        }


def callback_row(callback: Callback) -> dict[str, Any]:
    """One promise for programs."""
    return {
        "id": callback.id,
        "number": mask(callback.number),
        "line": callback.line,
        "group": callback.group,
        "state": callback.state,
        "words": _words(callback),
        "since_ms": callback.since_ms,
        "promised_at": callback.promised_at.isoformat(),
        "attempts": callback.attempts,
        "attempt": callback.call,
        "not_before": callback.not_before.isoformat() if callback.not_before else None,
        "closed_at": callback.closed_at.isoformat() if callback.closed_at else None,
        "why": callback.why,
        "agent": callback.agent,
    }


def _words(callback: Callback) -> str:
    why = CALLBACK_WHY.get(callback.why, callback.why)
    return CALLBACK_STATES[callback.state] + (f"（{why}）" if why else "")


async def reason_of(request: web.Request) -> str:
    """Why somebody does this: a short text that must be told."""
    reason = (await body_of(request, EXAMPLE)).get("reason")
    reason = reason.strip() if isinstance(reason, str) else ""
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        raise error_response(400, f"请说明原因，1 到 {MAX_REASON} 个字，例如 市民来电取消")
    return reason
