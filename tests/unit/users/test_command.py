"""``hotline users``: the first admin is made on the command line, and no password is ever a default."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands import audit, users
from config.settings import load_settings
from database.connection import open_database
from tests.unit.users.people import PASSWORD, ROOT
from users.accounts import Accounts
from users.passwords import Hashing

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
    assert first != data("reset", "zhangsan")["password"]  # nobody else is there yet
    run("add", "lisi", "--name", "李四", "--role", "agent", "--agent", "1001")
    assert "申请 3 已提出" in run("role", "lisi", "--role", "agent", "--role", "supervisor")
    run("role", "lisi", "--role", "agent", "--role", "supervisor", "--alone", "--reason", "试点")
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
        "users.add", "approvals.alone", "users.reset", "approvals.alone", "users.add", "approvals.ask", "users.role",
        "approvals.alone", "users.disable", "users.enable", "users.unlock", "users.end-sessions",
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


def test_a_second_person_agrees_with_his_own_password() -> None:
    run("add", "anna", "--name", "甲", "--role", "admin")
    first = data("add", "bert", "--name", "乙", "--role", "admin", "--alone")["password"]
    asked = data("add", "boss", "--name", "班长", "--role", "supervisor", "--reason", "新班长")["waits"]["id"]
    assert "待核准" in run("approvals")
    refused = CliRunner().invoke(users.app, ["approve", str(asked), "--user", "bert"], input="wrong wrong wrong\n")
    assert (refused.exit_code, "不对" in refused.output) == (1, True)
    refused = CliRunner().invoke(users.app, ["approve", str(asked), "--user", "bert"], input=f"{first}\n")
    assert (refused.exit_code, "没有核准的权限" in refused.output) == (1, True), "a password that another has set"
    asyncio.run(_choose("bert", first))
    agreed = CliRunner().invoke(users.app, ["approve", str(asked), "--user", "bert"], input=f"{PASSWORD}\n")
    assert agreed.exit_code == 0, agreed.output
    assert data("carry-out", str(asked))["user"] == "boss"
    run("carry-out", str(asked), code=1)


async def _choose(name: str, first: str) -> None:
    settings = load_settings()
    database, hashing = open_database(settings.database_url), Hashing()
    await Accounts(database, settings.data_dir, hashing).change_password(name, first, PASSWORD, ROOT)
    hashing.stop()
    await database.close()
