"""JSON in and out of the API, the same for every room of it; and who it is that asks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from database.errors import DatabaseError
from users.model import Identity

FEWEST_HAN: Final = 2
FEWEST_LETTERS: Final = 4
"""Different ones in a reason: ``抽查``, ``audit``."""

MAX_WHO: Final = 60
"""Room for the longest name that a user can have: 30 characters, 24 of the sign-in and two brackets."""

WHO: Final = web.RequestKey("who", Identity)
"""Set by the browsers' listener; not by the command line's, whose asker owns the machine."""


@dataclass(frozen=True, slots=True)
class SessionCheck:
    """Of who asked."""

    now: Callable[[], Awaitable[Identity | None]]
    """Who it is now, with the right that let him in; None for nobody any more. Raises DatabaseError."""

    async def still_authorised(self, may: Callable[[Identity], bool] = lambda who: True) -> bool:
        """Whether it holds on, and ``may`` says so, too; what cannot be looked up is believed."""
        try:
            who = await self.now()
        except DatabaseError:
            return True
        return who is not None and may(who)


SESSION_CHECK: Final = web.RequestKey("standing", SessionCheck)
"""Whether who asked may still have the answer: asked again and again by answers that go on for hours."""

_REFUSALS = {
    error.status_code: error
    for error in (
        web.HTTPBadRequest, web.HTTPUnauthorized, web.HTTPForbidden, web.HTTPNotFound, web.HTTPRequestTimeout,
        web.HTTPConflict, web.HTTPUnsupportedMediaType, web.HTTPTooManyRequests, web.HTTPServiceUnavailable,
    )
}  # fmt: skip


def json_response(value: Any, status: int = 200) -> web.Response:
    """What was asked for."""
    return web.Response(
        status=status, text=json.dumps(value, ensure_ascii=False), content_type="application/json", charset="utf-8"
    )


def error_response(status: int, reason: str, **more: Any) -> web.HTTPException:
    """A refusal to raise; ``reason`` is a Chinese sentence that says what to do."""
    text = json.dumps({"error": reason, **more}, ensure_ascii=False)
    return _REFUSALS[status](text=text, content_type="application/json")


async def json_of(request: web.Request) -> dict[str, Any]:
    """The JSON object that came, or an empty one."""
    try:
        body = await request.json()
    except (ValueError, LookupError, RecursionError):  # no JSON, an unknown character set, brackets without end
        body = None
    return body if isinstance(body, dict) else {}


async def body_of(request: web.Request, example: str) -> dict[str, Any]:
    """The JSON object that came. Raises HTTPBadRequest, with the example, for anything else.

    Who acts, and from where, is what is known of who signed in, whatever the body says.
    """
    try:
        body = await request.json()
    except (ValueError, LookupError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise error_response(400, f"请求体应为 JSON 对象，例如 {example}")
    who = request.get(WHO)
    return body if who is None else body | {"by": who.name, "via": who.origin}


def operator_of(told: Mapping[str, Any]) -> str:
    """Who asks, as a body or a query says: of sessions and programs who signed in, else who holds the token."""
    by = told.get("by")
    by = by.strip() if isinstance(by, str) else ""
    return by[:MAX_WHO] if by and by.isprintable() else "控制接口"


def text_of(body: dict[str, Any], key: str, most: int, *, what: str, empty: bool = False) -> str:
    """A short printable text of the body. Raises HTTPBadRequest naming it."""
    value = body.get(key, "")
    value = value.strip() if isinstance(value, str) else None
    if value is None or len(value) > most or not (value or empty) or (value and not value.isprintable()):
        raise error_response(400, f"{what}（{key}）应为{'' if empty else ' 1 到'} {most} 个字以内的文字")
    return value


def reason_that_is_one(body: dict[str, Any], most: int) -> str:
    """Why somebody looks at a citizen's data: words, not a full stop and not one key again and again.

    Raises HTTPBadRequest.
    """
    reason = text_of(body, "reason", most, what="原因")
    letters = {sign for sign in reason.casefold() if sign.isalpha()}
    if len(letters) < (FEWEST_HAN if any("\u4e00" <= sign <= "\u9fff" for sign in letters) else FEWEST_LETTERS):
        raise error_response(400, "请写明真正的原因，别人事后要看得懂，例如 市民来电核对派单")
    return reason


def whole_of(value: Any, key: str, default: int, least: int, most: int) -> int:
    """A whole number of the body or the query. Raises HTTPBadRequest naming it."""
    try:
        number = default if value is None else int(value)
        if isinstance(value, (bool, float)) or not least <= number <= most:
            raise ValueError
    except (TypeError, ValueError, OverflowError):  # a list, a word, Infinity
        raise error_response(400, f"{key} 应为 {least} 到 {most} 的整数") from None
    return number
