"""Told to a service manager, and a switch that it runs watched."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setup.process.notify import beat, notify, watchdog_seconds
from setup.process.supervisor import Watch
from setup.process.watch import watch

pytestmark = pytest.mark.unit


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_a_manager_hears_what_it_is_told(manager: socket.socket) -> None:
    assert notify("READY=1")
    assert manager.recv(100) == b"READY=1"


def test_an_abstract_address_is_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0hotline-test-{os.getpid()}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@hotline-test-{os.getpid()}")
        assert notify("STOPPING=1")
        assert listening.recv(100) == b"STOPPING=1"


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert not notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [("10000000", "", 10.0), ("10000000", "own", 10.0), ("10000000", "1", None), ("", "", None),
     ("0", "", None), ("soon", "", None)],
)  # fmt: skip
def test_how_long_silence_may_last(
    monkeypatch: pytest.MonkeyPatch, microseconds: str, pid: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)
    assert watchdog_seconds() == seconds


async def test_signs_of_life_come_while_the_loop_turns(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "40000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    beating = asyncio.create_task(beat())
    loop = asyncio.get_running_loop()
    for _ in range(3):
        assert await asyncio.wait_for(loop.sock_recv(manager, 100), 5) == b"WATCHDOG=1"
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


async def test_nobody_wants_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    await beat()


async def test_a_switch_that_does_not_answer_is_ended_and_the_next_one_is_watched(tmp_path: Path) -> None:
    """Its pid file names each; one that answers is left alone."""
    pid_file = tmp_path / "asterisk.pid"
    answers = {"now": False}
    told: list[int] = []

    async def probe() -> None:
        if not answers["now"]:
            raise TimeoutError("no answer")

    def start() -> subprocess.Popen[bytes]:
        program = [sys.executable, "-c", "import time; time.sleep(60)", "asterisk"]
        process = subprocess.Popen(program, start_new_session=True)
        pid_file.write_text(f"{process.pid}\n")
        return process

    first = start()
    watching = asyncio.create_task(
        watch(pid_file, Watch(probe, every_seconds=0.02, failures=2, grace_seconds=0), told.append)
    )
    try:
        assert await asyncio.wait_for(asyncio.to_thread(first.wait), 10) == -9
        assert told == [2]
        answers["now"] = True
        second = start()
        await asyncio.sleep(0)
        assert second.poll() is None
        second.kill()
        await asyncio.to_thread(second.wait)
        answers["now"] = False
        third = start()
        assert await asyncio.wait_for(asyncio.to_thread(third.wait), 20) == -9
        assert told == [2, 2]
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_a_process_that_is_none_of_ours_is_left_alone(tmp_path: Path) -> None:
    """A pid file that was left behind may name anybody by now."""

    async def probe() -> None:
        raise TimeoutError

    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (tmp_path / "asterisk.pid").write_text(str(stranger.pid))
    watching = asyncio.create_task(
        watch(tmp_path / "asterisk.pid", Watch(probe, every_seconds=0.01, failures=1, grace_seconds=0), print)
    )
    try:
        await asyncio.sleep(0.3)
        assert stranger.poll() is None
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        stranger.kill()
        stranger.wait()
