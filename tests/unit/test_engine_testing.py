import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.testing import Stage, run_stage, stages

pytestmark = pytest.mark.unit


def test_the_tests_come_last_and_take_the_arguments() -> None:
    assert stages(["-k", "routing"])[-1].argv[-4:] == ("-m", "pytest", "-k", "routing")


def test_a_quiet_check_is_heard_only_when_it_fails() -> None:
    said: list[str] = []
    good = run_stage(Stage("good", (sys.executable, "-S", "-c", "print('fine')")), said.append)
    assert (good.status, said) == (0, [])
    bad = run_stage(Stage("bad", (sys.executable, "-S", "-c", "print('wrong'); raise SystemExit(3)")), said.append)
    assert (bad.status, said) == (3, ["wrong\n"])


def test_a_terminated_run_lets_the_check_clean_up(tmp_path: Path) -> None:
    check = f"""
import pathlib, signal, sys
try:
    pathlib.Path({str(tmp_path / "ready")!r}).touch()
    print('ready', flush=True)
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path({str(tmp_path / "cleaned")!r}).touch()
"""
    code = f"""
import sys
from engine import testing
from engine.testing import Stage, _termination_as_interrupt, run_stage
with _termination_as_interrupt():
    try:
        run_stage(Stage("x", (sys.executable, "-S", "-c", {check!r}), shown=True), print)
    except KeyboardInterrupt:
        sys.exit(130)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait(20) == 130
    assert (tmp_path / "cleaned").exists()
