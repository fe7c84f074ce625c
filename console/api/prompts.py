"""Prompts for browsers: what callers hear, tried before it is kept, and what it was before.

One job: requests into a service of prompts and back. Unless something is to be kept, nothing changes: the answer has
the sound, to be heard first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from aiohttp import web

from audit.model import Actor
from console.access.guard import UPLOADED
from console.api.sessions import actor_of
from console.http_json import body_of, error_response, json_response, whole_of
from database.errors import DatabaseError
from ivr.prompts.catalogue import transition_texts
from ivr.prompts.model import NoPrompt, PromptChange, PromptRefused, PromptsBusy
from routing.model import MergeMode

EXAMPLE: Final = '{"text": "请稍候，正在为您转接。", "keep": false}'
MOST: Final = 1_000_000_000

Key = tuple[str, str]
"""Language and prompt id."""


class Prompts(Protocol):
    """What these routes need of the prompts."""

    async def rows(self, find: str = "", limit: int = 1000) -> dict[str, Any]: ...

    async def history(self, key: Key) -> dict[str, Any]: ...

    async def sound(self, key: Key) -> Path: ...

    async def preview(self, text: str) -> dict[str, Any]:
        """Words that no prompt has yet, made to be heard. Raises PromptRefused or OSError."""
        ...

    async def change(
        self, key: Key, wish: PromptChange, actor: Actor, reason: str = "", *, keep: bool, seen: int | None = None
    ) -> dict[str, Any]:
        """The sound that was made; in force only with ``keep``. Raises PromptRefused, DatabaseError or OSError."""
        ...


def prompt_routes(prompts: Prompts) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""
    views = _Views(prompts)
    return [
        web.get("/api/prompts", _worded(views.rows)),
        web.post("/api/prompts/preview", _worded(views.preview)),
        web.get("/api/prompts/transition", _worded(views.transition)),
        web.get("/api/prompts/{language}/{prompt}", _worded(views.history)),
        web.get("/api/prompts/{language}/{prompt}/listen", _worded(views.listen)),
        web.post("/api/prompts/{language}/{prompt}/text", _worded(views.reword)),
        web.post("/api/prompts/{language}/{prompt}/recording", _worded(views.record)),
        web.post("/api/prompts/{language}/{prompt}/back", _worded(views.back)),
    ]


class _Views:
    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts

    async def rows(self, request: web.Request) -> Any:
        told = request.query
        return await self._prompts.rows(told.get("find", "")[:200], whole_of(told.get("limit"), "limit", 1000, 1, 1000))

    async def preview(self, request: web.Request) -> Any:
        text = (await body_of(request, EXAMPLE)).get("text")
        if not isinstance(text, str) or not text.strip():
            raise error_response(400, f"应写明要说的文字（text），例如 {EXAMPLE}")
        return await self._prompts.preview(text.strip())

    async def transition(self, request: web.Request) -> Any:
        """What a merged number of this mode says by itself, before and after its last day."""
        told = request.query
        modes = {str(mode): mode for mode in MergeMode}
        if told.get("mode", "") not in modes:
            raise error_response(400, f"归并方式（mode）应为 {'、'.join(modes)} 之一")
        during, after = transition_texts(modes[told["mode"]], told.get("number", "")[:20], told.get("name", "")[:20])
        return {"during": during, "after": after}

    async def history(self, request: web.Request) -> Any:
        return await self._prompts.history(_key(request))

    async def listen(self, request: web.Request) -> Any:
        return web.FileResponse(await self._prompts.sound(_key(request)), headers={"Content-Type": "audio/wav"})

    async def reword(self, request: web.Request) -> Any:
        body = await body_of(request, EXAMPLE)
        text = body.get("text")
        if not isinstance(text, str):
            raise error_response(400, f"应写明要说的文字（text），例如 {EXAMPLE}")
        return await self._change(request, PromptChange(text=text), body, keep=body.get("keep") is True)

    async def record(self, request: web.Request) -> Any:
        """A sound file, with what it says as ``text``."""
        told = request.query
        wish = PromptChange(told.get("text") or None, recording=request[UPLOADED])
        return await self._change(request, wish, told, keep=told.get("keep") == "1")

    async def back(self, request: web.Request) -> Any:
        body = await body_of(request, '{"version": 1, "keep": false}')
        version = whole_of(body.get("version"), "version", 0, 1, MOST)
        return await self._change(request, PromptChange(back_to=version), body, keep=body.get("keep") is True)

    async def _change(self, request: web.Request, wish: PromptChange, told: Mapping[str, Any], *, keep: bool) -> Any:
        reason, seen = told.get("reason", ""), told.get("seen")
        if not isinstance(reason, str):
            raise error_response(400, "原因（reason）应为文字")
        at = whole_of(seen, "seen", 0, 1, MOST) if seen not in (None, "") else None
        return await self._prompts.change(_key(request), wish, actor_of(request), reason, keep=keep, seen=at)


def _key(request: web.Request) -> Key:
    return request.match_info["language"], request.match_info["prompt"]


def _worded(answer: Callable[[web.Request], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            told = await answer(request)
        except PromptRefused as no:
            raise error_response(
                404 if isinstance(no, NoPrompt) else 429 if isinstance(no, PromptsBusy) else 409, str(no)
            ) from None
        except (DatabaseError, OSError) as error:
            return json_response({"error": f"没有做成，仍是原来的提示音：{error}"}, 503)
        return told if isinstance(told, web.StreamResponse) else json_response(told)

    return handle
