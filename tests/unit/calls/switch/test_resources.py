"""Limits are told of before they are reached, and the piece of disk that is kept comes and goes."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from asterisk_conf.capacity import capacity, files_needed
from calls.switch.resources import Resources, Use, ports_in_use
from config.disk_reserve import DiskReserve
from config.settings import Settings
from ledger.alarms import Alarms
from ledger.journal import Journal
from telephony.model import NodeId

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ports", "files", "calls", "ordinary", "by_files"),
    [
        (6000, 65536, 1500, 1350, False),
        (6000, 0, 1500, 1350, False),
        (6000, 1024, 43, 38, True),
        (100, 65536, 25, 20, False),
        (100, 100, 6, 1, True),
    ],
)
def test_how_many_calls_are_let_in(ports: int, files: int, calls: int, ordinary: int, by_files: bool) -> None:
    room = capacity(ports, files)
    assert (room.calls, room.ordinary, room.by_files) == (calls, ordinary, by_files)
    assert capacity(ports, files_needed(ports)).calls == max(6, ports // 4)


@pytest.fixture
def here(tmp_path: Path) -> Resources:
    settings = Settings(data_dir=tmp_path, rtp_start=26000, rtp_end=26099)
    alarms = Alarms(Journal(tmp_path / "journal"), NodeId("hl1"))
    return Resources(settings, capacity(100, 65536), lambda: 17, alarms)


def test_an_alarm_at_four_fifths_that_stays_until_seven_tenths(here: Resources) -> None:
    alarms = here._alarms.standing
    for used, stands, grave in ((15, False, False), (16, True, False), (15, True, False), (13, False, False)):
        here._judge(Use("calls", used, 20))
        assert ("limit-calls" in alarms) is stands
        assert not stands or alarms["limit-calls"].grave is grave
    here._judge(Use("inodes", 96, 100))
    assert alarms["limit-inodes"].grave
    assert "inode" in alarms["limit-inodes"].text


async def test_everything_is_measured_and_a_refused_call_is_a_grave_alarm(here: Resources) -> None:
    (here._settings.run_dir).mkdir()
    (here._settings.run_dir / "asterisk.pid").write_text(f"{os.getpid()}\n")
    await here.look()
    measured = {use.limit for use in here.uses}
    assert measured == {"calls", "switch_files", "engine_files", "rtp_ports", "memory", "disk", "inodes"}
    assert "limit-calls" in here._alarms.standing, "17 of 20"
    here.full()
    here.full()
    assert here.refused == 2
    assert "503" in here._alarms.standing["calls-full"].text


def test_ports_in_use_are_counted() -> None:
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        assert ports_in_use(port, port) == 1
    assert ports_in_use(1, 0) == 0


def test_the_reserve_is_taken_given_back_and_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [1000]

    def statvfs(_folder: Path) -> SimpleNamespace:
        return SimpleNamespace(f_blocks=5000, f_frsize=4096, f_bavail=free[0])

    monkeypatch.setattr(os, "statvfs", statvfs)
    reserve = DiskReserve(tmp_path)
    reserve.look()
    assert (tmp_path / "reserve").stat().st_size == 100 * 4096
    for blocks, held in ((30, True), (20, False), (300, False), (500, True)):
        free[0] = blocks
        reserve.look()
        assert reserve.held is held, blocks
