"""``hotline up``: started once, stopped whole, adopted again, and a sentence for whatever stands in its way."""

from __future__ import annotations

import asyncio
import signal
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from phones.phone import Answer
from phones.tones import tone_share
from tests.asterisk.support.crowd import told
from tests.asterisk.support.product import Product, product, until
from tests.asterisk.support.running_up import processes_of, runs, up

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ = 440, 880
SMALL_DISK = "64m"


@pytest.mark.smoke
async def test_it_is_up_once_and_ends_whole(home: Path) -> None:
    bystander = await asyncio.create_subprocess_exec("sleep", "300")
    try:
        async with product(home, started=False) as hotline:
            for number in (signal.SIGINT, signal.SIGTERM):
                async with up(hotline) as running:
                    await running.ready()
                    print(f"ready after {running.ready_after:.1f} s")
                    if number is signal.SIGINT:
                        async with up(hotline) as second:
                            assert await second.ended() == 1
                            assert f"进程 {running.process.pid}" in second.text
                            assert "HOTLINE_DATA_DIR" in second.text
                            assert "Traceback" not in second.text
                    assert await hotline.healthy()
                    began = asyncio.get_running_loop().time()
                    status = await running.ended(number)
                    print(f"{number.name}: ended after {asyncio.get_running_loop().time() - began:.1f} s, {status}")
                    assert "Asterisk 已停止" in running.text
                    assert "引擎 已停止" in running.text
                    assert "Traceback" not in running.text
                assert processes_of(home) == []
        assert bystander.returncode is None
    finally:
        bystander.kill()
        await bystander.wait()


async def test_a_killed_supervisor_leaves_the_calls_alone_and_the_next_one_adopts_them(home: Path) -> None:
    async with product(home, started=False) as hotline:
        async with up(hotline) as running:
            await running.ready()
            seat = await hotline.seat("8001", "1001", tone_hz=SEAT_HZ)
            call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
            talk = await seat.wait_talking()
            other = await hotline.seat("8002", "1002", tone_hz=SEAT_HZ)
            switch, engine = running.pid_of("asterisk"), running.pid_of("engine")
            running.process.kill()
            await running.process.wait()

            async def engine_gone() -> bool:
                return not runs(engine)

            await until(engine_gone, "the engine to follow its supervisor")
            assert runs(switch)
            alone = await hotline.citizen().call("12333", tone_hz=CITIZEN_HZ)
            with_other = await other.wait_talking()
            async with up(hotline) as again:
                await again.ready()
                assert "一直在运行，继续使用" in again.text
                assert again.pid_of("asterisk") == switch
                assert not call.is_over
                assert tone_share(talk.heard.pcm(talk.answered_at, seat.now), CITIZEN_HZ) > 0.9
                await talk.hang_up()
                await with_other.hang_up()
                for one in (call, alone):
                    if not one.is_over:
                        await one.hang_up()
                await told(hotline, 2, 60)
                await again.ended(signal.SIGINT)
            assert not runs(switch)
        assert processes_of(home) == []


@pytest.mark.smoke
async def test_a_stopped_engine_is_replaced(home: Path) -> None:
    async with product(home, started=False) as hotline, up(hotline) as running:
        await running.ready()
        old = running.pid_of("engine")
        await asyncio.sleep(5)  # the watch has patience with an engine that it never saw well
        psutil.Process(old).suspend()
        began = asyncio.get_running_loop().time()
        await running.new_pid("engine", old)
        await until(hotline.healthy, "the new engine")
        print(f"replaced and healthy after {asyncio.get_running_loop().time() - began:.1f} s")
        assert "没有反应" in running.text


@pytest.mark.parametrize(("setting", "kind"), [("sip_port", socket.SOCK_DGRAM), ("ami_port", socket.SOCK_STREAM)])
async def test_a_port_that_is_taken_is_named(home: Path, setting: str, kind: socket.SocketKind) -> None:
    async with product(home, started=False) as hotline:
        port = getattr(hotline.settings, setting)
        with socket.socket(socket.AF_INET, kind) as thief:
            thief.bind(("127.0.0.1", port))
            if kind is socket.SOCK_STREAM:
                thief.listen()
            async with up(hotline) as running:
                assert await running.ended() == 1
                assert f"端口 {port}" in running.text
                assert f"HOTLINE_{setting.upper()}" in running.text
                assert "Traceback" not in running.text
        assert processes_of(home) == []


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, with little room."""
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", folder], check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)
    folder.rmdir()


def _fill(disk: Path) -> Path:
    """To the last byte."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return ballast


async def _kept(hotline: Product, seat: str) -> bool:
    """Asterisk writes what it remembers once a second; what it has not written when the disk fills, it forgets."""
    (file,) = hotline.settings.data_dir.rglob("astdb.sqlite3")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as memory:
        rows = memory.execute("SELECT count(*) FROM astdb WHERE key LIKE ?", (f"/registrar/contact/{seat}%",))
        return bool(rows.fetchone()[0])


@pytest.mark.exclusive
async def test_a_full_disk_is_said_and_costs_no_call(small_disk: Path) -> None:
    async with product(small_disk, started=False) as hotline:
        ballast = _fill(small_disk)
        async with up(hotline) as running:
            assert await running.ended() == 1, running.text
            assert "空间" in running.text
            assert "Traceback" not in running.text
        ballast.unlink()
        async with up(hotline) as running:
            await running.ready()
            seat = await hotline.seat("8001", "1001", tone_hz=SEAT_HZ, behaviour=Answer(0.1, hang_up_after=2))
            await until(lambda: _kept(hotline, "8001"), "the phone's registration to be on the disk")
            ballast = _fill(small_disk)
            call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
            talk = await seat.wait_talking()
            await talk.ended()
            assert tone_share(talk.heard.pcm(), CITIZEN_HZ) > 0.7
            await call.ended(30)

            async def alarmed() -> bool:
                return any("磁盘" in fault for fault in (await hotline.ask("/api/status"))["faults"])

            await until(alarmed, "the alarm")
            ballast.unlink()
            await until(hotline.healthy, "all to be well again")
            (record,) = await told(hotline, 1)
            assert (record.seat, record.answered_by) == ("8001", "agent")
