"""Pages of the bench tell when the call path has changed since they were measured; without history nothing is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bench.stale import CALL_PATH, ROOT, stale

pytestmark = pytest.mark.unit


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    done = subprocess.run(["git", "-C", str(root), *who, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root: Path, path: str, text: str) -> str:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", path)
    return git(root, "rev-parse", "--short=9", "HEAD")


def test_a_page_is_stale_once_the_call_path_has_changed(tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    git(tmp_path, "init", "-q")
    measured = commit(tmp_path, "queues/rules.py", "1")
    (pages / "live.json").write_text(json.dumps({"machine": {"commit": measured}}))
    (pages / "old.json").write_text(json.dumps({"machine": {}}))
    assert list(stale(tmp_path, pages)) == ["old.json: does not say at which commit it was measured"]
    commit(tmp_path, "console/control_api.py", "1")
    assert len(list(stale(tmp_path, pages))) == 1
    commit(tmp_path, "queues/rules.py", "2")
    assert f"live.json: measured at {measured}, 1 changes of the call path ago" in list(stale(tmp_path, pages))


def test_without_history_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    assert list(stale(tmp_path, tmp_path)) == []


def test_what_is_called_the_call_path_exists() -> None:
    assert [path for path in CALL_PATH if not (ROOT / path).exists()] == []
