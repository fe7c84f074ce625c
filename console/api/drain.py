"""Draining over the control API: no more ordinary calls, or calls again.

One job: translate.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import body_of, error_response, json_response, operator_of

EXAMPLE: Final = '{"on": true, "reason": "升级 Asterisk"}'


class DrainPort(Protocol):
    """What these routes need of the engine."""

    async def drain(self, on: bool, by: str, reason: str) -> dict[str, Any]: ...


def drain_routes(control: DrainPort) -> list[web.RouteDef]:
    """``POST /api/drain``."""

    async def drain(request: web.Request) -> web.Response:
        body = await body_of(request, EXAMPLE)
        on, reason = body.get("on"), str(body.get("reason", "")).strip()
        if type(on) is not bool or (on and not reason) or len(reason) > 100:
            raise error_response(400, f"应写明排空还是恢复，排空要有 100 字以内的原因，例如 {EXAMPLE}")
        try:
            return json_response(await control.drain(on, operator_of(body), reason))
        except OSError as error:
            raise error_response(503, f"没有做成：写不了 drain.json（{error.strerror}）；请检查磁盘空间") from None

    return [web.post("/api/drain", drain)]
