"""The questions to a switch, put to one that we play."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from calls.switch.hung_switch import last_hung
from config.credentials import credentials
from config.settings import Settings
from setup.process.watchdog import threads_of, watch_switch
from telephony.ami_probe import AmiSilent, ami_ping
from telephony.loop_call import ENGINE_AWAY, LoopFailed, loop_call, loop_token

pytestmark = pytest.mark.unit


@contextmanager
def switch(answer: Callable[[str], list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Answers every datagram with status lines, in the request's own headers; its port, and what it heard."""
    heard: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        wire.settimeout(5)

        def serve() -> None:
            while True:
                try:
                    data, peer = wire.recvfrom(4096)
                except OSError:
                    return
                request = data.decode()
                heard.append(request)
                for status in answer(request) if request.startswith("INVITE") else ():
                    lines = request.split("\r\n")[1:]
                    told = [f"{line};tag=far" if line.startswith("To:") else line for line in lines]
                    wire.sendto("\r\n".join([f"SIP/2.0 {status}", *told]).encode(), peer)

        server = Thread(target=serve, daemon=True)
        server.start()
        yield wire.getsockname()[1], heard


def test_the_call_is_refused_by_the_dialplan_acknowledged_and_shows_its_secret() -> None:
    with switch(lambda _: ["100 Trying", "480 Temporarily Unavailable"]) as (port, heard):
        assert loop_call("127.0.0.1", port, "secret", 3) == ENGINE_AWAY
        loop_call("127.0.0.1", port, "secret", 3)  # by now the first ACK has been read, too
    assert "X-Hotline-Loop: secret\r\n" in heard[0]
    assert any(one.startswith("ACK") and ";tag=far" in one for one in heard)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "401 Unauthorized", "200 OK"])
def test_any_other_answer_means_that_callers_are_not_served(status: str) -> None:
    with switch(lambda _: [status]) as (port, _heard), pytest.raises(LoopFailed, match=status[:3]):
        loop_call("127.0.0.1", port, "secret", 3)


def test_silence_ends_at_the_deadline_for_both_questions() -> None:
    with switch(lambda _: []) as (port, heard), pytest.raises(LoopFailed, match="no final answer"):
        loop_call("127.0.0.1", port, "secret", 1.2)
    assert len(heard) > 1, "asked again, for a datagram may be lost"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(AmiSilent):
            ami_ping(listener.getsockname()[1], "secret", 0.2)


@pytest.mark.parametrize("ask_seconds", [0.5, 3.0, 10.0])
def test_an_engine_that_hangs_is_not_taken_for_a_switch_that_hangs(tmp_path: Path, ask_seconds: float) -> None:
    settings = Settings(data_dir=tmp_path, ask_seconds=ask_seconds)
    watch = watch_switch(settings, credentials(tmp_path))
    assert watch.deadline_seconds > ask_seconds + 3
    assert watch.failures * (watch.every_seconds + max(4.5, ask_seconds + 1.5)) >= 15


async def test_what_a_hung_process_was_at_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # no gcore: it would stop this very process
    settings = Settings(data_dir=tmp_path)
    for folder in (settings.log_dir, settings.run_dir):
        folder.mkdir()
    watch = watch_switch(settings, credentials(tmp_path))
    assert watch.keep is not None
    assert last_hung(settings.run_dir) is None
    await asyncio.wait_for(watch.keep(os.getpid()), 30)
    hung = last_hung(settings.run_dir)
    assert hung is not None
    assert f"\n{os.getpid()} " in Path(hung.evidence).read_text()
    assert threads_of(1 << 30) == "tid name state wchan syscall utime stime\n"


def test_the_secret_in_sip_is_not_the_engines_own() -> None:
    assert "agi" not in loop_token("agi")
    assert loop_token("a") != loop_token("b")
