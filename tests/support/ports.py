"""Ports of our own: one slice of the machine's for each process that runs products, in any number of test runs at once.

A slice is held by a lock on a file in the machine's temporary folder until the process ends, however it ends. All
slices lie below the ports that the kernel hands out itself, so that no outgoing connection can take one first.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

FIRST_PORT: Final = 10000
SLICE_PORTS: Final = 1400
SLICES: Final = 16
"""Ports 10000 to 32399; Linux hands out its own from 32768."""
RTP_PORTS: Final = 1000
"""So many of a slice are for RTP: 250 talks at once, four ports each."""
LOCKS: Final = Path(tempfile.gettempdir()) / f"hotline-test-ports-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class Slice:
    """One process's ports."""

    number: int

    @property
    def listening(self) -> range:
        """For whatever listens: servers, phones, trunks' far ends."""
        first = FIRST_PORT + self.number * SLICE_PORTS + RTP_PORTS
        return range(first, first + SLICE_PORTS - RTP_PORTS)

    @property
    def rtp(self) -> range:
        """Asterisk's."""
        first = FIRST_PORT + self.number * SLICE_PORTS
        return range(first, first + RTP_PORTS)


class NoSlice(RuntimeError):
    """Every slice is taken; the text says what to do."""


@cache
def own_slice() -> Slice:
    """The slice of this process, taken at the first call. Raises NoSlice when all are taken."""
    LOCKS.mkdir(exist_ok=True)
    for number in range(SLICES):
        lock = os.open(LOCKS / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return Slice(number)  # the lock stays open, and so ours, until the process ends
    raise NoSlice(f"{SLICES} processes run products on this machine already: wait for one of them to end")


def free_ports(count: int, kind: socket.SocketKind) -> Sequence[int]:
    """Ports of our slice nobody listens on. One that was handed out is not handed out again soon. Raises OSError."""
    return _dealer().deal(count, kind)


def reserved_ports(count: int, kind: socket.SocketKind) -> Sequence[int]:
    """Like ``free_ports``, and never handed out again: for ports that a module names before anybody listens there."""
    ports = _dealer().deal(count, kind)
    _dealer().reserve(ports)
    return ports


class _Dealer:
    """Hands out the ports of one range in turn."""

    def __init__(self, ports: range) -> None:
        self._waiting = random.sample(ports, len(ports))

    def deal(self, count: int, kind: socket.SocketKind) -> list[int]:
        found: list[int] = []
        for port in islice(self._waiting.copy(), len(self._waiting)):
            if len(found) == count:
                break
            self._waiting.remove(port)
            self._waiting.append(port)
            with socket.socket(socket.AF_INET, kind) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                found.append(port)
        if len(found) < count:
            raise OSError(f"fewer than {count} free ports among {len(self._waiting)}")
        return found

    def reserve(self, ports: Sequence[int]) -> None:
        for port in ports:
            self._waiting.remove(port)


@cache
def _dealer() -> _Dealer:
    return _Dealer(own_slice().listening)
