"""Transfers over the control API: one key to a centre on behalf of an agent who is talking.

One job: translate the request. Whether it can be done is the engine's to say.
"""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp import web

from console.http_json import body_of, error_response, json_response
from queues.model import NotAllowed
from telephony.model import CALL_ID, CallId
from transfers.states import Form, Settlement

EXAMPLE: Final = '{"target": "110", "form": "one-key"}'
SETTLE_EXAMPLE: Final = '{"then": "join"}'
MAX_ADDRESS: Final = 200
MAX_SUMMARY: Final = 1000
NOTE_EXAMPLE: Final = '{"address": "地址", "summary": "案情"}'
NO_CALL: Final = "{call!r} 不是呼叫编号；请用 hotline queues list 查看正在进行的呼叫"
AGENTS_FORMS = (Form.ONE_KEY, Form.THREE_PARTY, Form.BLIND, Form.ATTENDED)


class Transfers(Protocol):
    """What these routes need of the engine."""

    async def transfer(self, call: CallId, target: str, form: Form) -> None:
        """Raises NotAllowed, with a sentence, when it cannot be done now."""

    async def settle(self, call: CallId, how: Settlement) -> None:
        """Raises NotAllowed when nobody is being consulted."""

    def take_down(self, call: CallId, address: str | None, summary: str | None) -> None:
        """Keep what an agent has noted; None leaves what was noted before. Raises NotAllowed for a call of the past."""


def transfer_routes(control: Transfers) -> list[web.RouteDef]:
    """The routes, to be added to the control API's application."""
    views = _Views(control)
    return [
        web.post("/api/calls/{call}/transfer", views.transfer),
        web.post("/api/calls/{call}/consultation", views.settle),
        web.post("/api/calls/{call}/note", views.note),
    ]


class _Views:
    def __init__(self, control: Transfers) -> None:
        self._control = control

    async def transfer(self, request: web.Request) -> web.Response:
        """Call a centre or a partner (协作单位) into the talk of this call."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, NO_CALL.format(call=call[:80]))
        body = await body_of(request, EXAMPLE)
        target, form = body.get("target"), body.get("form", Form.ONE_KEY)
        if not isinstance(target, str) or not target or form not in AGENTS_FORMS:
            forms = "、".join(AGENTS_FORMS)
            raise error_response(400, f'应为 {{"target": "110", "form": "one-key"}}；form 可用 {forms}')
        try:
            await self._control.transfer(CallId(call), target, Form(form))
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        return json_response({"call": call, "target": target, "form": form})

    async def settle(self, request: web.Request) -> web.Response:
        """End a private consultation (咨询): the caller joins, comes back to the agent, or is left to the partner."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, NO_CALL.format(call=call[:80]))
        then = (await body_of(request, SETTLE_EXAMPLE)).get("then")
        if not isinstance(then, str) or then not in set(Settlement):
            raise error_response(400, f"应为 {SETTLE_EXAMPLE}；then 可用 {'、'.join(Settlement)}")
        try:
            await self._control.settle(CallId(call), Settlement(then))
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        return json_response({"call": call, "then": then})

    async def note(self, request: web.Request) -> web.Response:
        """What the agent has taken down so far; centres that have the call are told."""
        call = request.match_info["call"]
        if not CALL_ID.fullmatch(call):
            raise error_response(404, NO_CALL.format(call=call[:80]))
        body = await body_of(request, NOTE_EXAMPLE)
        address, summary = body.get("address"), body.get("summary")
        told = [text for text in (address, summary) if text is not None]
        if not told or not all(isinstance(text, str) for text in told):
            raise error_response(400, '应为 {"address": "地址", "summary": "案情"}，至少写一项；没写的一项不变')
        if len(address or "") > MAX_ADDRESS or len(summary or "") > MAX_SUMMARY:
            raise error_response(400, f"地址最多 {MAX_ADDRESS} 个字，案情最多 {MAX_SUMMARY} 个字")
        try:
            self._control.take_down(CallId(call), address, summary)
        except NotAllowed as no:
            raise error_response(409, no.reason) from None
        return json_response({"call": call})
