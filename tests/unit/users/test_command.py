"""``hotline users``: the first admin is made on the command line, and no password is ever a default."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.commands import audit, users

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "")


def run(*words: str, code: int = 0) -> str:
    told = CliRunner().invoke(users.app, list(words))
    assert told.exit_code == code, told.output
    return told.output


def data(*words: str) -> Any:
    said = run(*words, "--json")
    return json.loads("\n".join(line for line in said.splitlines() if " audit " not in line))  # the log, in a process


def test_the_life_of_a_user_from_the_shell() -> None:
    assert "先建管理员" in run("list")
    first = data("add", "zhangsan", "--name", "张三", "--role", "admin", "--reason", "第一个管理员")["password"]
    assert first != data("reset", "zhangsan")["password"]
    run("add", "lisi", "--name", "李四", "--role", "agent", "--agent", "1001")
    run("role", "lisi", "--role", "agent", "--role", "supervisor")
    run("disable", "lisi")
    assert [(row["user"], row["roles"], row["disabled"], row["must_change"]) for row in data("list")] == [
        ("lisi", ["agent", "supervisor"], True, True),
        ("zhangsan", ["admin"], False, True),
    ]
    run("enable", "lisi")
    run("unlock", "lisi")
    run("end-sessions", "lisi")
    assert "没有人登录着" in run("sessions")
    assert "最后一个管理员" in run("disable", "zhangsan", code=1)
    told = CliRunner().invoke(audit.app, ["list", "--json"])
    assert [entry["action"] for entry in json.loads(told.output)] == [
        "users.add", "users.reset", "users.add", "users.role", "users.disable", "users.enable", "users.unlock",
        "users.end-sessions",
    ]  # fmt: skip
    assert CliRunner().invoke(audit.app, ["verify"]).exit_code == 0


def test_a_program_s_token_is_given_listed_and_revoked() -> None:
    token = data("client-add", "大厅大屏", "--right", "live.read")["token"]
    (row,) = data("clients")
    assert (row["rights"], row["revoked_at"]) == (["live.read"], None)
    assert token.partition(".")[2] not in str(row)
    run("client-revoke", row["id"])
    assert data("clients")[0]["revoked_at"] is not None
    run("client-add", "坏", "--right", "users", code=2)
