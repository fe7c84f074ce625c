"""Livez and readyz: without a token, nothing that a stranger could use, and never the reason that calls stop."""

from __future__ import annotations

import socket

import aiohttp
import pytest

from console.health import Health
from tests.support.ports import free_ports

pytestmark = pytest.mark.unit


class Alarms:
    def __init__(self) -> None:
        self.raised: dict[str, str] = {}

    def put(self, key: str, text: str, *, grave: bool = True) -> None:
        assert not grave
        self.raised[key] = text


async def ask(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


async def test_it_is_ready_when_every_condition_holds() -> None:
    (port,) = free_ports(1, socket.SOCK_STREAM)
    conditions = {"switch": True, "open": True}
    health = Health("127.0.0.1", port, lambda: conditions, Alarms())
    await health.start()
    try:
        assert await ask(port, "/livez") == (200, "ok\n")
        assert await ask(port, "/readyz") == (200, "ok switch\nok open\n")
        conditions["switch"] = False
        assert await ask(port, "/readyz") == (503, "no switch\nok open\n")
        assert (await ask(port, "/livez"))[0] == 200
        assert (await ask(port, "/api/status"))[0] == 404
    finally:
        await health.stop()


async def test_a_port_that_is_taken_is_an_alarm_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as thief:
        alarms = Alarms()
        health = Health("127.0.0.1", thief.getsockname()[1], dict, alarms)
        await health.start()
        assert "health_port" in alarms.raised["health"]
        await health.stop()


async def test_without_a_port_there_is_nothing() -> None:
    alarms = Alarms()
    health = Health("127.0.0.1", 0, dict, alarms)
    await health.start()
    await health.stop()
    assert alarms.raised == {}
