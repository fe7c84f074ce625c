"""A test that leaves something running is told."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from typing import Any

import pytest

from tests.support.leaks import Leaked, Watch, close_with_the_loop, forbid_leaked_tasks
from tests.support.ports import free_ports

pytestmark = pytest.mark.unit


def test_a_task_that_is_left_is_told_and_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    runners: Any = asyncio.runners
    monkeypatch.setattr(runners, "_cancel_all_tasks", runners._cancel_all_tasks)  # put back afterwards
    forbid_leaked_tasks()
    left: list[asyncio.Task[None]] = []

    async def leave() -> None:
        left.append(asyncio.create_task(asyncio.sleep(60), name="forgotten"))

    with pytest.raises(Leaked, match="forgotten sleep"):
        asyncio.run(leave())
    assert left[0].cancelled()


@pytest.mark.parametrize("in_the_loop", [True, False])
def test_what_is_closed_with_the_loop_leaves_nothing(monkeypatch: pytest.MonkeyPatch, in_the_loop: bool) -> None:
    runners: Any = asyncio.runners
    monkeypatch.setattr(runners, "_cancel_all_tasks", runners._cancel_all_tasks)
    forbid_leaked_tasks()
    work: list[asyncio.Task[None]] = []

    async def close() -> None:
        work[0].cancel()

    async def begin() -> None:
        work.append(asyncio.create_task(asyncio.sleep(60)))
        if in_the_loop:
            close_with_the_loop(close)

    if not in_the_loop:
        close_with_the_loop(close)
    asyncio.run(begin())
    assert work[0].cancelled()


async def test_a_task_that_was_awaited_is_no_leak() -> None:
    await asyncio.create_task(asyncio.sleep(0))


def test_a_process_that_is_left_is_told_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.leaks.GRACE_SECONDS", 0.1)
    watch = Watch()
    with subprocess.Popen(["sleep", "60"]) as process:
        with pytest.raises(Leaked, match=f"process {process.pid} sleep 60"):
            watch.check()
        assert process.wait() == -9
    watch.check()


def test_a_port_that_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.leaks.GRACE_SECONDS", 0.1)
    (port,) = free_ports(1, socket.SOCK_STREAM)
    watch = Watch()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", port))
        listening.listen()
        with pytest.raises(Leaked, match=f"port {port}"):
            watch.check()
    watch.check()
