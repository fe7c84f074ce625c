"""The live WebSocket of the browsers' listener: who may watch what, how it ends, and what the pages get."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from console.live import websocket
from console.live.websocket import NOT_ALLOWED, SIGNED_OUT
from console.screens.topics import NEEDS, Topic
from ivr.model import Script
from tests.support.engine_harness import call_id
from tests.support.web_harness import NUMBER, Hall, program, talks
from tests.unit.users.people import ROOT
from users.model import Right, Role

pytestmark = pytest.mark.unit

UPGRADE: dict[str, Any] = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip


async def watch(hall: Hall, token: str, topics: str, **headers: str) -> ClientWebSocketResponse:
    given = {"Cookie": f"hotline={token}", "Origin": hall.home} | headers
    return await hall.client.ws_connect(f"/api/ws?topics={topics}", headers=given)


async def told(socket: ClientWebSocketResponse, topic: str) -> dict[str, Any]:
    """The next frame of this topic."""
    while True:
        said = await asyncio.wait_for(socket.receive(), 20)
        assert said.type is WSMsgType.TEXT, said
        frame: dict[str, Any] = json.loads(said.data)
        if frame["topic"] == topic:
            return frame


async def closed(socket: ClientWebSocketResponse) -> int | None:
    while True:
        said = await asyncio.wait_for(socket.receive(), 20)
        if said.type is not WSMsgType.TEXT:
            assert said.type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
            return socket.close_code


async def test_an_agent_s_page_has_its_seat_and_its_call_and_again_after_a_reload(hall: Hall) -> None:
    await talks(hall)
    hall.house.dial("DialBegin", 1, "8001")
    token = await hall.session("agent")
    page = await watch(hall, token, "me,routes")
    me = (await told(page, "me"))["whole"]
    assert (me["seat"]["state"], me["call"]["phase"], me["call"]["call"]) == ("ringing", "ringing", call_id(1))
    hall.house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    delta = await told(page, "me")
    assert (delta["set"]["seat"]["state"], delta["set"]["call"]["phase"]) == ("talking", "talking")
    reloaded = await watch(hall, token, "me")
    assert (await told(reloaded, "me"))["whole"] == me | delta["set"]
    await page.close()
    await reloaded.close()


async def test_a_supervisor_watches_all_and_no_number_is_shown(hall: Hall) -> None:
    await talks(hall)
    page = await watch(hall, await hall.session("supervisor"), ",".join(Topic))
    seen: dict[str, Any] = {}
    for topic in Topic:
        seen[topic] = (await told(page, topic))["whole"]
    assert set(seen["agents"]) == {"1001", "1010"}
    assert set(seen["calls"]) == {call_id(1), call_id(2)}
    assert NUMBER not in json.dumps(seen)
    assert seen["groups"]["all"]["ringing"] == 2
    assert seen["measures"]["all"]["aims"]["answer_seconds"] == 15
    hall.house.desk.place(hall.house.question(Script.OFFER, 3))
    assert (await told(page, "calls"))["set"][call_id(3)]["phase"] == "waiting"
    await page.close()


@pytest.mark.parametrize("topic", ["agents", "calls", "measures", "alarms"])
async def test_an_agent_may_not_watch_the_others(hall: Hall, topic: str) -> None:
    answer = await hall.ask("GET", f"/api/ws?topics=me,{topic}", token=await hall.session("agent"))
    assert (answer.status, topic in answer.body["error"]) == (403, True)


async def test_a_program_watches_what_its_token_lets_it(hall: Hall) -> None:
    token = await program(hall, Right.LIVE_READ)
    page = await hall.client.ws_connect("/api/ws?topics=groups,me", headers={"Authorization": f"Bearer {token}"})
    assert (await told(page, "me"))["whole"] == {}
    assert "all" in (await told(page, "groups"))["whole"]
    await page.close()
    assert (await hall.ask("GET", "/api/ws?topics=alarms", program=token)).status == 403


@pytest.mark.parametrize(
    ("query", "headers", "status", "words"),
    [
        ("?topics=me,weather", {}, 400, "weather"),
        ("?topics=me", {}, 400, "WebSocket"),
        ("?topics=me", {"Origin": "https://evil.example"}, 403, "本系统的页面"),
        ("?topics=me", {"Sec_Fetch_Site": "cross-site"}, 403, "本系统的页面"),
    ],
)
async def test_what_is_no_page_of_ours_or_no_topic_is_refused_with_a_sentence(
    hall: Hall, query: str, headers: dict[str, str], status: int, words: str
) -> None:
    answer = await hall.ask("GET", f"/api/ws{query}", token=await hall.session("agent"), **headers)
    assert (answer.status, words in answer.body["error"]) == (status, True)


async def test_a_cookie_without_an_origin_opens_no_socket(hall: Hall) -> None:
    token = await hall.session("agent")
    answer = await hall.ask("GET", "/api/ws", token=token, **UPGRADE, Origin=None, Sec_Fetch_Site=None)
    assert (answer.status, "Origin" in answer.body["error"]) == (403, True)


async def test_a_socket_closes_when_the_session_ends_or_the_right_is_lost(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "STANDING_SECONDS", 0.3)
    monkeypatch.setattr(websocket, "PING_SECONDS", 0.2)  # the sooner of the two, as it is: a page that lives answers
    page = await watch(hall, await hall.session("agent"), "me")
    await told(page, "me")
    await hall.people.accounts.end_sessions("agent", ROOT)
    assert await closed(page) == SIGNED_OUT
    page = await watch(hall, await hall.session("auditor"), "calls")
    await told(page, "calls")
    rights = dict(NEEDS) | {Topic.CALLS: Right.SUPERVISE}
    monkeypatch.setattr(websocket, "NEEDS", rights)
    assert await closed(page) == NOT_ALLOWED


async def test_sockets_are_bounded_for_all_and_for_one_session(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    assert websocket.MAX_SOCKETS >= 400, "a floor of 300 and its walls"
    token = await hall.session("agent")
    page = await watch(hall, token, "me")
    await told(page, "me")
    monkeypatch.setattr(websocket, "MAX_OF_ONE", 1)
    answer = await hall.ask("GET", "/api/ws", token=token, **UPGRADE)
    assert (answer.status, "您已打开" in answer.body["error"]) == (429, True)
    monkeypatch.setattr(websocket, "MAX_SOCKETS", 1)
    answer = await hall.ask("GET", "/api/ws", token=await hall.session("agent"), **UPGRADE)
    assert (answer.status, "关掉不用的" in answer.body["error"]) == (503, True)
    await page.close()


async def test_who_talks_back_is_told_to_use_the_other_routes(hall: Hall) -> None:
    page = await watch(hall, await hall.session("agent"), "me")
    await page.send_str("hello")
    assert await closed(page) == 1008


async def test_a_shutdown_tells_the_pages_to_come_again(hall: Hall) -> None:
    page = await watch(hall, await hall.session(Role.SUPERVISOR), "alarms")
    await told(page, "alarms")
    stopping = asyncio.create_task(hall.client.server.app.shutdown())  # type: ignore[attr-defined]
    assert await closed(page) == 1001
    await stopping
