"""Keeping the processes of one instance alive: started, watched, restarted, and ended in order.

One job: child processes. It knows no telephony. Every child leads its own process group, so a Ctrl-C in the terminal
reaches the supervisor only and the children end in the order that it chooses.

What becomes of a child when the supervisor itself is killed (kill -9, out of memory) is the child's ``orphan`` rule:

* ``Orphan.LIVES`` for Asterisk. Conversations must not depend on a Python process. The switch goes on, callers get
  the fallback of the dialplan, and the next supervisor adopts it by its pid file when it was started as the same thing
  (same fingerprint), and replaces it otherwise.
* ``Orphan.DIES`` for the engine. An engine that nobody watches may hang and then costs every caller the deadline of a
  question; a dead one costs nothing, because the dialplan helps itself at once. The kernel ends it
  (``PR_SET_PDEATHSIG``), and whatever is left all the same is ended by the next supervisor before it starts its own.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import math
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

import structlog

from config.log_files import trim_log
from config.process_identity import ProcessIdentity

log = structlog.get_logger(__name__)

FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
STEADY_SECONDS: Final = 30.0
"""A child that lived this long is restarted as if it had never failed."""

KEEP_SECONDS: Final = 15.0
"""How long keeping what a hung child can still tell may take."""

ABORT_SECONDS: Final = 4.0
"""How long a core file may take before the child is killed."""

LATE_SECONDS: Final = 2.0
"""A pause that lasted so much longer than asked says that the machine did not run us: nobody can be judged then."""

KILL_SECONDS: Final = 5.0
"""How long the kernel may take to end a killed process before we say so and go on."""


TRIM_SECONDS: Final = 60.0


class SupervisorError(Exception):
    """The instance cannot be started. The text is a Chinese sentence that says what to do."""


class Orphan(StrEnum):
    """What becomes of a child when its supervisor is killed."""

    DIES = "dies"
    LIVES = "lives"


class Change(StrEnum):
    """What happened to a child."""

    STARTED = "started"
    ADOPTED = "adopted"
    """It had outlived its former supervisor and goes on."""
    REPLACED = "replaced"
    """One of a former supervisor was ended, because it was started as something else."""
    ENDED = "ended"
    """It ended without being asked; it is started again after a pause."""
    HUNG = "hung"
    """Its probe failed too often in a row; it is killed."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    KILLED = "killed"
    """It did not stop in time."""
    FAILED = "failed"
    """It could not be started; tried again after a pause."""


@dataclass(frozen=True, slots=True)
class ChildEvent:
    """One change, for progress lines and for whoever waits for it."""

    name: str
    change: Change
    pid: int = 0
    detail: str = ""
    """Exit status, reason, or what it was asked."""
    pause_seconds: float = 0.0
    """After ``ENDED`` and ``FAILED``: how long until the next start."""


@dataclass(frozen=True, slots=True)
class Watch:
    """How to tell that a child hangs."""

    probe: Callable[[], Awaitable[object]]
    """Returns when healthy, raises otherwise. It is cancelled at its deadline."""
    every_seconds: float = 2.0
    deadline_seconds: float = 2.0
    failures: int = 3
    """So many in a row mean that it hangs."""
    grace_seconds: float = 60.0
    """Failures before the first success count only after this long; of an adopted child never: it may be of a version
    that does not know the question."""
    keep: Callable[[int], Awaitable[None]] | None = None
    """Keeps what a hung child (its pid) can still tell, before it is ended."""
    abort: bool = False
    """A hung child is ended by SIGABRT first, for a core file where the system keeps one."""


@dataclass(frozen=True, slots=True)
class Child:
    """One process to keep alive."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None
    """The whole environment; None takes ours."""
    cwd: Path | None = None
    orphan: Orphan = Orphan.DIES
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    """How long it may take to stop before it is killed."""
    fingerprint: str = ""
    """Adopted only by a child of the same fingerprint; empty: computed from argv. Include a digest of the files it
    read at its start when a change of them needs a new process."""
    watch: Watch | None = None

    @property
    def identity_print(self) -> str:
        """The fingerprint in effect."""
        return self.fingerprint or hashlib.sha256("\0".join(self.argv).encode()).hexdigest()


@dataclass(slots=True)
class Pause:
    """Back-off between restarts: 0.2 s at first, doubling to 5 s, a little jitter; forgotten after a steady run."""

    jitter: Callable[[], float] = random.random
    _failures: int = field(default=0, init=False)

    def after(self, ran_seconds: float) -> float:
        """Seconds to wait after a run that lasted so long."""
        if ran_seconds >= STEADY_SECONDS:
            self._failures = 0
        seconds = min(FIRST_PAUSE_SECONDS * 2.0**self._failures, LONGEST_PAUSE_SECONDS)
        self._failures = min(self._failures + 1, 16)
        return float(seconds * (0.9 + 0.2 * self.jitter()))


@dataclass(frozen=True, slots=True)
class _Running:
    identity: ProcessIdentity
    process: subprocess.Popen[bytes] | None
    """None for an adopted one, which is not ours to bury."""

    def bury(self) -> str:
        """How it ended; what it had started and left behind is ended, too."""
        if self.process is None:
            return "已退出"
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # the pid cannot be another's before wait()
        code = self.process.wait()
        return f"被信号 {signal.Signals(-code).name} 终止" if code < 0 else f"退出码 {code}"


async def watch_process(
    name: str, watch: Watch, identity: ProcessIdentity, *, adopted: bool, tell: Callable[[int], None]
) -> None:
    """End a process when its probe fails too often in a row; returns then. ``tell`` hears how often that was."""
    clock = asyncio.get_running_loop().time
    patience_ends = math.inf if adopted else clock() + watch.grace_seconds
    failures = 0
    while failures < watch.failures:
        asked_to_wait = clock()
        await asyncio.sleep(watch.every_seconds)
        late = clock() - asked_to_wait - watch.every_seconds > LATE_SECONDS
        try:
            async with asyncio.timeout(watch.deadline_seconds):
                await watch.probe()
        except Exception as error:
            failures += clock() >= patience_ends and not late
            log.info("probe failed", child=name, failures=failures, late=late, error=repr(error))
        else:
            failures = 0
            patience_ends = clock()
    log.error("child hangs", child=name, pid=identity.pid, failures=failures)
    tell(failures)
    if watch.keep is not None:
        try:
            async with asyncio.timeout(KEEP_SECONDS):
                await watch.keep(identity.pid)
        except Exception:  # evidence is worth less than callers
            log.exception("nothing kept of a hung child", child=name)
    if watch.abort:
        identity.signal_group(signal.SIGABRT)
        identity.signal_group(signal.SIGCONT)
        await _within(identity.ended(), ABORT_SECONDS)
    identity.signal_group(signal.SIGKILL)


class Supervisor:
    """Runs the children of one instance until told to stop; the later one starts, the earlier it is stopped.

    ``on_event`` is called for every change, in order, and must not block.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        run_dir: Path,
        log_dir: Path,
        on_event: Callable[[ChildEvent], None] = lambda _event: None,
    ) -> None:
        self._children = tuple(children)
        self._run_dir = run_dir
        self._log_dir = log_dir
        self._on_event = on_event
        self._stop = asyncio.Event()
        self._kill = asyncio.Event()
        self._live: dict[str, _Running] = {}

    def stop(self) -> None:
        """Ask for an orderly end. Asking again ends everything at once."""
        (self._kill if self._stop.is_set() else self._stop).set()

    def _hung_up(self) -> None:
        log.warning("terminal gone, calls go on", pid=os.getpid())

    def pid_of(self, name: str) -> int | None:
        """The pid of a child that runs now."""
        running = self._live.get(name)
        return running.identity.pid if running else None

    async def run(self, *, signals: bool = True) -> None:
        """Start all and keep them alive until :meth:`stop`, or (with ``signals``) Ctrl-C or SIGTERM.

        A terminal that breaks (SIGHUP) stops nothing: it is an accident, and the calls are somebody's.

        Raises SupervisorError when another supervisor runs on the same folder, or the folder cannot be used.
        """
        with _folders(self._run_dir, self._log_dir), _only_one(self._run_dir / "up.lock"), self._signals(signals):
            keepers = {child.name: asyncio.create_task(self._keep(child), name=child.name) for child in self._children}
            trimmer = asyncio.create_task(self._trim())
            stopped = asyncio.create_task(self._stop.wait())
            try:
                # A keeper never returns by itself: if one fails, that is a fault of ours, and all is ended in order.
                await asyncio.wait([*keepers.values(), stopped], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await _cancel(trimmer, stopped)
                for child in reversed(self._children):
                    await _cancel(keepers[child.name])
                    await self._end(child)
            for keeper in keepers.values():
                if not keeper.cancelled():
                    keeper.result()

    async def _keep(self, child: Child) -> None:
        pause = Pause()
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                running = await self._begin(child)
            except OSError as error:
                detail = f"无法启动 {child.argv[0]}：{error.strerror}"
                await self._wait_to_retry(child, Change.FAILED, 0, detail, pause.after(0.0))
                continue
            self._live[child.name] = running
            self._tell(child, Change.STARTED if running.process else Change.ADOPTED, running.identity.pid)
            await self._until_ended(child, running)
            detail = self._live.pop(child.name).bury()
            await self._wait_to_retry(child, Change.ENDED, running.identity.pid, detail, pause.after(clock() - began))

    async def _wait_to_retry(self, child: Child, change: Change, pid: int, detail: str, seconds: float) -> None:
        log.warning("child ended", child=child.name, change=change, pid=pid, detail=detail, pause_seconds=seconds)
        self._tell(child, change, pid, detail, seconds)
        await asyncio.sleep(seconds)

    async def _begin(self, child: Child) -> _Running:
        """A running process for this child: adopted, or newly started. Raises OSError."""
        pid_file = self._pid_file(child)
        former = ProcessIdentity.load(pid_file)
        if former and child.orphan is Orphan.LIVES and former.fingerprint == child.identity_print:
            return _Running(former, None)
        if former:
            self._tell(child, Change.REPLACED, former.pid)
            await self._stop_process(child, former)
        process = self._start(child)  # no await from here on: a child that runs is a child that is known
        identity = ProcessIdentity.of(process.pid, child.identity_print)
        if identity is None:  # gone before we could look: told as an ending with its exit status
            identity = ProcessIdentity(process.pid, 0, "", child.identity_print)
        else:
            try:
                identity.save(pid_file)
            except OSError as error:  # a full disk must not make us lose a child that runs
                log.error("pid file not written", child=child.name, error=str(error))
        return _Running(identity, process)

    def _start(self, child: Child) -> subprocess.Popen[bytes]:
        argv = list(child.argv)
        if child.orphan is Orphan.DIES and (setpriv := shutil.which("setpriv")):
            argv = [setpriv, "--pdeathsig", child.stop_signal.name.removeprefix("SIG"), *argv]
        with self._log_file(child) as output:
            return subprocess.Popen(
                argv,
                env=None if child.env is None else dict(child.env),
                cwd=child.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def _until_ended(self, child: Child, running: _Running) -> None:
        identity = running.identity
        if child.watch is None:
            await identity.ended()
            return

        def hung(failures: int) -> None:
            self._tell(child, Change.HUNG, identity.pid, f"连续 {failures} 次没有应答")

        adopted = running.process is None
        watching = asyncio.create_task(watch_process(child.name, child.watch, identity, adopted=adopted, tell=hung))
        try:
            await identity.ended()
        finally:
            await _cancel(watching)

    async def _end(self, child: Child) -> None:
        """One stage of the shutdown."""
        running = self._live.pop(child.name, None)
        identity = running.identity if running else ProcessIdentity.load(self._pid_file(child))
        if identity is not None and identity.alive:
            self._tell(child, Change.STOPPING, identity.pid, f"最多等 {child.stop_seconds:g} 秒")
            await self._stop_process(child, identity)
        if running is not None:
            running.bury()
        self._pid_file(child).unlink(missing_ok=True)

    async def _stop_process(self, child: Child, identity: ProcessIdentity) -> None:
        """Ask, wait, kill. A hung child is woken so that it can hear the question."""
        if not self._kill.is_set():
            identity.signal_group(child.stop_signal)
            identity.signal_group(signal.SIGCONT)
            if await self._ended_within(identity, child.stop_seconds):
                self._tell(child, Change.STOPPED, identity.pid)
                return
        self._tell(child, Change.KILLED, identity.pid)
        identity.signal_group(signal.SIGKILL)
        if not await _within(identity.ended(), KILL_SECONDS):
            log.error("child still runs after SIGKILL", child=child.name, pid=identity.pid)

    async def _ended_within(self, identity: ProcessIdentity, seconds: float) -> bool:
        """Whether it ended in time; an impatient second Ctrl-C cuts the time short."""
        ended = asyncio.create_task(identity.ended())
        hurry = asyncio.create_task(self._kill.wait())
        try:
            await asyncio.wait([ended, hurry], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return ended.done()
        finally:
            await _cancel(ended, hurry)

    def _tell(self, child: Child, change: Change, pid: int, detail: str = "", pause: float = 0.0) -> None:
        try:
            self._on_event(ChildEvent(child.name, change, pid, detail, pause))
        except Exception:  # a listener's fault must not cost us the child
            log.exception("listener failed", child=child.name, change=change)

    def _pid_file(self, child: Child) -> Path:
        return self._run_dir / f"{child.name}.child.json"

    def _log_path(self, child: Child) -> Path:
        return self._log_dir / f"{child.name}.log"

    def _log_file(self, child: Child) -> IO[bytes]:
        # Appending, so that the file can be emptied under a running child without leaving a hole.
        return os.fdopen(os.open(self._log_path(child), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640), "ab")

    async def _trim(self) -> None:
        while True:
            for child in self._children:
                try:
                    trim_log(self._log_path(child))
                except OSError as error:
                    log.error("log not trimmed", child=child.name, error=str(error))
            await asyncio.sleep(TRIM_SECONDS)

    @contextmanager
    def _signals(self, wanted: bool) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP] if wanted else []
        for number in numbers:
            loop.add_signal_handler(number, self._hung_up if number is signal.SIGHUP else self.stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


@contextmanager
def _folders(*folders: Path) -> Iterator[None]:
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SupervisorError(f"无法建立目录 {folder}（{error.strerror}）；请检查权限与磁盘空间") from error
    yield


def require_alone(run_dir: Path) -> None:
    """Raise SupervisorError when another supervisor runs on the same folder: ask before preparing anything for it."""
    with _folders(run_dir), _only_one(run_dir / "up.lock"):
        pass


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the instance's lock; the kernel lets go of it when the process ends, however it ends."""
    try:
        file = path.open("ab+", buffering=0)
    except OSError as error:
        raise SupervisorError(f"无法写 {path}（{error.strerror}）；请检查权限与磁盘空间") from error
    with file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().decode("ascii", "replace").strip() or "未知"
            raise SupervisorError(
                f"另一个 hotline up（进程 {holder}）正在使用 {path.parent.parent}；"
                "请先停止它，或用 HOTLINE_DATA_DIR 换一个数据目录（端口也要换）"
            ) from None
        try:
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        except OSError as error:
            raise SupervisorError(f"无法写 {path}（{error.strerror}）；请检查磁盘空间") from error
        yield


async def _within(what: Awaitable[object], seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await what
    except TimeoutError:
        return False
    return True


async def _cancel(*tasks: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[bool]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError, Exception):
            await task
