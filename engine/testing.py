"""``hotline test``: style, types, import contracts, then every tier of tests.

One job: run the checks one after another, show what takes long, and sum up. It is only there in a development
environment (``./hotline test`` sets one up).
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from asterisk_conf.bundle import BundleError, find_asterisk
from engine.settings import ROOT

BIN: Final = Path(sys.executable).parent
PAGES: Final = ROOT / "console" / "app"
PAGE_CHECKS: Final = (
    ("类型（vue-tsc）", ("node_modules/.bin/vue-tsc", "--noEmit")),
    ("风格（eslint）", ("node_modules/.bin/eslint", ".")),
    ("单元测试（vitest）", ("node_modules/.bin/vitest", "run")),
)
STOP_SECONDS: Final = 30.0
"""How long an interrupted test run may take to end its servers."""

INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Stage:
    """One check."""

    name: str
    argv: tuple[str, ...]
    shown: bool = False
    """Whether its output is shown as it comes; otherwise only when it fails."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one check ended."""

    name: str
    status: int
    seconds: float


def stages(pytest_arguments: Sequence[str]) -> tuple[Stage, ...]:
    """All checks, the quick ones first."""
    return (
        Stage("代码风格（ruff）", (str(BIN / "ruff"), "check", "--quiet", ".")),
        Stage("代码格式（ruff format）", (str(BIN / "ruff"), "format", "--check", ".")),
        Stage("类型（mypy）", (str(BIN / "mypy"),)),
        Stage("引用关系（import-linter）", (str(BIN / "lint-imports"),)),
        *(Stage(f"网页的{name}", ("env", "-C", str(PAGES), *argv)) for name, argv in PAGE_CHECKS),
        Stage("测试（pytest）", (sys.executable, "-m", "pytest", *pytest_arguments), shown=True),
    )


def run_checks(pytest_arguments: Sequence[str], report: Callable[[str], None]) -> int:
    """Run every check, even after one has failed; 0 when all passed, 130 when interrupted."""
    with _termination_as_interrupt():
        try:
            asterisk = find_asterisk(report)
        except BundleError as error:
            report(f"没有可用的 Asterisk：{error}")
            return 1
        report(f"Asterisk {asterisk.version}")
        outcomes: list[Outcome] = []
        try:
            for stage in stages(pytest_arguments):
                report(f"{stage.name}……")
                outcomes.append(run_stage(stage, report))
        except KeyboardInterrupt:
            report("已中断。")
            return INTERRUPTED
    report("")
    for outcome in outcomes:
        report(f"{'通过' if outcome.status == 0 else '失败'}  {outcome.name}  {outcome.seconds:.0f} 秒")
    return int(any(outcome.status for outcome in outcomes))


def run_stage(stage: Stage, report: Callable[[str], None]) -> Outcome:
    """Run one check to its end. On an interrupt it is given time to clean up before KeyboardInterrupt is raised."""
    started = monotonic()
    output = None if stage.shown else subprocess.PIPE
    # A session of its own: it hears of a Ctrl-C from us, exactly once; and of our own end from the kernel.
    setpriv = shutil.which("setpriv")
    argv = [setpriv, "--pdeathsig", "INT", *stage.argv] if setpriv else stage.argv
    with subprocess.Popen(
        argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            text, _ = process.communicate()
        except KeyboardInterrupt:
            _interrupt(process)
            raise
    if process.returncode and text:
        report(text.decode(errors="replace"))
    return Outcome(stage.name, process.returncode, monotonic() - started)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


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
