"""The control API against those who may not use it, and its client against those who would like its token."""

from __future__ import annotations

import asyncio
import http.server
import threading
from collections.abc import Iterator
from typing import cast

import pytest
from aiohttp.test_utils import TestServer

from console.client import EngineUnreachable, Refused, call
from console.control_api import Control, application

pytestmark = pytest.mark.unit

TOKEN = "made-up-token"


@pytest.fixture
def eavesdropper() -> Iterator[tuple[int, list[str]]]:
    """A server of somebody else's: its port, and the tokens it was given. It sends everybody on to /elsewhere."""
    heard: list[str] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(f"{self.path} {self.headers.get('Authorization', '')}")
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], heard
        server.shutdown()
        thread.join()


def test_the_token_is_not_given_to_a_proxy(
    eavesdropper: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, heard = eavesdropper
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(EngineUnreachable):
        call(1, TOKEN, "/api/status")
    assert heard == []


def test_the_token_does_not_follow_a_redirect(eavesdropper: tuple[int, list[str]]) -> None:
    port, heard = eavesdropper
    with pytest.raises(Refused):
        call(port, TOKEN, "/api/status")
    assert len(heard) == 1


async def test_a_token_that_is_no_text_is_a_wrong_token() -> None:
    async with TestServer(application(cast("Control", None), TOKEN)) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET /api/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
        await writer.wait_closed()
