"""The journal: facts on the local disk, before anything else may depend on them.

One job: make facts durable without ever holding up a call. ``append`` puts a fact into a bounded
buffer; one thread writes and fsyncs in batches. A full or failing disk is an alarm, not an
exception: the thread keeps trying, facts wait in memory, and when the buffer is full the newest
fact is refused and counted (what is already there keeps its order; Asterisk's own CEL can fill in
the outline of a call later). It knows no database; see drain.py.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import structlog
from ulid import ULID

from ledger.codec import encode
from ledger.model import Fact, Kind
from ledger.segments import SUFFIX, segments
from telephony.model import CallId

SEGMENT_BYTES: Final = 8 << 20
BATCH_SECONDS: Final = 0.05
BATCH_FACTS: Final = 200
WRITE_FACTS: Final = 2000
"""The most facts of one write, so that a long outage is worked off in steps."""

CAPACITY: Final = 100_000
"""Facts kept in memory while the disk refuses them: about an hour of a busy city, some 50 MB."""

RETRY_SECONDS: Final = 1.0

_RANDOM_BITS: Final = 80
"""Of a ULID's 128; the others are milliseconds since 1970."""

log = structlog.get_logger(__name__)


class JournalInUse(RuntimeError):
    """Another engine writes to this folder."""


class JournalStalled(TimeoutError):
    """The disk did not take the facts in time. They are still in memory and will be tried again."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """How the journal is, for status and alarms."""

    pending: int
    """Facts in memory only."""
    written: int
    """Facts made durable since the start."""
    refused: int
    """Facts lost because the buffer was full."""
    alarm: str
    """Why the disk refuses, in Chinese; empty when all is well."""


class Journal:
    """One folder, one writer. ``start`` and ``stop`` bracket its life; everything else never blocks."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        batch_seconds: float = BATCH_SECONDS,
        batch_facts: int = BATCH_FACTS,
        capacity: int = CAPACITY,
        retry_seconds: float = RETRY_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._batch_seconds = batch_seconds
        self._batch_facts = batch_facts
        self._capacity = capacity
        self._retry_seconds = retry_seconds
        self._now = now
        self._last_id = 0
        self._lines: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._urgent = False
        self._stopping = False
        self._written = 0
        self._refused = 0
        self._alarm = ""
        self._waiters: list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self._thread: threading.Thread | None = None
        self._lock: int | None = None
        self._file: int | None = None
        self._size = 0
        self._path = folder

    # --- for the engine -------------------------------------------------------------------------

    def start(self) -> None:
        """Take the folder. Raises JournalInUse. A folder that cannot be made is an alarm, not an error."""
        assert self._thread is None, "started twice"
        self._take_lock()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def note(
        self, kind: Kind, call: CallId, data: Mapping[str, Any] | None = None, *, at: datetime | None = None
    ) -> Fact:
        """Make a fact with a new id, append it and give it back."""
        moment = at or self._now()
        fact = Fact(self._new_id(moment), kind, call, moment, dict(data or {}))
        self.append(fact)
        return fact

    def append(self, fact: Fact) -> None:
        """Hand a fact over. Never blocks, never raises; see the module's docstring for a full buffer."""
        line = encode(fact)
        with self._changed:
            if len(self._lines) >= self._capacity:
                self._refused += 1
                refused = self._refused
            else:
                refused = 0
                self._lines.append(line)
                if len(self._lines) in (1, self._batch_facts):
                    self._changed.notify_all()
        if refused and refused & (refused - 1) == 0:  # 1, 2, 4, 8 …: an outage must not flood the log
            log.error("journal.fact_refused", refused=refused, capacity=self._capacity)

    async def flush(self, seconds: float = 5.0) -> None:
        """Return when everything appended so far is on the disk. Raises JournalStalled after ``seconds``."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self._changed:
            if not self._lines:
                return
            self._waiters.append((self._written + len(self._lines), loop, done))
            self._urgent = True
            self._changed.notify_all()
        try:
            async with asyncio.timeout(seconds):
                await done
        except TimeoutError as error:
            raise JournalStalled(f"{self.state.pending} 条流水尚未写入磁盘：{self._alarm or '磁盘太慢'}") from error

    async def stop(self, seconds: float = 5.0) -> int:
        """Write what is left, give the folder back. Returns how many facts the disk did not take in time."""
        thread = self._thread
        if thread is None:
            return 0
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        await asyncio.to_thread(thread.join, seconds)
        self._thread = None
        left = len(self._lines)
        if left:
            log.error("journal.facts_left_at_stop", facts=left, alarm=self._alarm)
        if not thread.is_alive():
            self._close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        return left

    @property
    def state(self) -> JournalState:
        return JournalState(len(self._lines), self._written, self._refused, self._alarm)

    @property
    def folder(self) -> Path:
        return self._folder

    # --- ids ------------------------------------------------------------------------------------

    def _new_id(self, at: datetime) -> str:
        """A ULID that is higher than the one before, so that ids sort as the facts were noted."""
        ms = int(at.timestamp() * 1000)
        if ms > self._last_id >> _RANDOM_BITS:
            self._last_id = ms << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        else:
            self._last_id += 1
        return str(ULID.from_int(self._last_id))

    # --- the writer's thread --------------------------------------------------------------------

    def _run(self) -> None:
        delay = self._retry_seconds
        while (batch := self._next_batch()) is not None:
            try:
                self._write(b"".join(batch))
            except OSError as error:
                self._give_up_segment()
                if not self._alarm:
                    log.error("journal.disk_refuses", error=str(error), folder=str(self._folder))
                self._alarm = f"流水日志写不进 {self._folder}（{error.strerror or error}）；请检查磁盘空间和权限"
                with self._changed:
                    self._changed.wait_for(lambda: self._stopping, delay)
                delay = min(delay * 2, self._retry_seconds * 5)
                continue
            delay = self._retry_seconds
            if self._alarm:
                log.warning("journal.disk_recovered", pending=len(self._lines))
                self._alarm = ""
            self._settle(len(batch))

    def _next_batch(self) -> list[bytes] | None:
        """Wait for facts; None when stopped and empty, or stopped while the disk refuses."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._stopping)
            if self._stopping and (not self._lines or self._alarm):
                return None
            self._changed.wait_for(
                lambda: self._urgent or self._stopping or len(self._lines) >= self._batch_facts, self._batch_seconds
            )
            return list(islice(self._lines, WRITE_FACTS))

    def _settle(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                self._lines.popleft()
            self._written += count
            due = [waiter for waiter in self._waiters if waiter[0] <= self._written]
            self._waiters = [waiter for waiter in self._waiters if waiter[0] > self._written]
            self._urgent = bool(self._waiters)
        for _, loop, done in due:
            try:
                loop.call_soon_threadsafe(_resolve, done)
            except RuntimeError:
                log.warning("journal.waiter_gone")

    def _write(self, lines: bytes) -> None:
        """Append and fsync. On an OSError nothing counts as written."""
        if self._file is not None and (self._size >= self._segment_bytes or os.fstat(self._file).st_nlink == 0):
            self._close()
        if self._file is None:
            self._open()
        assert self._file is not None
        view = memoryview(lines)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)
        self._size += len(lines)

    def _open(self) -> None:
        """A new segment. Never an old one, so that a line torn by a crash is not glued to the next."""
        self._folder.mkdir(parents=True, exist_ok=True)
        names = segments(self._folder)
        name = f"{ULID.from_datetime(self._now())}{SUFFIX}"
        if names and name <= names[-1]:
            name = f"{ULID.from_int(int(ULID.from_str(names[-1].removesuffix(SUFFIX))) + 1)}{SUFFIX}"
        self._path = self._folder / name
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._size = 0
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _give_up_segment(self) -> None:
        """After a failed write: cut off the half batch, and go on in a new segment.

        After a failed fsync the kernel may have thrown the pages away, so the same file is not trusted again.
        """
        if self._file is None:
            return
        try:
            os.ftruncate(self._file, self._size)
            if self._size == 0:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("journal.segment_not_cut", error=str(error), segment=self._path.name)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            try:
                os.close(self._file)
            except OSError as error:
                log.warning("journal.segment_not_closed", error=str(error), segment=self._path.name)
            self._file = None

    def _take_lock(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            self._alarm = f"流水日志目录 {self._folder} 不可用（{error.strerror}）；请检查磁盘空间和权限"
            log.error("journal.folder_unusable", error=str(error), folder=str(self._folder))
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            self._lock = None
            raise JournalInUse(f"{self._folder} 正被另一个引擎使用；请先停掉它，或换一个 DATA_DIR") from None


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
