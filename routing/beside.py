"""Work beside the calls, in a process of its own: reading a workbook, speaking prompts, whatever takes long.

One job: run a function elsewhere. A thread would share the interpreter with the questions of calls, and each of them
would wait for it; the process here has an interpreter of its own and a low priority, so that calls come first on every
core (ADR 0034). It begins with the first work, lives on for the next, and ends with the process that began it.
"""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final, TypeVar

Result = TypeVar("Result")

NICENESS: Final = 10
"""About a tenth of the processor time of a call that wants the same core."""

_PARENT_DIED: Final = 1
"""PR_SET_PDEATHSIG (prctl(2))."""


class Beside:
    """One process beside this one, for one work at a time. Functions, arguments and results must be picklable."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """The function's result; raises what it raises, and BrokenProcessPool when its process died twice."""
        try:
            return await self._once(work, *arguments)
        except BrokenProcessPool:  # by the kernel, for want of memory, or by hand: once more in a new one
            self.stop()
            return await self._once(work, *arguments)

    def stop(self) -> None:
        """What is under way is given up."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.kill()

    async def _once(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _begin, (os.getpid(),))
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _begin(parent: int) -> None:
    """In the new process: be low, leave Ctrl-C to the one that began us, and end with it."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PARENT_DIED, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


BESIDE: Final = Beside()
"""This process's own."""
