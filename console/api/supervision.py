"""Supervision over the control API: join a talk, take it over, force a state, move who waits.

One job: translate requests into calls.supervision's deeds. Everything needs a reason, which is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from aiohttp import web

from console.http_json import body_of, error_response, json_response
from queues.model import NotAllowed
from queues.states import AgentState
from routing.model import Snapshot
from telephony.model import AGENT_ID, CALL_ID, AgentId, CallId, GroupId

T = TypeVar("T")

BY_SUPERVISOR: Final = "班长要求"
"""The pause of an agent whom a supervisor has paused without a reason of the table: nobody's own break."""

EXAMPLE: Final = '{"agent": "1001", "reason": "质检"}'
MAX_REASON: Final = 100
MAX_WHO: Final = 60
WAITING: Final = ("stay", "move")
"""What becomes of who waits for a group that is closed."""
FORCEABLE: Final = {"ready": AgentState.READY, "paused": AgentState.PAUSED, "signed-out": AgentState.SIGNED_OUT}


class SupervisionPort(Protocol):
    """What these routes need of the engine. Every deed raises NotAllowed, in Chinese."""

    @property
    def snapshot(self) -> Snapshot: ...

    def join_talk(self, action: str, supervisor: AgentId, agent: AgentId, reason: str) -> str:
        """The supervisor's seat, which rings now."""

    def take_over(self, supervisor: AgentId, agent: AgentId, reason: str) -> str: ...

    def force(self, agent: AgentId, to: AgentState, pause: str, by: str, reason: str) -> None: ...

    def move(self, group: GroupId, to: GroupId, by: str, reason: str, call: CallId | None) -> int: ...

    async def close_group(self, group: GroupId, by: str, reason: str, *, move: bool) -> int:
        """How many waiting callers were moved."""

    async def open_group(self, group: GroupId, by: str, reason: str) -> None: ...

    async def announce(self, name: str, by: str, reason: str) -> None:
        """All callers hear this announcement of the table from now on."""

    async def end_announcement(self, name: str, by: str, reason: str) -> None: ...

    def announcements(self) -> list[dict[str, Any]]: ...


def supervise_routes(control: SupervisionPort) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    deeds = _Deeds(control)
    return [
        web.post("/api/supervise/{action:listen|whisper|barge|take-over}", deeds.join),
        web.post("/api/supervise/force", deeds.force),
        web.post("/api/supervise/move", deeds.move),
        web.post("/api/supervise/close", deeds.close),
        web.post("/api/supervise/open", deeds.open),
        web.get("/api/announcements", deeds.announcements),
        web.post("/api/announcements/{action:raise|stop}", deeds.announce),
    ]


class _Deeds:
    def __init__(self, control: SupervisionPort) -> None:
        self._control = control

    async def join(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        action = request.match_info["action"]
        agent, supervisor, reason = _agent(body, "agent"), _agent(body, "supervisor"), _reason(body)
        if action == "take-over":
            seat = _allowed(lambda: self._control.take_over(supervisor, agent, reason))
        else:
            seat = _allowed(lambda: self._control.join_talk(action, supervisor, agent, reason))
        return json_response({"agent": agent, "supervisor": supervisor, "seat": seat})

    async def force(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        agent, reason = _agent(body, "agent"), _reason(body)
        to = FORCEABLE.get(str(body.get("to", "")))
        if to is None:
            raise error_response(400, f"to 应为 {'、'.join(FORCEABLE)} 之一")
        pauses = tuple(self._control.snapshot.pause_reasons.values())
        pause = str(body.get("pause") or BY_SUPERVISOR) if to is AgentState.PAUSED else ""
        if pause and pause not in (*pauses, BY_SUPERVISOR):
            raise error_response(400, f"示忙原因应为 {'、'.join(pauses)} 之一")
        _allowed(lambda: self._control.force(agent, to, pause, _who(body), reason))
        return json_response({"agent": agent, "to": to})

    async def move(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        reason = _reason(body)
        call = str(body.get("call") or "")
        if call and not CALL_ID.fullmatch(call):
            raise error_response(400, f"不是呼叫编号：{call[:40]!r}")
        group, to = (GroupId(str(body.get(key, ""))) for key in ("group", "to"))
        moved = _allowed(lambda: self._control.move(group, to, _who(body), reason, CallId(call) if call else None))
        return json_response({"moved": moved})

    async def close(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        group, reason, by = GroupId(str(body.get("group", ""))), _reason(body), _who(body)
        waiting = body.get("waiting", "stay")
        if waiting not in WAITING:
            raise error_response(
                400, f"waiting 应为 {'、'.join(WAITING)} 之一：stay 已在排队的继续等，move 移到 12345 受理组"
            )
        moved = await _done(self._control.close_group(group, by, reason, move=waiting == "move"))
        return json_response({"group": group, "closed": True, "moved": moved})

    async def open(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        group, reason, by = GroupId(str(body.get("group", ""))), _reason(body), _who(body)
        await _done(self._control.open_group(group, by, reason))
        return json_response({"group": group, "closed": False})

    async def announcements(self, request: web.Request) -> web.Response:
        return json_response({"announcements": self._control.announcements()})

    async def announce(self, request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        name, by, reason = str(body.get("announcement", ""))[:MAX_REASON], _who(body), _reason(body)
        raising = request.match_info["action"] == "raise"
        await _done((self._control.announce if raising else self._control.end_announcement)(name, by, reason))
        return json_response({"announcement": name, "raised": raising})


def _agent(body: Mapping[str, Any], key: str) -> AgentId:
    agent = str(body.get(key, ""))
    if not AGENT_ID.fullmatch(agent):
        raise error_response(400, f'{key} 应为工号，例如 "1001"')
    return AgentId(agent)


def _reason(body: Mapping[str, Any]) -> str:
    reason = body.get("reason")
    reason = reason.strip() if isinstance(reason, str) else ""
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        raise error_response(400, f"请写明原因，1 到 {MAX_REASON} 个字")
    return reason


def _who(body: Mapping[str, Any]) -> str:
    by = body.get("by")
    by = by.strip() if isinstance(by, str) else ""
    if not 0 < len(by) <= MAX_WHO or not by.isprintable():
        raise error_response(400, f'by 应写明是谁，1 到 {MAX_WHO} 个字，例如 "班长1010"')
    return by


def _allowed(deed: Callable[[], T]) -> T:
    try:
        return deed()
    except NotAllowed as no:
        raise error_response(409, no.reason) from None


async def _done(deed: Awaitable[T]) -> T:
    """The same for a deed that waits for the disk."""
    try:
        return await deed
    except NotAllowed as no:
        raise error_response(409, no.reason) from None
