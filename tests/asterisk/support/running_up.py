"""``hotline up`` as a process of its own, as a person in a terminal has it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from config.settings import ROOT
from tests.asterisk.support.product import Product, until

READY = "就绪"
STOP_SECONDS = 30.0


class Up:
    """One ``hotline up``: what it said, and the processes it keeps."""

    def __init__(self, process: asyncio.subprocess.Process, run_dir: Path) -> None:
        self.process = process
        self.began = asyncio.get_running_loop().time()
        self.ready_after = 0.0
        """Seconds from its start until it said that it is ready."""
        self.lines: list[str] = []
        self._run_dir = run_dir
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._news:
                self.lines.append(line.decode().rstrip())
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    async def said(self, words: str, seconds: float = 60) -> str:
        """Wait for a line with these words. Raises AssertionError when it ends without them."""

        def found() -> bool:
            return words in self.text or self.process.stdout is None or self.process.stdout.at_eof()

        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(found)
        assert words in self.text, self.text
        return next(line for line in self.lines if words in line)

    async def ready(self) -> None:
        await self.said(READY)
        self.ready_after = asyncio.get_running_loop().time() - self.began

    def pid_of(self, child: str) -> int:
        """The process it keeps now under this name."""
        return int(json.loads((self._run_dir / f"{child}.child.json").read_text())["pid"])

    async def new_pid(self, child: str, old: int, seconds: float = 40) -> int:
        """Wait until another process stands in for the old one."""

        async def other() -> bool:
            with suppress(OSError, ValueError):
                return self.pid_of(child) != old
            return False

        await until(other, f"another {child}", seconds)
        return self.pid_of(child)

    async def ended(self, number: signal.Signals | None = None) -> int:
        """Send it a signal, and wait for its end: the exit status."""
        if number is not None:
            self.process.send_signal(number)
        status = await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
        await self._reading
        return status

    async def close(self) -> None:
        """Whatever a failed test left."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), STOP_SECONDS)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self._reading
        kept = ("engine", "asterisk") if "已启动" in self.text or "继续使用" in self.text else ()
        for child in kept:
            with suppress(OSError, ValueError, psutil.Error):
                psutil.Process(self.pid_of(child)).kill()


@asynccontextmanager
async def up(product: Product, *words: str, **environment: str) -> AsyncIterator[Up]:
    """Run it; ended at the end of the block."""
    told: Mapping[str, str] = os.environ | product.environment | environment
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "up", *words, env=told, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    running = Up(process, product.settings.run_dir)
    try:
        yield running
    finally:
        await running.close()


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that was started with this folder in its words or its environment, this one excepted."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = [*process.cmdline(), *process.environ().values()]
            if process.pid != os.getpid() and any(str(home) in word for word in words):
                found.append(process)
    return found


def runs(pid: int) -> bool:
    """Whether there is such a process that has not ended; a dead one that nobody buries has."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False
