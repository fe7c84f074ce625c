"""JSON in and out of the control API, the same for every room of it."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

_REFUSALS = {
    error.status_code: error
    for error in (
        web.HTTPBadRequest, web.HTTPUnauthorized, web.HTTPNotFound, web.HTTPConflict, web.HTTPServiceUnavailable,
    )
}  # fmt: skip


def answered(value: Any, status: int = 200) -> web.Response:
    """What was asked for."""
    return web.Response(
        status=status, text=json.dumps(value, ensure_ascii=False), content_type="application/json", charset="utf-8"
    )


def refused(status: int, reason: str) -> web.HTTPException:
    """A refusal to raise; ``reason`` is a Chinese sentence that says what to do."""
    return _REFUSALS[status](text=json.dumps({"error": reason}, ensure_ascii=False), content_type="application/json")


async def body_of(request: web.Request, example: str) -> dict[str, Any]:
    """The JSON object that came. Raises HTTPBadRequest, with the example, for anything else."""
    try:
        body = await request.json()
    except (ValueError, LookupError, RecursionError):  # no JSON, an unknown character set, brackets without end
        body = None
    if not isinstance(body, dict):
        raise refused(400, f"请求体应为 JSON 对象，例如 {example}")
    return body
