"""Transfers over the control API: one key to a centre on behalf of an agent who is talking.

One job: translate the request. Whether it can be done is the engine's to say.
"""

from __future__ import annotations

import json
from typing import Any, Final, Protocol

from aiohttp import web

from queues.model import NotAllowed
from telephony.model import CALL_ID, CallId
from transfers.states import Form

MAX_ADDRESS: Final = 200
MAX_SUMMARY: Final = 1000
NO_CALL: Final = "{call!r} 不是呼叫编号；请用 hotline queues list 查看正在进行的呼叫"
AGENTS_FORMS = (Form.ONE_KEY, Form.THREE_PARTY, Form.BLIND)


class Transfers(Protocol):
    """What these routes need of the engine."""

    async def transfer(self, call: CallId, target: str, form: Form) -> None:
        """Raises NotAllowed, with a sentence, when it cannot be done now."""

    def take_down(self, call: CallId, address: str, summary: str) -> None:
        """Keep what an agent has noted. Raises NotAllowed when the call is not up."""


def transfer_routes(control: Transfers) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.post("/api/calls/{call}/transfer", views.transfer),
        web.post("/api/calls/{call}/note", views.note),
    ]


class _Views:
    def __init__(self, control: Transfers) -> None:
        self._control = control

    async def transfer(self, request: web.Request) -> web.Response:
        """Call a centre or a partner (协作单位) into the talk of this call."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            return _json({"error": NO_CALL.format(call=call[:80])}, 404)
        try:
            body: Any = await request.json()
        except ValueError:
            body = None
        target = body.get("target") if isinstance(body, dict) else None
        form = body.get("form", Form.ONE_KEY) if isinstance(body, dict) else None
        if not isinstance(target, str) or not target or form not in AGENTS_FORMS:
            forms = "、".join(AGENTS_FORMS)
            return _json({"error": f'应为 {{"target": "110", "form": "one-key"}}；form 可用 {forms}'}, 400)
        try:
            await self._control.transfer(CallId(call), target, Form(form))
        except NotAllowed as refused:
            return _json({"error": refused.reason}, 409)
        return _json({"call": call, "target": target, "form": form})

    async def note(self, request: web.Request) -> web.Response:
        """What the agent has taken down so far; centres that have the call are told."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            return _json({"error": NO_CALL.format(call=call[:80])}, 404)
        try:
            body: Any = await request.json()
        except ValueError:
            body = None
        given = body if isinstance(body, dict) else {}
        address, summary = given.get("address", ""), given.get("summary", "")
        if not all(isinstance(text, str) for text in (address, summary)) or not (address or summary):
            return _json({"error": '应为 {"address": "地址", "summary": "案情"}，至少写一项'}, 400)
        if len(address) > MAX_ADDRESS or len(summary) > MAX_SUMMARY:
            return _json({"error": f"地址最多 {MAX_ADDRESS} 个字，案情最多 {MAX_SUMMARY} 个字"}, 400)
        try:
            self._control.take_down(CallId(call), address, summary)
        except NotAllowed as refused:
            return _json({"error": refused.reason}, 409)
        return _json({"call": call})


def _json(value: Any, status: int = 200) -> web.Response:
    text = json.dumps(value, ensure_ascii=False)
    return web.Response(status=status, text=text, content_type="application/json", charset="utf-8")
