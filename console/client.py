"""Speaks to a running engine's control API, for the ``hotline`` command."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener


class EngineUnreachable(Exception):
    """No engine answers; the text says what to do."""


class Refused(Exception):
    """The engine said no; the text is its reason, in Chinese."""


def call(port: int, token: str, path: str, body: dict[str, Any] | None = None, *, seconds: float = 5) -> Any:
    """GET, or POST when there is a body, and the JSON answer. Raises EngineUnreachable or Refused."""
    request = Request(
        f"http://127.0.0.1:{port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with _STRAIGHT.open(request, timeout=seconds) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise Refused(_reason(error)) from None
    except (URLError, OSError, TimeoutError):
        raise EngineUnreachable(f"热线没有在运行（127.0.0.1:{port} 无应答）；请先运行 ./hotline up") from None


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_STRAIGHT: Final = build_opener(ProxyHandler({}), _NoRedirect)
"""To this machine and nowhere else: with a proxy from the environment, or a redirect, the token would go there."""


def _reason(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"引擎拒绝了请求（{error.code}）"
