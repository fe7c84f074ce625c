"""The browsers' listener against those who mean harm, and what a page gets from it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import pytest

from console.access import guard, rate_limit
from console.access.guard import CSRF_HEADER, HEADERS, MAX_BODY_BYTES, Site
from console.access.permissions import API_ROUTES
from console.access.rate_limit import RateLimit
from console.live import sse
from console.openapi import document
from database.connection import Database, open_database
from database.errors import DatabaseUnavailable
from recordings.layout import recording_file
from telephony.model import SeatId
from tests.support.engine_harness import call_id
from tests.support.web_harness import NASTY, NUMBER, ORDERS, SOUND, Hall, opened, program, talks
from tests.unit.users.people import PASSWORD, ROOT
from users.model import Right, Role
from users.rules import TRIES

pytestmark = pytest.mark.unit

READY = "/api/agents/1001/ready"
LOOK = f"/api/recordings/{call_id(1)}/look"
SOUND_OF = f"/api/recordings/{call_id(1)}/sound"


def cookie(answer: Any) -> str:
    return str(answer.headers["Set-Cookie"]).partition(";")[0].partition("=")[2]


# Signing in


async def test_a_user_signs_in_does_something_and_signs_out(hall: Hall) -> None:
    answer = await hall.sign_in("agent")
    assert answer.status == 200
    assert answer.body | {"csrf": "", "rights": {}} == {
        "user": "agent", "name": "张三", "roles": ["agent"], "agent": "1001", "rights": {}, "must_change": False,
        "totp": False, "must_totp": False, "csrf": "",
    }  # fmt: skip
    token = cookie(answer)
    assert (await hall.ask("GET", "/api/session", token=token)).body == answer.body
    assert (await hall.ask("POST", "/api/agents/1001/sign-in", {"seat": "8001"}, token=token)).status == 200
    gone = await hall.ask("POST", "/api/session/end", token=token)
    assert 'hotline=""' in gone.headers["Set-Cookie"]
    assert (await hall.ask("GET", "/api/session", token=token)).status == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    hall: Hall, upgraded_sqlite: Path, tmp_path: Path
) -> None:
    sent = (await hall.sign_in("agent")).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(sent.split("; "))
    assert "Domain" not in sent
    shutil.copy(upgraded_sqlite, tmp_path / "tls.db")
    database = open_database(f"sqlite:///{tmp_path}/tls.db")
    async with opened(database, tmp_path / "tls", Site(True, "https://12345.example")) as behind_tls:
        answer = await behind_tls.sign_in("agent", Origin="https://12345.example")
        assert answer.headers["Set-Cookie"].startswith("__Host-hotline=")
        assert "Secure" in answer.headers["Set-Cookie"].split("; ")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        assert (await behind_tls.sign_in("agent")).status == 403  # a page of another origin
    await database.close()


async def test_a_session_that_was_planted_is_not_taken_over(hall: Hall) -> None:
    for planted in ("x" * 43, await hall.session("auditor")):
        answer = await hall.sign_in("agent", Cookie=f"hotline={planted}")
        assert answer.status == 200
        assert cookie(answer) != planted
        assert (await hall.ask("GET", "/api/session", token=planted)).status == 401
        assert (await hall.ask("GET", "/api/session", token=cookie(answer))).body["user"] == "agent"


async def test_wrong_names_and_passwords_are_told_alike_and_locked_with_the_time(hall: Hall) -> None:
    told = {}
    for user in ("agent", "nobody", NASTY):
        answers = [await hall.sign_in(user, "wrong wrong wrong") for _ in range(TRIES + 1)]
        told[user] = [(one.status, one.body, one.headers.get("Retry-After")) for one in answers]
    assert told["agent"] == told["nobody"] == told[NASTY]
    assert told["agent"][0][0] == 401
    status, body, wait = told["agent"][-1]
    assert (status, body["seconds"], wait) == (429, 900, "900")
    assert "15 分钟后" in body["error"]
    assert (await hall.sign_in("agent")).status == 429


async def test_an_address_that_tries_too_often_waits(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit.RateLimit, "wait", lambda self, address, now: 17)
    answer = await hall.sign_in("agent")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "17")
    assert "请 17 秒后再试" in answer.body["error"]


def test_a_pace_is_kept_per_address_and_minute_and_remembers_boundedly(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = RateLimit(2)
    assert [kept.wait("a", 60.0) for _ in range(3)] == [0, 0, 60]
    assert kept.wait("b", 90.0) == 0
    assert kept.wait("a", 119.5) == 1
    assert kept.wait("a", 120.0) == 0
    monkeypatch.setattr(rate_limit, "MOST_ADDRESSES", 1)
    assert kept.wait("c", 121.0) == 60


async def test_a_first_password_is_changed_on_the_page_and_a_code_is_asked_for(hall: Hall) -> None:
    first = await hall.people.accounts.add("lisi", "李四", frozenset({Role.AUDITOR}), "", ROOT)
    token = cookie(await hall.sign_in("lisi", first))
    assert (await hall.ask("GET", "/api/calls", token=token)).body["must_change"] is True
    weak = await hall.ask("POST", "/api/session/password", {"old": first, "new": "12345"}, token=token)
    assert (weak.status, "12 到" in weak.body["error"]) == (409, True)
    answer = await hall.ask("POST", "/api/session/password", {"old": first, "new": PASSWORD}, token=token)
    assert answer.status == 200
    assert (await hall.ask("GET", "/api/session", token=token)).status == 401
    token = cookie(await hall.sign_in("lisi"))
    begun = await hall.ask("POST", "/api/session/totp/begin", {"password": PASSWORD}, token=token)
    assert begun.body["address"].startswith("otpauth://totp/12345:lisi?secret=")
    bad = await hall.ask("POST", "/api/session/totp/confirm", {"code": "x"}, token=token)
    assert bad.status == 409


async def test_the_old_password_cannot_be_guessed_with_somebody_s_session(hall: Hall) -> None:
    token = await hall.session("agent")
    asked = {"old": "wrong wrong wrong", "new": PASSWORD + "！"}
    answers = [await hall.ask("POST", "/api/session/password", asked, token=token) for _ in range(TRIES + 1)]
    assert {one.status for one in answers} == {409}
    assert "分钟后再试" in answers[-1].body["error"]


# Other sites' pages


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": None, "Sec_Fetch_Site": None},
        {CSRF_HEADER: None},
        {CSRF_HEADER: ""},
        {CSRF_HEADER: "0" * 64},
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": "multipart/form-data; boundary=x"},
    ],
    ids=str,
)
async def test_another_site_s_page_cannot_act_with_the_browser_s_cookie(hall: Hall, headers: Any) -> None:
    token = await hall.session("supervisor")
    answer = await hall.ask("POST", "/api/agents/1001/sign-in", {"seat": "8001"}, token=token, **headers)
    assert answer.status in (403, 415)
    assert hall.house.queues.acd.seat_of == {}


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}])
async def test_another_site_s_page_cannot_sign_in_or_read_the_stream(hall: Hall, headers: dict[str, str]) -> None:
    assert (await hall.sign_in("agent", **headers)).status == 403
    token = await hall.session("supervisor")
    assert (await hall.ask("GET", "/api/live/stream", token=token, **headers)).status == 403


async def test_the_csrf_token_is_the_session_s_own(hall: Hall) -> None:
    mine, other = await hall.session("supervisor"), await hall.session("supervisor")
    csrf = (await hall.ask("GET", "/api/session", token=other)).body["csrf"]
    answer = await hall.ask("POST", "/api/announcements/stop", {}, token=mine, **{CSRF_HEADER: csrf})
    assert (answer.status, CSRF_HEADER in answer.body["error"]) == (403, True)


# What a page gets


@pytest.mark.parametrize("path", ["/api/session", "/api/nosuch", "/", "/api/live/stream", "/api/calls"])
async def test_every_answer_wears_the_headers(hall: Hall, path: str) -> None:
    answer = await hall.ask("GET", path, token=await hall.session("supervisor"))
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not path.startswith("/api/") or answer.headers["Cache-Control"] == "no-store"


async def test_nasty_text_comes_back_as_data(hall: Hall) -> None:
    await hall.people.accounts.add("nasty", NASTY, frozenset({Role.ADMIN}), "", ROOT)
    for path, role in ((f"/api/calls/{call_id(1)}", "auditor"), ("/api/users", "admin"), ("/api/audit", "admin")):
        answer = await hall.ask("GET", path, token=await hall.session(role))
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        assert path == "/api/audit" or NASTY in str(answer.body).replace("\\'", "'")
    for path in (f"/api/queues/explain/{NASTY.replace('/', '%2F')}", "/api/calls?limit=<b>"):
        answer = await hall.ask("GET", path, token=await hall.session("supervisor"))
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/json; charset=utf-8")


async def test_bodies_are_bounded_in_size_and_time(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    token = await hall.session("supervisor")
    answer = await hall.ask("POST", READY, {"reason": "x" * MAX_BODY_BYTES}, token=token)
    assert (answer.status, str(MAX_BODY_BYTES) in answer.body["error"]) == (413, True)
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", hall.client.port)
    head = "POST /api/session HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 9\r\n"
    writer.write(f"{head}Content-Type: application/json\r\n\r\n{{".encode())
    assert b" 408 " in await reader.readline()
    writer.close()


async def test_a_fault_is_a_sentence_and_keeps_its_text_to_the_log(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(self: object) -> NoReturn:
        raise RuntimeError("secret 4711")

    monkeypatch.setattr(type(hall.control), "picture", falls)
    answer = await hall.ask("GET", "/api/live", token=await hall.session("agent"))
    assert (answer.status, "4711" in answer.body["error"]) == (500, False)


async def test_without_the_database_it_is_said_and_who_is_known_goes_on(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, unknown = await hall.session("agent"), await hall.session("agent")
    assert (await hall.ask("GET", "/api/live", token=known)).status == 200

    def away(self: Database) -> NoReturn:
        raise DatabaseUnavailable("数据库连不上")

    monkeypatch.setattr(Database, "reading", away)
    monkeypatch.setattr(Database, "transaction", away)
    assert (await hall.ask("GET", "/api/live", token=known)).status == 200
    assert (await hall.ask("GET", "/api/live", token=unknown)).status == 503
    answer = await hall.sign_in("agent")
    assert (answer.status, "数据库连不上" in answer.body["error"]) == (503, True)


async def test_a_stream_ends_when_its_reader_signs_out(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.02)
    token = await hall.session("agent")
    async with hall.client.get("/api/live/stream", headers={"Cookie": f"hotline={token}"}) as stream:
        assert (await stream.content.readline()).startswith(b"event: snapshot")
        await hall.people.accounts.end_sessions("agent", ROOT)
        await asyncio.wait_for(stream.content.read(), 20)


# Personal data


async def test_numbers_are_masked_and_revealed_with_a_reason_that_is_kept(hall: Hall) -> None:
    token = await hall.session("supervisor")
    for path in ("/api/calls", f"/api/calls/{call_id(1)}", "/api/callbacks", "/api/messages"):
        answer = await hall.ask("GET", path, token=token)
        assert answer.status == 200
        assert NUMBER not in answer.raw.decode(), path
        assert "138****8000" in answer.raw.decode(), path
    sheet = await hall.ask("POST", f"/api/orders/{ORDERS[2]}/sheet", {"reason": "派单"}, token=token)
    assert "水管爆裂" in sheet.body["html"]
    assert "<script>" not in sheet.body["html"]
    for what in ("calls", "callbacks", "messages"):
        refused = await hall.ask("POST", f"/api/{what}/{call_id(1)}/reveal", {"reason": " "}, token=token)
        assert (refused.status, "原因" in refused.body["error"]) == (400, True)
        answer = await hall.ask("POST", f"/api/{what}/{call_id(1)}/reveal", {"reason": "核对"}, token=token)
        assert answer.body["number"] == NUMBER
        assert answer.body.get("address") == ("东山路" if what == "calls" else None)
    answer = await hall.ask("GET", "/api/audit?action=look.", token=await hall.session("auditor"))
    assert [(one["who"], one["action"], one["reason"], one["detail"]) for one in answer.body["entries"]] == [
        ("张三（supervisor）", "look.order", "派单", {"call": call_id(2)}),
        *[("张三（supervisor）", "look.number", "核对", {"call": call_id(1)})] * 3,
    ]
    assert NUMBER not in answer.raw.decode()


async def test_what_cannot_be_written_down_is_not_shown(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> NoReturn:
        raise DatabaseUnavailable("数据库写不进去")

    monkeypatch.setattr(hall.people.accounts, "write_down", away)
    token = await hall.session("supervisor")
    for path in (f"/api/calls/{call_id(1)}/reveal", LOOK):
        answer = await hall.ask("POST", path, {"reason": "核对"}, token=token)
        assert (answer.status, set(answer.body)) == (503, {"error"})


async def test_a_recording_is_asked_for_once_and_played_in_parts(hall: Hall) -> None:
    token = await hall.session("auditor")
    assert (await hall.ask("POST", LOOK, {}, token=token)).status == 400
    asked = (await hall.ask("POST", LOOK, {"reason": "质检"}, token=token)).body
    whole = await hall.ask("GET", asked["sound"], token=token)
    assert (whole.status, whole.raw, whole.headers["Content-Type"]) == (200, SOUND, "audio/wav")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    part = await hall.ask("GET", asked["sound"], token=token, Range="bytes=100-199")
    assert (part.status, part.raw) == (206, SOUND[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(SOUND)}"
    assert (await hall.ask("GET", asked["sound"], token=token, Range="bytes=999999-")).status == 416
    assert (await hall.ask("GET", f"{asked['sound']}&side=caller", token=token)).raw == SOUND
    assert (await hall.ask("GET", f"{asked['sound']}&side=agent", token=token)).status == 404
    assert (await hall.ask("GET", f"{asked['sound']}&side=..", token=token)).status == 400
    entries = (await hall.ask("GET", "/api/audit?action=look.", token=token)).body["entries"]
    assert [(one["action"], one["reason"]) for one in entries] == [("look.recording", "质检")]


async def test_a_recording_is_exported_with_a_reason_of_its_own(hall: Hall) -> None:
    token = await hall.session("auditor")
    asked = (await hall.ask("POST", LOOK, {"reason": "调取证据", "export": True}, token=token)).body
    whole = await hall.ask("GET", asked["sound"], token=token)
    assert (whole.raw, whole.headers["Content-Disposition"]) == (SOUND, f"attachment; filename={call_id(1)}.wav")
    entries = (await hall.ask("GET", "/api/audit?action=look.", token=token)).body["entries"]
    assert [(one["action"], one["reason"]) for one in entries] == [("look.export", "调取证据")]


async def test_a_search_by_number_is_masked_and_written_down(hall: Hall) -> None:
    token = await hall.session("supervisor")
    found = await hall.ask("POST", "/api/calls/search", {"caller": NUMBER, "outcome": "answered"}, token=token)
    assert (len(found.body["calls"]), found.body["next"]) == (2, None)
    assert NUMBER not in found.raw.decode()
    assert found.body["names"]["groups"]["general"]
    entries = (await hall.ask("GET", "/api/audit?action=look.", token=await hall.session("auditor"))).body["entries"]
    assert [(one["action"], one["subject"]) for one in entries] == [("look.caller", "按来电号码查来电：138****8000")]
    own = await hall.ask(
        "POST", "/api/calls/search", {"caller": "8000", "agent": "1010"}, token=await hall.session("agent")
    )
    assert [row["agent"] for row in own.body["calls"]] == ["1001"]


async def test_who_may_not_reveal_numbers_cannot_find_a_masked_one_digit_by_digit(hall: Hall) -> None:
    auditor, boss = await hall.session("auditor"), await hall.session("supervisor")
    for length in range(5, 11):
        ending = {"caller": NUMBER[-length:]}
        answer = await hall.ask("POST", "/api/calls/search", ending, token=auditor)
        assert (answer.status, "4 位" in answer.body["error"]) == (400, True)
        assert (await hall.ask("POST", "/api/calls/search", ending, token=boss)).status == 200
    for caller in (NUMBER, NUMBER[-4:]):
        found = await hall.ask("POST", "/api/calls/search", {"caller": caller}, token=auditor)
        assert (found.status, bool(found.body["calls"])) == (200, True)


async def test_a_page_says_where_the_next_begins(hall: Hall) -> None:
    token = await hall.session("supervisor")
    first = (await hall.ask("GET", "/api/calls?limit=1", token=token)).body
    assert len(first["calls"]) == 1
    query = urlencode({"limit": 1, "before": first["next"]})
    second = await hall.ask("GET", f"/api/calls?{query}", token=token)
    assert (second.status, "names" in second.body) == (200, False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rating", "6"), ("rating", "1;2"), ("outcome", "lost"), ("before", "x~y"), ("before", "2026-01-01~hl1-1.1"),
        ("since", "yesterday"), ("limit", "0"), ("number", "1\0"), ("caller", "800"), ("caller", "%%%%"),
    ],
)  # fmt: skip
async def test_what_is_no_search_is_refused_in_words(hall: Hall, field: str, value: str) -> None:
    token = await hall.session("supervisor")
    answer = await hall.ask("POST", "/api/calls/search", {"caller": "8000", field: value}, token=token)
    assert (answer.status, bool(answer.body["error"])) == (400, True)


async def test_a_look_is_good_for_its_asker_and_its_recording_only(hall: Hall) -> None:
    token = await hall.session("auditor")
    look = (await hall.ask("POST", LOOK, {"reason": "质检"}, token=token)).body["look"]
    other = await hall.session("supervisor")
    assert (await hall.ask("GET", f"{SOUND_OF}?look={look}", token=other)).status == 403
    assert (await hall.ask("GET", f"/api/recordings/{call_id(2)}/sound?look={look}", token=token)).status == 403
    assert (await hall.ask("GET", SOUND_OF, token=token)).status == 403


@pytest.mark.parametrize(
    "call",
    [
        "..%2F..%2Fsecrets.json", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "hl1-1795351322.1%00", "....//....//x",
        "hl1-1795351322.1%2F..%2F..%2Fx", "hl1-1795351322.1.wav", "hl1-9999999999.1%0A", "C:%5Cx", "%uff0e%uff0e",
    ],
)  # fmt: skip
async def test_no_path_leads_out_of_the_recordings(hall: Hall, call: str) -> None:
    token = await hall.session("auditor")
    for path in (f"/api/recordings/{call}/look", f"/api/calls/{call}/reveal"):
        answer = await hall.ask("POST", path, {"reason": "质检"}, token=await hall.session("supervisor"))
        assert answer.status in (400, 404), (path, answer.body)
    for path in (f"/api/recordings/{call}/sound?look=x", f"/api/calls/{call}"):
        answer = await hall.ask("GET", path, token=token)
        assert answer.status in (400, 404), (path, answer.body)


async def test_a_link_among_the_recordings_leads_nowhere(hall: Hall, tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{}")
    link = tmp_path / "recordings" / recording_file(call_id(3))
    link.symlink_to(tmp_path / "secrets.json")
    answer = await hall.ask(
        "POST", LOOK.replace(call_id(1), call_id(3)), {"reason": "抽查"}, token=await hall.session("auditor")
    )
    assert answer.status == 404


# Users, programs and the description


async def test_an_admin_makes_a_user_and_a_program_on_the_page(hall: Hall) -> None:
    token = await hall.session("admin")
    new = {"user": "lisi", "name": "李四", "roles": ["agent"], "agent": "1002", "reason": "新同事"}
    password = (await hall.ask("POST", "/api/users", new, token=token)).body["password"]
    assert (await hall.sign_in("lisi", password)).body["must_change"] is True
    assert (await hall.ask("POST", "/api/users", new, token=token)).status == 409
    nonsense: list[object] = [["boss"], [], "admin", [7], [{}]]
    for roles in nonsense:
        assert (await hall.ask("POST", "/api/users", new | {"roles": roles}, token=token)).status == 400
    for action, more in (
        ("role", {"roles": ["agent"], "agent": "1003"}), ("reset", {}), ("unlock", {}), ("disable", {}), ("enable", {}),
        ("end-sessions", {}),
    ):  # fmt: skip
        asked = {"reason": "试", **more}
        answer = await hall.ask("POST", f"/api/users/lisi/{action}", asked, token=token)
        assert answer.status == 200, answer.body
    wanted = {"name": "大屏", "rights": ["live.read"], "days": 30, "reason": "大厅"}
    made = (await hall.ask("POST", "/api/clients", wanted, token=token)).body["token"]
    assert (await hall.ask("GET", "/api/live", program=made)).status == 200
    (row,) = (await hall.ask("GET", "/api/clients", token=token)).body["clients"]
    assert (await hall.ask("POST", f"/api/clients/{row['id']}/revoke", {"reason": "换"}, token=token)).status == 200
    assert (await hall.ask("GET", "/api/live", program=made)).status == 401
    who = {one["who"] for one in (await hall.ask("GET", "/api/audit?action=users.", token=token)).body["entries"]}
    assert "张三（admin）" in who


async def test_the_description_has_every_route_with_its_right(hall: Hall) -> None:
    answer = await hall.ask("GET", "/api/openapi.json", program=await program(hall, Right.API_READ))
    assert answer.body == document(API_ROUTES)
    assert answer.body["openapi"] == "3.1.0"
    told = {(method.upper(), path) for path, methods in answer.body["paths"].items() for method in methods}
    assert told == {(door.method, door.path) for door in API_ROUTES}
    assert len({one["operationId"] for methods in answer.body["paths"].values() for one in methods.values()}) == len(
        told
    )
    for door in API_ROUTES:
        assert answer.body["paths"][door.path][door.method.lower()].get("x-right") == door.right


async def test_an_agent_may_act_for_the_own_call_only(hall: Hall) -> None:
    await talks(hall)
    hall.control.refuses = ""
    token = await hall.session("agent")
    assert (await hall.ask("POST", f"/api/calls/{call_id(1)}/transfer", {"target": "110"}, token=token)).status == 200
    foreign = await hall.ask("POST", f"/api/calls/{call_id(2)}/transfer", {"target": "110"}, token=token)
    assert (foreign.status, "不是您自己的通话" in foreign.body["error"]) == (403, True)
    assert [call for call, _, _ in hall.control.transferred] == [call_id(1)]


async def test_an_agent_takes_nobody_s_seat_at_a_page(hall: Hall) -> None:
    boss, agent = await hall.session("supervisor"), await hall.session("agent")
    path = "/api/agents/1001/sign-in"
    assert (await hall.ask("POST", "/api/agents/1002/sign-in", {"seat": "8002"}, token=boss)).status == 200
    answer = await hall.ask("POST", path, {"seat": "8002"}, token=agent)
    assert (answer.status, "1002 还签入着" in answer.body["error"]) == (409, True)
    assert hall.house.queues.acd.seats[SeatId("8002")].agent == "1002"
    assert (await hall.ask("POST", path, {"seat": "8001"}, token=agent)).status == 200
    assert (await hall.ask("POST", path, {"seat": "8001"}, token=agent)).status == 200
    assert (await hall.ask("POST", path, {"seat": "8002"}, token=boss)).status == 200


async def test_an_order_is_told_in_full_to_who_raised_it_and_to_who_deals_with_all(hall: Hall) -> None:
    full = {user: await hall.session(user) for user in ("agent", "supervisor", "auditor")}
    for user, serial, whole in (
        ("agent", 1, True), ("agent", 12, False), ("supervisor", 12, True), ("auditor", 1, False),
    ):  # fmt: skip
        told = (await hall.ask("GET", f"/api/orders/{ORDERS[serial]}", token=full[user])).body
        assert ("水管爆裂" in str(told), told["number"]) == (whole, ORDERS[serial]), (user, serial)
