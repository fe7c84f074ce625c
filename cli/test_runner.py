"""``hotline test``: style, types, import contracts and every tier of tests, side by side.

Tests of real time mostly wait, so three workers share two cores; what only computes runs beside them at a lower
priority and fills their waiting. Tests that measure time, fill a disk or load the machine come last, alone. Which test
is which is said in tests/support/groups.py. It is only there in a development environment (``./hotline test`` sets
one up).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import IO, Final

from asterisk_conf.bundle import BundleError, find_asterisk
from config.settings import ROOT

BIN: Final = Path(sys.executable).parent
PAGES: Final = ROOT / "console" / "app"
PAGE_CHECKS: Final = (
    ("类型（vue-tsc）", ("node_modules/.bin/vue-tsc", "--noEmit")),
    ("风格（eslint）", ("node_modules/.bin/eslint", ".")),
    ("单元测试（vitest）", ("node_modules/.bin/vitest", "run")),
)
STOP_SECONDS: Final = 30.0
"""How long an interrupted test run may take to end its servers."""
LOOK_SECONDS: Final = 0.2
"""Pause between two looks at what a check has written."""

INTERRUPTED: Final = 130
NO_TESTS: Final = 5
"""pytest's exit status when it ran none."""
MAX_SECOND_TRIES: Final = 10
"""Of a whole run; as in tests/support/groups.py, for each of its parts."""

ASIDE: Final = ("nice", "-n", "15")
"""For what must not slow down tests of real time."""
SELECTING: Final = re.compile(r"-[mk].*|--durations.*|-[vq]+")
"""Arguments with which pytest can still be divided: they only choose tests, or show more of them."""
_CLOSING: Final = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_SECOND_TRY: Final = re.compile(r"^=+ second try: .*? =+\n.*?(?=^=+ .*? =+$|\Z)", re.MULTILINE | re.DOTALL)
"""A section of tests/conftest.py, to the next line of that kind."""
_COLOUR: Final = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Stage:
    """One check."""

    name: str
    argv: tuple[str, ...]
    shown: bool = False
    """Whether its output is shown as it comes; otherwise only when it fails, or at its end when it is pytest's."""
    counted: bool = False
    """Whether it is a pytest run, whose closing line counts tests."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended."""

    stage: Stage
    status: int
    seconds: float
    tests: Counter[str] = field(default_factory=Counter)
    """What pytest's closing line says: passed, failed, rerun …"""
    second_tries: tuple[str, ...] = ()
    """Of each test that needed one its name and its first failure in full."""


def checks() -> tuple[Stage, ...]:
    """Everything that starts no product, the quick ones first."""
    return (
        Stage("代码风格（ruff）", (*ASIDE, str(BIN / "ruff"), "check", "--quiet", ".")),
        Stage("代码格式（ruff format）", (*ASIDE, str(BIN / "ruff"), "format", "--check", ".")),
        Stage("引用关系（import-linter）", (*ASIDE, str(BIN / "lint-imports"))),
        Stage("类型（mypy）", (*ASIDE, str(BIN / "mypy"))),
        *(Stage(f"网页的{name}", (*ASIDE, "env", "-C", str(PAGES), *argv)) for name, argv in PAGE_CHECKS),
    )


def pytest_runs(pytest_arguments: Sequence[str]) -> tuple[tuple[Stage, ...], ...]:
    """The pytest runs: those of one tuple side by side, one tuple after the other.

    Arguments that only choose by mark or name are given to each; with any others pytest runs once, undivided.
    """
    pytest = (sys.executable, "-m", "pytest", *(("--color=yes",) if sys.stdout.isatty() else ()))
    if not _only_selects(pytest_arguments):
        return ((Stage("测试（pytest）", (*pytest, *pytest_arguments), shown=True, counted=True),),)

    def group(name: str, *how: str) -> tuple[str, ...]:
        return (*pytest, f"--group={name}", *how, *pytest_arguments)

    by_module = ("--dist=loadfile", "--no-loadscope-reorder")
    return (
        (
            Stage("实时测试（pytest）", group("real-time", "-n3", *by_module), shown=True, counted=True),
            Stage("计算测试（pytest）", (*ASIDE, *group("computing", "-n2", *by_module)), counted=True),
        ),
        (Stage("独占测试（pytest）", group("exclusive"), shown=True, counted=True),),
    )


def _only_selects(arguments: Sequence[str]) -> bool:
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if not SELECTING.fullmatch(word):
            return False
        if word in ("-m", "-k", "--durations"):
            rest[:1] = []
    return True


def run_checks(pytest_arguments: Sequence[str], report: Callable[[str], None]) -> int:
    """Run every check, even after one has failed; 0 when all passed, 130 when interrupted."""
    started = monotonic()
    runner = Runner(report)
    with _termination_as_interrupt():
        try:
            asterisk = find_asterisk(report)
        except BundleError as error:
            report(f"没有可用的 Asterisk：{error}")
            return 1
        report(f"Asterisk {asterisk.version}")
        first, *others = pytest_runs(pytest_arguments)
        try:
            outcomes = runner.side_by_side(checks(), *((stage,) for stage in first))
            for stages in others:
                outcomes += runner.side_by_side(stages)
        except KeyboardInterrupt:
            report("已中断。")
            return INTERRUPTED
    report("")
    for failure in (text for outcome in outcomes for text in outcome.second_tries):
        report(failure)
    passed = judge(outcomes, bool(pytest_arguments), report)
    report(closing_line(outcomes, monotonic() - started))
    return int(not passed)


def judge(outcomes: Sequence[Outcome], some_only: bool, report: Callable[[str], None]) -> bool:
    """Tell how each check ended; whether all passed.

    ``some_only``: tests were chosen, so a part of the run may be without any, but not all of them.
    """
    passed = True
    for outcome in outcomes:
        without = some_only and outcome.stage.counted and outcome.status == NO_TESTS
        ran = not outcome.stage.counted or some_only or outcome.tests["passed"] > 0
        good = without or (outcome.status == 0 and ran)
        passed &= good
        word = "没有选中测试" if without else "通过" if good else "失败"
        report(f"{word}  {outcome.stage.name}  {outcome.seconds:.0f} 秒")
    if all(outcome.status == NO_TESTS for outcome in outcomes if outcome.stage.counted):
        report("失败  没有任何测试运行")
        passed = False
    again = sum(outcome.tests["rerun"] for outcome in outcomes)
    if again > MAX_SECOND_TRIES:
        report(f"失败  {again} 个测试要第二次才通过，最多允许 {MAX_SECOND_TRIES} 个")
        passed = False
    return passed


def closing_line(outcomes: Iterable[Outcome], seconds: float) -> str:
    """The sum of all pytest runs as pytest says it."""
    total: Counter[str] = sum((outcome.tests for outcome in outcomes), Counter())
    order = ("failed", "passed", "skipped", "deselected", "xfailed", "xpassed", "error", "errors", "warnings", "rerun")
    words = [f"{total[word]} {word}" for word in order if total[word] and word != "deselected"]
    minutes = f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"
    return f"===== {', '.join(words) or 'no tests ran'} in {seconds:.2f}s ({minutes}) ====="


class Runner:
    """Runs checks side by side, and ends them all when it is interrupted."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = Lock()
        self._stopped = False

    def side_by_side(self, *lanes: Sequence[Stage]) -> list[Outcome]:
        """Each lane one stage after another, all lanes at once. An interrupt gives them time to clean up."""
        with ThreadPoolExecutor(len(lanes)) as threads:
            begun = [threads.submit(self._lane, lane) for lane in lanes]
            try:
                return [outcome for lane in begun for outcome in lane.result()]
            except KeyboardInterrupt:
                self._stop()
                raise

    def _lane(self, lane: Sequence[Stage]) -> list[Outcome]:
        return [self.run(stage) for stage in lane]

    def run(self, stage: Stage) -> Outcome:
        """Run one check to its end."""
        started = monotonic()
        # A session of its own: it hears of a Ctrl-C from us, exactly once; and of our own end from the kernel.
        setpriv = shutil.which("setpriv")
        argv = [setpriv, "--pdeathsig", "INT", *stage.argv] if setpriv else stage.argv
        # A file, for a pipe would stay open as long as any process that a test left behind.
        with tempfile.TemporaryFile() as written:
            with self._lock:
                if self._stopped:
                    return Outcome(stage, INTERRUPTED, 0)
                process = subprocess.Popen(
                    argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=written, stderr=subprocess.STDOUT,
                    start_new_session=True,
                )  # fmt: skip
                self._running.add(process)
            self._report(f"{stage.name}……")
            text = self._follow(process, written, stage.shown)
            self._running.discard(process)
        seconds = monotonic() - started
        if not stage.shown and (process.returncode or stage.counted) and not self._stopped:
            self._report(f"\n{stage.name}：\n{text}")
        elif not stage.shown:
            self._report(f"{stage.name} 通过，{seconds:.0f} 秒")
        if not stage.counted:
            return Outcome(stage, process.returncode, seconds)
        return Outcome(stage, process.returncode, seconds, counts(text), second_tries(text))

    def _follow(self, process: subprocess.Popen[bytes], written: IO[bytes], shown: bool) -> str:
        """What it wrote, shown as it comes when that is wanted."""
        seen, ended = 0, False
        while not ended:
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
                ended = True
            if shown:
                new = _read(written, seen)
                seen += len(new)
                sys.stdout.buffer.write(new)
                sys.stdout.flush()
        return _read(written, 0).decode(errors="replace")

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
        for process in (running := list(self._running)):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
        until = monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, until - monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def counts(text: str) -> Counter[str]:
    """What the closing line of a pytest run counts."""
    lines = _CLOSING.findall(_COLOUR.sub("", text))
    words = [part.split() for part in lines[-1].split(", ")] if lines else []
    return Counter({word: int(number) for number, word in words})


def second_tries(text: str) -> tuple[str, ...]:
    """What a pytest run tells of tests that failed at first, one text each."""
    return tuple(section.rstrip() for section in _SECOND_TRY.findall(_COLOUR.sub("", text)))


def _read(file: IO[bytes], start: int) -> bytes:
    """Without moving the place at which the process writes."""
    found = b""
    while piece := os.pread(file.fileno(), 1 << 20, start + len(found)):
        found += piece
    return found


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM and SIGHUP mean the same as Ctrl-C: clean up, then end."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    former = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
