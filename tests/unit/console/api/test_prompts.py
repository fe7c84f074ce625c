"""Prompts through the browsers' listener: bounded, whole or not at all, only by who may, in words."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pytest

from audit.store import entries
from console.access.guard import CSRF_HEADER, FILE_TYPE
from console.access.permissions import BY_ROUTE
from tests.support.web_harness import Answer, Hall
from tests.unit.ivr.prompts.test_service import NEW, wav
from users.model import Role
from users.passwords import csrf_token

pytestmark = pytest.mark.unit

HERE = "/api/prompts/zh-CN/goodbye"
DOOR = BY_ROUTE["POST", "/api/prompts/{language}/{prompt}/recording"]


async def send(
    hall: Hall, token: str, data: bytes, more: str = "?keep=0", kind: str = FILE_TYPE, csrf: str = ""
) -> Answer:
    headers = {
        "Origin": hall.home, "Sec-Fetch-Site": "same-origin", "Content-Type": kind,
        "Cookie": f"hotline={token}", CSRF_HEADER: csrf or csrf_token(token),
    }  # fmt: skip
    async with hall.client.post(f"{HERE}/recording{more}", data=io.BytesIO(data), headers=headers) as answer:
        return Answer(answer.status, await answer.json(), answer.headers, b"")


def sounds(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.alaw")]


async def test_an_admin_tries_then_keeps_a_text_and_a_recording_and_goes_back(hall: Hall, tmp_path: Path) -> None:
    token = await hall.session("admin")
    tried = await hall.ask("POST", f"{HERE}/text", {"text": NEW}, token=token)
    assert (tried.status, tried.body["version"]) == (200, None)
    assert base64.b64decode(tried.body["sound"]).startswith(b"RIFF")
    assert sounds(tmp_path) == []
    kept = await hall.ask("POST", f"{HERE}/text", {"text": NEW, "keep": True, "reason": "口径", "seen": 1}, token=token)
    assert kept.body["version"] == 2
    heard = await hall.ask("GET", f"{HERE}/listen", token=token)
    assert (heard.status, heard.headers["Content-Type"], heard.raw[:4]) == (200, "audio/wav", b"RIFF")
    assert (await send(hall, token, wav(), "?keep=0&text=再见。")).body["source"] == "human"
    assert (await send(hall, token, wav(), "?keep=1&text=再见。&reason=录音员&seen=2")).body["version"] == 3
    told = (await hall.ask("GET", HERE, token=token)).body
    assert [(one["number"], one["source"], one["text"]) for one in told["versions"]] == [
        (3, "human", "再见。"), (2, "tts", NEW), (1, "tts", "感谢来电，再见。"),
    ]  # fmt: skip
    back = await hall.ask("POST", f"{HERE}/back", {"version": 2, "keep": True, "reason": "退回"}, token=token)
    assert (back.body["version"], back.body["text"]) == (4, NEW)
    async with hall.people.database.reading() as session:
        found = [entry for entry in await entries(session) if entry.act.action.startswith("prompts.")]
    assert [entry.act.reason for entry in found] == ["口径", "录音员", "退回"]
    assert {entry.actor.name for entry in found} == {"张三（admin）"}


@pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR, Role.AUDITOR])
async def test_nobody_but_an_admin_changes_what_callers_hear(hall: Hall, tmp_path: Path, role: Role) -> None:
    token = await hall.session(role)
    wish = {"text": NEW, "keep": True, "reason": "x"}
    assert (await hall.ask("POST", f"{HERE}/text", wish, token=token)).status == 403
    assert (await send(hall, token, wav(), "?keep=1&reason=x")).status == 403
    assert sounds(tmp_path) == []


async def test_a_file_without_the_page_s_token_too_large_or_of_another_type_is_refused(
    hall: Hall, tmp_path: Path
) -> None:
    token = await hall.session("admin")
    assert (await send(hall, token, wav(), "?keep=1&reason=x", csrf="wrong")).status == 403
    large = await send(hall, token, bytes(DOOR.upload + 1), "?keep=1&reason=x")
    assert large.status == 409
    assert "文件最大 10 MB" in large.body["error"]
    assert (await send(hall, token, wav(), kind="multipart/form-data")).status == 415
    bad = await send(hall, token, b"ID3 music", "?keep=1&reason=x")
    assert bad.status == 409
    assert "这是 MP3 文件" in bad.body["error"]
    assert sounds(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["..%2F..%2Fsecrets.json", "%2e%2e", "goodbye%00", "goodbye%2F..%2Fgoodbye", "<script>", "GOODBYE"]
)
async def test_a_path_in_place_of_a_prompt_leads_nowhere(hall: Hall, tmp_path: Path, name: str) -> None:
    token = await hall.session("admin")
    wish = {"text": NEW, "keep": True, "reason": "x"}
    for path in (f"/api/prompts/zh-CN/{name}", f"/api/prompts/{name}/goodbye"):
        assert (await hall.ask("GET", f"{path}/listen", token=token)).status == 404
        assert (await hall.ask("POST", f"{path}/text", wish, token=token)).status == 404
    assert sounds(tmp_path) == []


@pytest.mark.parametrize(
    "body", [{}, {"text": 1}, {"text": NEW, "reason": []}, {"text": NEW, "seen": "x"}, {"text": NEW, "seen": 0}]
)
async def test_what_is_not_understood_is_said_so(hall: Hall, body: Any) -> None:
    answer = await hall.ask("POST", f"{HERE}/text", body, token=await hall.session("admin"))
    assert answer.status == 400
    assert answer.body["error"]
