"""What a test leaves behind: tasks that its loop still has, processes, and ports on which somebody listens."""

from __future__ import annotations

import asyncio
import asyncio.runners
import os
import signal
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import psutil

from tests.support.ports import Slice, own_slice

GRACE_SECONDS: Final = 5.0
"""A process or a socket that is about to go may take so long."""

OF_PYTHON: Final = "multiprocessing.resource_tracker"
"""Python's own, begun with the first process that it spawns, ended with itself."""

OF_AIOHTTP: Final = "RequestHandler.start"
"""The web server's own for each connection: it lingers over a body that was refused, and ends with its server."""

_kept: set[int] = set()
_kept_ports: set[int] = set()
_parents: set[int] = set()


class Leaked(AssertionError):
    """A test left something behind; the text says what."""


def keep(pid: int, *ports: int, parent: bool = False) -> None:
    """This process and its ports live as long as the test run; of a ``parent`` the children are looked at like ours."""
    _kept.add(pid)
    _kept_ports.update(ports)
    if parent:
        _parents.add(pid)


def children() -> dict[int, str]:
    """Our processes and what they run; without those that are kept."""
    found = {}
    ours = psutil.Process().children()
    for parent in _parents:
        with suppress(psutil.Error):
            ours += psutil.Process(parent).children()
    for child in ours:
        with suppress(psutil.Error):
            if child.pid not in _kept and child.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(child.cmdline())[:200] or child.name()
                if OF_PYTHON not in command:
                    found[child.pid] = command
    return found


def listening(ours: Slice) -> set[int]:
    """TCP ports of the slice on which anybody on this machine listens."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if state == "0A":
                found.add(int(local.rpartition(":")[2], 16))
    return found & set(ours.listening) - _kept_ports


class Watch:
    """Processes and ports that were there before; whatever comes and stays is a leak."""

    def __init__(self) -> None:
        self._processes = set(children())
        self._ports = listening(own_slice()) if own_slice.cache_info().currsize else None
        """None: no slice is taken yet, so what listens in the one that will be is not known."""

    def check(self) -> None:
        """Wait a moment for what is about to go. Raises Leaked; what was left is ended and not told again."""
        until = monotonic() + GRACE_SECONDS
        while (left := self._left()) and monotonic() < until:
            sleep(0.05)
        if not left:
            return
        for pid in children():
            if pid not in self._processes:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        raise Leaked(f"left behind: {'; '.join(left)}")

    def _left(self) -> list[str]:
        left = [f"process {pid} {words}" for pid, words in children().items() if pid not in self._processes]
        if self._ports is not None:
            left += [f"port {port}" for port in sorted(listening(own_slice()) - self._ports)]
        return left


def forbid_leaked_tasks() -> None:
    """From now on a loop that is closed while tasks run raises Leaked, after they were cancelled as ever."""
    cancel: Callable[[asyncio.AbstractEventLoop], None] = asyncio.runners._cancel_all_tasks  # type: ignore[attr-defined]

    def cancel_and_tell(loop: asyncio.AbstractEventLoop) -> None:
        for close in reversed(_closing.pop(None, []) + _closing.pop(loop, [])):
            loop.run_until_complete(close())
        left = _told(asyncio.all_tasks(loop))
        cancel(loop)
        if left:
            raise Leaked(f"tasks left behind: {'; '.join(left)}")

    asyncio.runners._cancel_all_tasks = cancel_and_tell  # type: ignore[attr-defined]


_closing: dict[asyncio.AbstractEventLoop | None, list[Callable[[], Coroutine[Any, Any, None]]]] = {}
"""None: made by a fixture before there is a loop; closed with the next one."""


def close_with_the_loop(close: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Await this before the running loop is closed: for parts of the product that a test puts together by hand.

    What they leave running all the same is a leak of theirs.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    _closing.setdefault(loop, []).append(close)


def _told(tasks: Iterable[asyncio.Task[Any]]) -> list[str]:
    named = {task.get_name(): getattr(task.get_coro(), "__qualname__", "") for task in tasks}
    return sorted(f"{name} {what}" for name, what in named.items() if what != OF_AIOHTTP)
