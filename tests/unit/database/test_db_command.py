from __future__ import annotations

import pytest
from typer.testing import CliRunner

from cli.commands.db import app

pytestmark = pytest.mark.unit


def run(command: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [command])
    return result.exit_code, result.stdout.strip(), result.stderr.strip()


def test_check_upgrade_check(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", database_url)
    code, out, _ = run("check")
    assert (code, "./hotline db upgrade" in out) == (1, True)
    code, out, _ = run("upgrade")
    assert (code, out.endswith("与程序一致")) == (0, True)
    assert run("check") == (0, out, "")


def test_a_database_out_of_reach_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "postgresql://hotline:geheim@127.0.0.1:1/hotline")
    code, out, err = run("check")
    assert (code, out) == (2, "")
    assert err.startswith("连不上数据库 127.0.0.1:1/hotline")
    assert "geheim" not in err
