"""What a stranger can make the listener do: every route with bodies, encodings and heads that are broken.

Nothing is a fault of ours (5xx), nothing tells what serves here, and the log grows by kinds of faults, not by requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
import json
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import structlog
from aiohttp import web

from config.logging import configure_logging
from console import request_faults
from console.access.client_address import client_address, networks
from console.access.guard import CSRF_HEADER, Site
from console.access.permissions import WEB_ROUTES, Route, concrete
from console.api.call_search import wanted_calls
from console.http_json import whole_of
from console.live import sse
from console.request_faults import Told
from database.connection import open_database
from routing.faults import TableInvalid
from routing.tables import Refused, moment
from routing.toml import read_table
from tests.support.engine_harness import call_id
from tests.support.web_harness import Hall, opened, talks
from users.model import Right, Role
from users.passwords import csrf_token
from users.rules import RIGHTS

pytestmark = pytest.mark.unit

DEEP: Final = b"[" * 100_000
BODIES: Final[dict[str, tuple[bytes, dict[str, str]]]] = {
    "no gzip": (b"xxxxx", {"Content-Encoding": "gzip"}),
    "half a gzip": (gzip.compress(b"{}" * 500)[:-9], {"Content-Encoding": "gzip"}),
    "no deflate": (b"xxxxx", {"Content-Encoding": "deflate"}),
    "an encoding that nobody knows": (b"{}", {"Content-Encoding": "br, gzip"}),
    "no JSON": (b"\x00\xff\xfe", {}),
    "no object": (b"[]", {}),
    "deep": (DEEP, {}),
    "a character set that nobody knows": (b"{}", {"Content-Type": "application/json; charset=klingon"}),
    "half a character": (b'{"user": "\\ud800", "reason": "\\ud800", "then": "\\ud800"}', {}),
    "numbers without end": (b'{"limit": Infinity, "version": 1e999, "days": NaN, "minutes": -Infinity}', {}),
}
HEADS: Final = (
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /api/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET /api/calls?since=%ff%fe HTTP/1.1\r\nHost: x\r\nCookie: hotline=\xff\xfe\r\n\r\n",
    b"\r\n\r\n\r\n\r\n",
)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to the log, as the engine writes it."""
    out = io.StringIO()
    monkeypatch.setattr(request_faults.TOLD, "_minute", -1)
    monkeypatch.setattr(request_faults.TOLD, "clock", lambda: 30.0)
    root, (handlers, level) = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    configure_logging(stream=out)
    yield out
    structlog.reset_defaults()
    root.handlers[:], root.level = handlers, level


async def raw(hall: Hall, data: bytes) -> bytes:
    """What comes back on a connection of its own for these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hall.client.port)
    writer.write(data)
    told = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.3):
            told = await reader.read()
    writer.close()
    return told


def example(path: str) -> str:
    """The path with something that is there in each gap."""
    known = {"call": call_id(1), "agent": "1001", "user": "agent", "number": "hl1-20261122-0001", "id": "1"}
    return re.sub(r"\{(\w+)\}", lambda gap: known.get(gap[1], "x"), path)


async def send(hall: Hall, door: Route, path: str, body: bytes, headers: dict[str, str], token: str) -> tuple[int, str]:
    kind = "application/octet-stream" if door.upload else "application/json"
    sent = {"Origin": hall.home, "Content-Type": kind} | headers
    if token:
        sent |= {"Cookie": f"hotline={token}", CSRF_HEADER: csrf_token(token)}
    async with hall.client.request(door.method, example(path), data=body, headers=sent) as answer:
        assert answer.headers["Server"] == "hotline"
        return answer.status, await answer.text()


@pytest.mark.parametrize("what", BODIES)
async def test_no_broken_body_is_a_fault_of_ours_at_any_route(
    hall: Hall, logged: io.StringIO, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hall.control.refuses = "现在不行"
    body, headers = BODIES[what]
    tokens = {role: await hall.session(role) for role in Role}
    for door in WEB_ROUTES:
        if door.method == "GET" or door.path == "/api/session/end":
            continue
        able = [role for role in Role if door.right is None or door.right in RIGHTS[role] or door.right is Right.SELF]
        for token in ("", tokens[able[0]] if able else ""):
            for path in concrete(door):
                status, text = await send(hall, door, path, body, headers, token)
                assert status < 500, (door.method, path, text)
                assert "error" in json.loads(text) or status == 200, (door.method, path, text)
    lines = logged.getvalue()
    assert "Traceback" not in lines
    assert lines.count("request failed") == 0


async def test_heads_that_are_none_cost_an_answer_and_no_log(hall: Hall, logged: io.StringIO) -> None:
    for _ in range(20):
        for head in HEADS:
            told = await raw(hall, head) if head is not HEADS[-1] else b""
            assert b"aiohttp" not in told
            assert b"Python" not in told
            assert not told.startswith(b"HTTP/1.1 5"), told
    lines = logged.getvalue()
    assert "Traceback" not in lines
    assert len(lines) < 3_000, "a line for each kind, not for each request"


async def test_a_head_that_is_none_is_refused_in_a_sentence(hall: Hall) -> None:
    told = await raw(hall, HEADS[0])
    assert told.startswith(b"HTTP/1.0 400 ")
    assert b"Server: hotline" in told
    assert "看不懂这个请求" in told.decode()


async def test_a_stream_whose_reader_goes_leaves_no_trace(
    hall: Hall, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "STEP_SECONDS", 0.01)
    monkeypatch.setattr(sse, "QUIET_SECONDS", 0.02)
    token = await hall.session("agent")
    head = f"GET /api/live/stream HTTP/1.1\r\nHost: 127.0.0.1:{hall.client.port}\r\nCookie: hotline={token}\r\n\r\n"
    for _ in range(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", hall.client.port)
        writer.write(head.encode())
        assert b" 200 " in await reader.readline()
        writer.transport.abort()
    async with asyncio.timeout(5):
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", hall.client.port)
            writer.write(head.encode())
            first = await reader.readline()
            writer.close()
            if b" 200 " in first:
                break
    assert "Traceback" not in logged.getvalue()


async def test_one_agent_s_streams_shut_nobody_else_out(hall: Hall) -> None:
    agents = [await hall.session("agent") for _ in range(3)]
    boss = await hall.session("supervisor")
    open_, refused = [], 0
    for number in range(sse.MAX_OF_ONE + 5):
        answer = await hall.client.get("/api/live/stream", headers={"Cookie": f"hotline={agents[number % 3]}"})
        open_.append(answer)
        refused += answer.status == 429
    assert refused == 5, "however many sessions he has"
    other = await hall.client.get("/api/live/stream", headers={"Cookie": f"hotline={boss}"})
    assert other.status == 200
    for answer in (*open_, other):
        answer.close()


def test_a_flood_of_faults_is_a_few_lines_a_minute(logged: io.StringIO) -> None:
    now = 0.0
    told = Told(clock=lambda: now)
    for number in range(10_000):
        try:
            raise type(f"Fault{number}", (ValueError,), {})("secret")
        except ValueError as error:
            told.fault(error, path="/x")
            told.bad_request(error)
    assert logged.getvalue().count("\n") <= 2 * request_faults.MOST_KINDS
    now = 61.0
    told.bad_request(None)
    assert "requests went wrong in the last minute" in logged.getvalue()


# Behind a proxy


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # nobody we know: his own word
        ("10.0.0.5", [], "10.0.0.5"),
        ("10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),  # what stands before is the client's own invention
        ("10.0.0.5", ["198.51.100.1, 192.168.7.3"], "198.51.100.1"),  # two proxies of ours
        ("10.0.0.5", ["198.51.100.1", "192.168.7.3"], "198.51.100.1"),
        ("10.0.0.5", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.5", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("::ffff:10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["198.51.100.1, unknown"], "10.0.0.5"),
        ("10.0.0.5", ["unknown, 192.168.7.3"], "192.168.7.3"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_only_a_trusted_proxy_s_word_for_the_address_counts(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, networks("10.0.0.5 192.168.7.0/24")) == client


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
async def test_tries_are_counted_by_the_client_s_address(proxies: str, upgraded_sqlite: Path, tmp_path: Path) -> None:
    shutil.copy(upgraded_sqlite, tmp_path / "proxied.db")
    database = open_database(f"sqlite:///{tmp_path}/proxied.db")
    async with opened(database, tmp_path / "proxied", Site(proxies=networks(proxies))) as hall:

        async def tried(client: str) -> int:
            body = {"user": f"nobody{client[-1]}", "password": "x"}
            return (await hall.ask("POST", "/api/session", body, X_Forwarded_For=f"1.1.1.1, {client}")).status

        first = [await tried("198.51.100.1") for _ in range(61)]
        assert first[-1] == 429
        assert (await tried("198.51.100.2") == 401) is bool(proxies), "one floor behind one proxy is not one guesser"
    await database.close()


# Values at the ends of what can be said


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00", "9999-12-31T23:59:59+00:00", "1989-12-31", "9999-12-31T00:00-23:59"]
)
def test_a_time_at_the_end_of_the_calendar_is_refused(at: str) -> None:
    with pytest.raises(Refused, match="不是时间"):
        moment(at)
    with pytest.raises(web.HTTPBadRequest):
        wanted_calls({"since": at if "T" in at else f"{at}T00:00+08:00"}, 10)


def test_a_table_of_brackets_is_a_fault_of_the_file() -> None:
    with pytest.raises(TableInvalid, match="嵌套太深"):
        read_table(f"a = {'[' * 100_000}")


@pytest.mark.parametrize("then", [{}, [], None, 7, "fly"])
async def test_a_consultation_can_end_in_words_only(hall: Hall, then: object) -> None:
    await talks(hall)
    told = {"then": then}
    boss = await hall.session("supervisor")
    assert (await hall.ask("POST", f"/api/calls/{call_id(1)}/consultation", told, token=boss)).status == 400


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1.0, True, [], {}, 10**30, "1" * 5000])
def test_a_whole_number_is_one(value: object) -> None:
    with pytest.raises(web.HTTPBadRequest):
        whole_of(value, "limit", 1, 1, 100)
