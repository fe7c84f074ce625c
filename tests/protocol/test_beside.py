"""Work in a process beside: its own interpreter, a low priority, and an end with whoever began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from config.settings import ROOT
from routing.beside import NICENESS, Beside
from routing.exchange.faults import FileInvalid
from routing.exchange.files import read_data
from routing.exchange.workbook import write_workbook
from routing.sample_table import sample_table

pytestmark = pytest.mark.protocol

NICEST = 19
"""The kernel's lowest priority: a run of tests that has one itself cannot go much lower."""


@pytest.fixture
def beside() -> Iterator[Beside]:
    here = Beside()
    yield here
    here.stop()


def where() -> tuple[int, int]:
    return os.getpid(), os.nice(0)


def spin(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def fail() -> None:
    raise ValueError("所给的表有错误")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def test_it_runs_elsewhere_with_a_low_priority_again_and_again(beside: Beside) -> None:
    pid, niceness = await beside.run(where)
    assert pid != os.getpid()
    assert niceness == min(os.nice(0) + NICENESS, NICEST)
    assert await beside.run(where) == (pid, niceness)


async def test_what_it_raises_is_raised_here_and_the_next_work_is_done(beside: Beside) -> None:
    with pytest.raises(ValueError, match="所给的表有错误"):
        await beside.run(fail)
    assert (await beside.run(where))[0] != os.getpid()


async def test_files_of_a_table_are_read_and_written_beside_and_their_faults_come_back_whole(beside: Beside) -> None:
    table = sample_table()
    data = await beside.run(write_workbook, table)
    assert await beside.run(read_data, "表.xlsx", data, table) == table
    with pytest.raises(FileInvalid) as here:
        read_data("表.xlsx", b"nothing", table)
    with pytest.raises(FileInvalid) as there:
        await beside.run(read_data, "表.xlsx", b"nothing", table)
    assert (there.value.faults, str(there.value)) == (here.value.faults, str(here.value))


async def test_a_process_that_dies_is_replaced(beside: Beside) -> None:
    pid, _ = await beside.run(where)
    os.kill(pid, signal.SIGKILL)
    assert (await beside.run(where))[0] not in {pid, os.getpid()}


async def test_the_interpreter_here_is_free_meanwhile(beside: Beside) -> None:
    """Its own processor time while the other works: a thread that worked here would use all of it."""
    await beside.run(where)
    before = time.process_time()
    await beside.run(spin, 1.0)
    assert time.process_time() - before < 0.3


def test_it_ends_with_the_process_that_began_it() -> None:
    program = (
        "import asyncio, sys; from routing.beside import BESIDE; from tests.protocol.test_beside import where\n"
        "async def main():\n    print((await BESIDE.run(where))[0], flush=True); await asyncio.sleep(600)\n"
        "if __name__ == '__main__': asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT) as engine:
        assert engine.stdout is not None
        worker = int(engine.stdout.readline())
        engine.kill()
    gone = time.monotonic() + 20
    while psutil.pid_exists(worker) and psutil.Process(worker).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < gone
        time.sleep(0.05)
