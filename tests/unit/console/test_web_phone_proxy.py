"""The phone in the page: who gets a password, and the pipe between browser and switch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import BaseTestServer, TestServer

from calls.web_phones import WebPhones
from console.web_phone_proxy import ELSEWHERE, MAX_FRAME_BYTES, SIGNED_OUT, SWITCH_GONE
from queues.events import SeatReachable
from telephony.model import AgentId, SeatId, Var
from tests.support.web_harness import Hall, program, talks
from tests.unit.users.people import ROOT
from users.model import Right, Role

pytestmark = pytest.mark.unit


@dataclass
class Switch:
    """Asterisk's WebSocket: repeats what it hears, with a mark."""

    server: BaseTestServer
    lines: list[web.WebSocketResponse] = field(default_factory=list)


@pytest.fixture
async def switch(hall: Hall) -> AsyncIterator[Switch]:
    lines: list[web.WebSocketResponse] = []

    async def repeat(request: web.Request) -> web.WebSocketResponse:
        line = web.WebSocketResponse(protocols=("sip",))
        await line.prepare(request)
        lines.append(line)
        async for frame in line:
            await line.send_str(f"SIP/2.0 200 {frame.data}")
        return line

    app = web.Application()
    app.router.add_get("/ws", repeat)
    async with TestServer(app) as server:
        hall.house.page_phones.url = f"ws://127.0.0.1:{server.port}/ws"
        yield Switch(server, lines)


async def credentials(hall: Hall, token: str) -> Any:
    return await hall.ask("POST", "/api/phone/credentials", token=token)


async def opened(hall: Hall, token: str, origin: str = "", protocol: str = "sip") -> ClientWebSocketResponse:
    headers = {"Cookie": f"hotline={token}", "Origin": origin or hall.home}
    return await hall.client.ws_connect("/api/phone", headers=headers, protocols=(protocol,))


async def refusal(hall: Hall, token: str, **how: str) -> int:
    with pytest.raises(WSServerHandshakeError) as no:
        await opened(hall, token, **how)
    return no.value.status


def passwords(hall: Hall, agent: str = "1001") -> list[str]:
    """What the switch was told of an agent's page, in order; empty: it has none any more."""
    told: list[dict[str, Any]] = [headers for action, headers in hall.house.link.sent if action == "Originate"]
    there = [one for one in told if one["Channel"] == f"Local/{agent}@page-password/n"]
    return [one["variables"][f"__{Var.PAGE_PASSWORD}"] for one in there]


async def settled(hall: Hall, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(passwords(hall)) < count:
            await asyncio.sleep(0.01)
    return passwords(hall)


async def test_a_page_gets_a_password_for_its_own_agent_and_one_connection(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    told = (await credentials(hall, token)).body
    assert (told["seat"], told["user"], told["uri"]) == ("1001", "1001", "sip:1001@hotline.invalid")
    assert len(told["password"]) >= 30
    page = await opened(hall, token)
    assert page.protocol == "sip"
    await page.send_str("REGISTER")
    assert (await page.receive_str()) == "SIP/2.0 200 REGISTER"
    assert passwords(hall) == [told["password"]]
    await page.close()
    assert (await settled(hall, 2))[-1] == ""


async def test_without_a_password_just_given_there_is_no_line(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    assert await refusal(hall, token) == 409
    await credentials(hall, token)
    other = await hall.session("agent")
    assert await refusal(hall, other) == 409, "another session's"
    page = await opened(hall, token)
    assert await refusal(hall, token) == 409, "good for one connection"
    await page.close()


async def test_a_line_is_for_pages_of_ours_that_speak_sip(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    await credentials(hall, token)
    assert await refusal(hall, token, origin="https://evil.example") == 403
    assert await refusal(hall, token, protocol="chat") == 400
    bare = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Protocol": "sip"}
    without = await hall.ask("GET", "/api/phone", token=token, Origin=None, **bare)
    assert without.status == 403
    assert switch.lines == []
    await (await opened(hall, token)).close()


@pytest.mark.parametrize(
    ("agent", "status", "words"), [("", 403, "工号"), ("1999", 409, "路由表"), ("8001", 409, "同号")]
)
async def test_who_has_no_agent_id_of_the_table_has_no_phone(hall: Hall, agent: str, status: int, words: str) -> None:
    chosen = "东山路的路灯不亮了请来修一修"
    first = await hall.people.accounts.add("boss", "班长", frozenset({Role.SUPERVISOR}), agent, ROOT)
    await hall.people.accounts.change_password("boss", first, chosen, ROOT)
    answer = await credentials(hall, await hall.session("boss"))
    assert (answer.status, words in answer.body["error"]) == (status, True)


async def test_programs_have_no_phone(hall: Hall) -> None:
    answer = await hall.ask("POST", "/api/phone/credentials", program=await program(hall, Right.AGENTS_ACT))
    assert answer.status == 403


async def test_a_second_page_takes_the_phone_and_the_first_is_told(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    await credentials(hall, token)
    first = await opened(hall, token)
    newer = (await credentials(hall, token)).body["password"]
    assert (await first.receive(timeout=20)).type is WSMsgType.CLOSE
    assert first.close_code == ELSEWHERE
    second = await opened(hall, token)
    await second.send_str("REGISTER")
    assert await second.receive_str() == "SIP/2.0 200 REGISTER"
    assert passwords(hall)[-1] == newer, "the first page's end does not cost the second its password"
    await second.close()


async def test_a_line_ends_with_its_session(hall: Hall, switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.web_phone_proxy.STANDING_SECONDS", 0.05)
    token = await hall.session("agent")
    await credentials(hall, token)
    page = await opened(hall, token)
    assert (await hall.ask("POST", "/api/session/end", token=token)).status == 200
    ended = await page.receive(timeout=20)
    assert (ended.type, ended.data) == (WSMsgType.CLOSE, SIGNED_OUT)


@pytest.mark.parametrize("how", ["end-sessions", "reset", "disable"])
async def test_an_agent_whose_session_was_ended_is_off_duty(
    hall: Hall, switch: Switch, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("console.web_phone_proxy.STANDING_SECONDS", 0.05)
    token = await hall.session("agent")
    await credentials(hall, token)
    page = await opened(hall, token)
    hall.house.queues.apply(SeatReachable(SeatId("1001")))
    assert (await hall.ask("POST", "/api/agents/1001/sign-in", {"seat": "1001"}, token=token)).status == 200
    admin = await hall.session("admin")
    assert (await hall.ask("POST", f"/api/users/agent/{how}", {"reason": "离职"}, token=admin)).status == 200
    async with asyncio.timeout(5):
        ended = await page.receive(timeout=5)
        assert (ended.type, ended.data) == (WSMsgType.CLOSE, SIGNED_OUT)
        while AgentId("1001") in hall.house.queues.acd.seat_of:
            await asyncio.sleep(0.01)
    assert hall.house.queues.acd.seat_of.get(AgentId("1001")) is None


async def test_a_line_ends_with_the_switch_and_says_that_it_is_worth_another_try(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    await credentials(hall, token)
    page = await opened(hall, token)
    await page.send_str("REGISTER")
    await page.receive_str()
    await switch.lines[0].close()
    assert (await page.receive(timeout=20)).type is WSMsgType.CLOSE
    assert page.close_code == SWITCH_GONE


@pytest.mark.parametrize("frame", ["x" * (MAX_FRAME_BYTES + 1), b"REGISTER"], ids=["too long", "binary"])
async def test_what_is_no_bounded_text_ends_the_line(hall: Hall, switch: Switch, frame: str | bytes) -> None:
    token = await hall.session("agent")
    await credentials(hall, token)
    page = await opened(hall, token)
    await (page.send_str(frame) if isinstance(frame, str) else page.send_bytes(frame))
    assert (await page.receive(timeout=20)).type is WSMsgType.CLOSE


async def test_without_the_switch_there_is_no_line_and_the_password_is_taken_back(hall: Hall, switch: Switch) -> None:
    token = await hall.session("agent")
    await credentials(hall, token)
    await switch.server.close()
    assert await refusal(hall, token) == 503
    assert (await settled(hall, 2))[-1] == ""


async def test_a_password_that_nobody_uses_is_taken_back(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.web_phone_proxy.OPEN_SECONDS", 0.05)
    await credentials(hall, await hall.session("agent"))
    assert (await settled(hall, 2))[-1] == ""


async def test_there_is_nothing_to_fetch_back_but_a_talk_of_one_s_own_browser(hall: Hall) -> None:
    boss, token = await hall.session("supervisor"), await hall.session("agent")
    nothing = await hall.ask("POST", "/api/phone/resume", token=token)
    assert (nothing.status, nothing.body["error"]) == (409, "没有要接回的通话")
    await talks(hall)  # the agent talks at 8001, which is no browser
    assert (await hall.ask("POST", "/api/phone/resume", token=token)).status == 409
    assert (await hall.ask("POST", "/api/phone/resume", token=boss)).status == 409


async def test_sign_in_at_the_browser_of_somebody_else_is_refused(hall: Hall) -> None:
    boss = await hall.session("supervisor")
    hall.house.queues.apply(SeatReachable(SeatId("1001")))
    for agent, status in (("1002", 400), ("1001", 200)):
        answer = await hall.ask("POST", f"/api/agents/{agent}/sign-in", {"seat": "1001"}, token=boss)
        assert answer.status == status


async def test_what_a_killed_engine_left_behind_is_taken_back_and_what_was_given_since_is_not(hall: Hall) -> None:
    house, link = hall.house, hall.house.link
    phones = WebPhones(lambda: house.table, house.queues, house.calls, link, port=9, enabled=True)  # type: ignore[arg-type]
    await phones.grant(AgentId("1001"))
    await phones.seen()
    assert passwords(hall, "1002") == [""]
    assert len(passwords(hall, "1001")) == 1


async def test_where_it_is_switched_off_there_is_no_password(hall: Hall) -> None:
    hall.house.page_phones._enabled = False
    answer = await credentials(hall, await hall.session("agent"))
    assert (answer.status, "page_phones" in answer.body["error"]) == (409, True)
