"""Another user of the same machine reads nothing of what the hotline keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import ROOT

pytestmark = pytest.mark.unit


def test_what_a_command_writes_is_the_owner_s_alone(tmp_path: Path) -> None:
    home = tmp_path / "data"
    subprocess.run(
        [sys.executable, "-m", "cli.main", "db", "upgrade"],
        env=os.environ | {"HOTLINE_DATA_DIR": str(home), "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        umask=0o022,
        check=True,
        capture_output=True,
    )
    written = [home, *home.rglob("*")]
    assert len(written) > 1
    assert [path for path in written if path.stat().st_mode & 0o077] == []
