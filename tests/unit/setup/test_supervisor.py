import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from config.log_files import trim_log
from config.process_identity import ProcessIdentity
from setup.process.supervisor import Change, Child, ChildEvent, Orphan, Pause, Supervisor, SupervisorError, Watch

pytestmark = pytest.mark.unit

SLEEPS = "import signal; signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


class Instance:
    """A supervisor under test and the story it tells."""

    def __init__(self, folder: Path, *children: Child) -> None:
        self.events: asyncio.Queue[ChildEvent] = asyncio.Queue()
        self.log_dir = folder / "log"
        self.supervisor = Supervisor(
            children, run_dir=folder / "run", log_dir=self.log_dir, on_event=self.events.put_nowait
        )

    async def until(self, change: Change, name: str = "engine") -> ChildEvent:
        async with asyncio.timeout(20):
            while (event := await self.events.get()).change is not change or event.name != name:
                pass
        return event

    def rest(self) -> list[tuple[str, Change]]:
        return [(event.name, event.change) for event in iter(self._next, None)]

    def _next(self) -> ChildEvent | None:
        return None if self.events.empty() else self.events.get_nowait()


@asynccontextmanager
async def running(instance: Instance) -> AsyncIterator[Instance]:
    task = asyncio.create_task(instance.supervisor.run(signals=False))
    try:
        yield instance
    finally:
        instance.supervisor.stop()
        async with asyncio.timeout(20):
            await task


async def said(instance: Instance, text: str) -> None:
    """Wait until the engine's log holds a text."""
    async with asyncio.timeout(20):
        while text not in (instance.log_dir / "engine.log").read_text(encoding="utf-8"):
            await asyncio.sleep(0.01)


def test_the_pause_grows_to_five_seconds_and_is_forgotten_after_a_steady_run() -> None:
    pause = Pause(jitter=lambda: 0.5)
    assert [pause.after(0.1) for _ in range(7)] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
    assert pause.after(31.0) == pytest.approx(0.2)


async def test_children_run_with_their_output_in_a_log_file(tmp_path: Path) -> None:
    async with running(
        Instance(tmp_path, Child("engine", python(f"print('hello', flush=True); {SLEEPS}")))
    ) as instance:
        started = await instance.until(Change.STARTED)
        assert instance.supervisor.pid_of("engine") == started.pid
        await said(instance, "hello")
        assert os.getpgid(started.pid) == started.pid
    assert ProcessIdentity.of(started.pid) is None
    assert list((tmp_path / "run").glob("*.child.json")) == []


async def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    async with running(Instance(tmp_path, Child("engine", python(SLEEPS)))) as instance:
        first = await instance.until(Change.STARTED)
        os.kill(first.pid, signal.SIGKILL)
        ended = await instance.until(Change.ENDED)
        assert "SIGKILL" in ended.detail
        assert 0 < ended.pause_seconds < 0.3
        assert (await instance.until(Change.STARTED)).pid != first.pid


async def test_a_child_that_cannot_start_is_told_and_tried_again(tmp_path: Path) -> None:
    child = Child("engine", (str(tmp_path / "none"),), orphan=Orphan.LIVES)
    async with running(Instance(tmp_path, child)) as instance:
        assert "无法启动" in (await instance.until(Change.FAILED)).detail
        await instance.until(Change.FAILED)


async def test_the_end_is_in_reverse_order_and_one_at_a_time(tmp_path: Path) -> None:
    children = (Child("asterisk", python(SLEEPS), orphan=Orphan.LIVES), Child("engine", python(SLEEPS)))
    async with running(Instance(tmp_path, *children)) as instance:
        await instance.until(Change.STARTED)
    assert instance.rest() == [
        ("engine", Change.STOPPING),
        ("engine", Change.STOPPED),
        ("asterisk", Change.STOPPING),
        ("asterisk", Change.STOPPED),
    ]


async def test_a_terminal_that_breaks_ends_nothing(tmp_path: Path) -> None:
    child = Child("asterisk", python(f"print('up', flush=True); {SLEEPS}"), orphan=Orphan.LIVES)
    instance = Instance(tmp_path, child)
    task = asyncio.create_task(instance.supervisor.run())
    started = await instance.until(Change.STARTED, "asterisk")
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.3)
    assert ProcessIdentity.of(started.pid) is not None
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(task, 20)
    assert ProcessIdentity.of(started.pid) is None


async def test_a_child_that_will_not_stop_is_killed_at_its_deadline(tmp_path: Path) -> None:
    async with running(Instance(tmp_path, Child("engine", python(STUBBORN), stop_seconds=0.1))) as instance:
        await said_up(instance)
    assert instance.rest()[-2:] == [("engine", Change.STOPPING), ("engine", Change.KILLED)]


async def said_up(instance: Instance) -> ChildEvent:
    event = await instance.until(Change.STARTED)
    await said(instance, "up")
    return event


async def test_asking_twice_ends_everything_at_once(tmp_path: Path) -> None:
    async with running(Instance(tmp_path, Child("engine", python(STUBBORN), stop_seconds=3600))) as instance:
        await said_up(instance)
        instance.supervisor.stop()
        await instance.until(Change.STOPPING)
    assert instance.rest() == [("engine", Change.KILLED)]


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    start = f"subprocess.Popen([sys.executable, '-S', '-c', '{SLEEPS}'])"
    code = f"import subprocess, sys; p = {start}; print('up', p.pid, flush=True); {SLEEPS}"
    async with running(Instance(tmp_path, Child("engine", python(code)))) as instance:
        first = await said_up(instance)
        grandchild = int((instance.log_dir / "engine.log").read_text(encoding="utf-8").split()[1])
        assert ProcessIdentity.of(grandchild) is not None
        os.kill(first.pid, signal.SIGKILL)
        await instance.until(Change.ENDED)
        await gone(grandchild)


async def gone(pid: int) -> None:
    async with asyncio.timeout(20):
        while ProcessIdentity.of(pid) is not None:
            await asyncio.sleep(0.01)


async def test_a_hung_child_is_killed_and_started_again(tmp_path: Path) -> None:
    answers = iter([True, True])

    async def probe() -> None:
        if not next(answers, False):
            await asyncio.Event().wait()

    watch = Watch(probe, every_seconds=0.01, deadline_seconds=0.01, failures=2)
    async with running(Instance(tmp_path, Child("engine", python(SLEEPS), watch=watch))) as instance:
        first = await instance.until(Change.STARTED)
        os.kill(first.pid, signal.SIGSTOP)
        assert (await instance.until(Change.HUNG)).pid == first.pid
        assert (await instance.until(Change.STARTED)).pid != first.pid


async def test_a_slow_start_is_not_a_hang(tmp_path: Path) -> None:
    asked = asyncio.Event()
    answers = iter([False] * 10)

    async def probe() -> None:
        if not next(answers, True):
            raise ConnectionRefusedError
        asked.set()

    watch = Watch(probe, every_seconds=0.001, deadline_seconds=1, failures=2, grace_seconds=3600)
    async with running(Instance(tmp_path, Child("engine", python(SLEEPS), watch=watch))) as instance:
        async with asyncio.timeout(20):
            await asked.wait()
        assert [change for _, change in instance.rest()] == [Change.STARTED]


async def test_two_on_one_folder_is_a_clear_error(tmp_path: Path) -> None:
    async with running(Instance(tmp_path, Child("engine", python(SLEEPS)))) as instance:
        await instance.until(Change.STARTED)
        with pytest.raises(SupervisorError, match=rf"另一个 hotline up（进程 {os.getpid()}）"):
            await Instance(tmp_path).supervisor.run(signals=False)


async def test_a_folder_that_cannot_be_made_is_a_sentence() -> None:
    with pytest.raises(SupervisorError, match="无法建立目录 /proc/"):
        await Instance(Path("/proc/none")).supervisor.run(signals=False)


@pytest.fixture
async def killed_supervisor(tmp_path: Path) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """Runs a supervisor with both kinds of children in a process of its own, kills it, gives the children's pids."""
    code = f"""
import asyncio, pathlib
from setup.process.supervisor import Child, Orphan, Supervisor
tell = lambda event: print(event.name, event.pid, flush=True)
argv = {python(SLEEPS)!r}
children = [Child("asterisk", argv, orphan=Orphan.LIVES), Child("engine", argv)]
folder = pathlib.Path({str(tmp_path)!r})
asyncio.run(Supervisor(children, run_dir=folder / "run", log_dir=folder / "log", on_event=tell).run())
"""
    pids: dict[str, int] = {}

    async def kill() -> dict[str, int]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
        )
        assert process.stdout is not None
        async with asyncio.timeout(20):
            while len(pids) < 2:
                name, pid = (await process.stdout.readline()).split()
                pids[name.decode()] = int(pid)
            process.kill()
            await process.wait()
        return pids

    yield kill
    for pid in pids.values():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


async def test_when_the_supervisor_is_killed_the_switch_lives_on_and_is_adopted(
    tmp_path: Path, killed_supervisor: Callable[[], Awaitable[dict[str, int]]]
) -> None:
    pids = await killed_supervisor()
    await gone(pids["engine"])
    assert ProcessIdentity.of(pids["asterisk"]) is not None

    asterisk = Child("asterisk", python(SLEEPS), orphan=Orphan.LIVES)
    async with running(Instance(tmp_path, asterisk, Child("engine", python(SLEEPS)))) as instance:
        assert (await instance.until(Change.ADOPTED, "asterisk")).pid == pids["asterisk"]
        os.kill(pids["asterisk"], signal.SIGKILL)
        await instance.until(Change.ENDED, "asterisk")
        assert (await instance.until(Change.STARTED, "asterisk")).pid != pids["asterisk"]


async def test_a_switch_started_as_something_else_is_replaced(
    tmp_path: Path, killed_supervisor: Callable[[], Awaitable[dict[str, int]]]
) -> None:
    pids = await killed_supervisor()
    other = Child("asterisk", python(SLEEPS), orphan=Orphan.LIVES, fingerprint="other configuration")
    async with running(Instance(tmp_path, other)) as instance:
        assert (await instance.until(Change.REPLACED, "asterisk")).pid == pids["asterisk"]
        assert (await instance.until(Change.STARTED, "asterisk")).pid != pids["asterisk"]
        assert ProcessIdentity.of(pids["asterisk"]) is None


def test_a_pid_file_of_a_process_that_is_gone_counts_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "engine.child.json"
    assert ProcessIdentity.load(path) is None
    own = ProcessIdentity.of(os.getpid())
    assert own is not None
    own.save(path)
    assert ProcessIdentity.load(path) == own
    ProcessIdentity(own.pid, own.started_ticks + 1, own.boot).save(path)  # the pid is another's now
    assert ProcessIdentity.load(path) is None
    path.write_text("[]", encoding="utf-8")
    assert ProcessIdentity.load(path) is None


def test_a_long_log_is_moved_aside_under_its_writer(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    with path.open("a", encoding="utf-8") as writer:
        writer.write("x" * 100)
        writer.flush()
        trim_log(path, longest=99)
        writer.write("y")
    assert path.read_text(encoding="utf-8") == "y"
    assert (tmp_path / "engine.log.1").stat().st_size == 100
