"""A forked ``hotline`` is like one that was started: words, exit status, environment, signals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import ROOT
from tests.support.warm import forked

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("arguments", [["--help"], ["calls", "--no-such-option"], ["no-such-command"]])
async def test_it_says_and_returns_what_a_started_one_does(arguments: list[str], tmp_path: Path) -> None:
    process = await forked(arguments, os.environ, tmp_path / "output")
    status = await process.wait()
    started = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments], cwd=ROOT, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert (status, (tmp_path / "output").read_bytes()) == (started.returncode, started.stdout)
    assert process.returncode == status


async def test_it_has_the_environment_it_was_given(tmp_path: Path) -> None:
    wrong = os.environ | {"HOTLINE_SIP_PORT": "no number"}
    process = await forked(["status"], wrong, tmp_path / "output")
    assert await process.wait() == 2
    assert "HOTLINE_SIP_PORT" in (tmp_path / "output").read_text()


async def test_it_can_be_killed_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "output")  # it waits there for somebody who reads
    process = await forked(["status"], os.environ, tmp_path / "output")
    process.kill()
    assert await process.wait() == -9
    assert process.returncode == -9
    with pytest.raises(ProcessLookupError):
        process.kill()
