"""``hotline`` processes forked from one that has loaded their modules already.

Loading them keeps a core busy for two and a half seconds, and a whole run starts hundreds of engines and commands. A
forked one runs the same ``cli.main.main`` on the same arguments and environment; only ``execve`` and the imports are
left out. The real way is held by the tests that run ``hotline up`` (tests/asterisk/test_up.py).

This module is both ends: imported, it asks; run as a program, it loads, forks and tells how each child ended.
"""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any, Final

from config.settings import ROOT
from tests.support.leaks import keep

_PR_SET_PDEATHSIG: Final = 1
_LONGEST: Final = 1 << 18


class Forked:
    """A running ``hotline``; what a test uses of ``asyncio.subprocess.Process``."""

    def __init__(self, pid: int, ended: Future[int]) -> None:
        self.pid = pid
        self._ended = ended

    @property
    def returncode(self) -> int | None:
        """As of a Popen: minus the signal that ended it; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(asyncio.wrap_future(self._ended))

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError when it has ended."""
        if self._ended.done():
            raise ProcessLookupError(self.pid)
        os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class _Nursery:
    """The process that forks, as seen from the tests. One for each process that runs tests."""

    def __init__(self) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LONGEST)
        # One thread for numpy: a fork takes no other along.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())],
            cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        keep(self._process.pid, parent=True)
        theirs.close()
        self._asking = threading.Lock()
        self._born: Future[int] = Future()
        self._ends: dict[int, Future[int]] = {}
        self._known = threading.Lock()
        threading.Thread(target=self._hear, name="forked processes", daemon=True).start()
        atexit.register(self._close)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Forked:
        """Blocks until it is forked; the first call also until the modules are loaded. Raises RuntimeError."""
        order = {"arguments": list(arguments), "environment": dict(environment), "output": str(output)}
        with self._asking:
            self._born = Future()
            self._line.send(json.dumps(order).encode())
            pid = self._born.result()
            return Forked(pid, self._end_of(pid))

    def _end_of(self, pid: int) -> Future[int]:
        with self._known:
            return self._ends.setdefault(pid, Future())

    def _hear(self) -> None:
        while message := self._line.recv(_LONGEST):
            told: dict[str, int] = json.loads(message)
            if "status" in told:
                self._end_of(told["pid"]).set_result(told["status"])
                with self._known:
                    del self._ends[told["pid"]]
            else:
                self._end_of(told["pid"])
                self._born.set_result(told["pid"])
        self._born.cancel()

    def _close(self) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._process.wait()


@cache
def _nursery() -> _Nursery:
    return _Nursery()


async def forked(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> Forked:
    """Start ``hotline`` with these arguments; what it writes is added to ``output``."""
    return await asyncio.to_thread(lambda: _nursery().start(arguments, environment, output))


# The other end


def _serve(line: socket.socket) -> None:
    import gc

    import config.logging  # noqa: F401  all of it is for the children

    gc.collect()
    gc.freeze()
    poll = select.poll()
    poll.register(line, select.POLLIN)
    children: dict[int, int] = {}
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != line.fileno():
                poll.unregister(descriptor)
                os.close(descriptor)
                pid = children.pop(descriptor)
                status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                line.send(json.dumps({"pid": pid, "status": status}).encode())
                continue
            message = line.recv(_LONGEST)
            if not message:
                for pid in children.values():
                    os.kill(pid, signal.SIGTERM)
                return
            pid = os.fork()
            if not pid:
                line.close()
                os._exit(_child(**json.loads(message)))
            ended = os.pidfd_open(pid)
            children[ended] = pid
            poll.register(ended, select.POLLIN)
            line.send(json.dumps({"pid": pid}).encode())


def _child(arguments: list[str], environment: dict[str, str], output: str) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.environ.clear()
    os.environ.update(environment)
    with Path(output).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.umask(0o077)
    sys.argv = ["hotline", *arguments]
    status: Any
    try:
        from cli.main import main
        from config.logging import configure_logging

        configure_logging(level="WARNING")
        main(arguments)
        status = 0
    except SystemExit as error:
        status = error.code
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status if isinstance(status, int) else int(status is not None)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
