"""``hotline reports``: on the terminal, as data, as a file; and what it refuses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from cli.main import main
from database.connection import open_database
from database.schema import upgrade
from ledger.store import add_facts
from routing.publish import publish_draft
from routing.sample_table import sample_table
from routing.service import load_rows
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    url = f"sqlite:///{tmp_path}/hotline.db"

    async def prepared() -> None:
        await upgrade(url)
        database = open_database(url)
        await load_rows(database, sample_table())
        await publish_draft(database, tmp_path, "测试", "测试")
        async with database.transaction() as session:
            await add_facts(session, [*told(1), *told(2, number="12315", wait=None)])
        await database.close()

    asyncio.run(prepared())
    return tmp_path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["reports", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_month_on_the_terminal_and_as_a_file(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--month", "2026-10", "--xlsx", str(instance / "月报.xlsx")) == 0
    out = capsys.readouterr().out
    assert "2026年10月 话务报表（按号码）" in out
    assert "50.0%" in out
    assert "上期（2026年9月）" in out
    assert load_workbook(instance / "月报.xlsx").sheetnames[0] == "按号码"


def test_the_same_as_data(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--since", "2026-10-10", "--until", "2026-10-10", "--by", "day", "--json") == 0
    told_ = json.loads(capsys.readouterr().out)
    assert [(line["key"], line["calls"]) for line in told_["lines"]] == [("2026-10-10", 2)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--month", "10"), "例如 2026-11"),
        (("--since", "2026-10-01"), "要一起写"),
        (("--month", "2026-10", "--since", "2026-10-01"), "只写一种"),
        (("--month", "2026-10", "--xlsx", "/proc/报表.xlsx"), "写不进去"),
    ],
)
def test_what_cannot_be_done_is_said(
    instance: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    assert run(*arguments) == 2
    assert says in capsys.readouterr().err


def test_a_database_that_is_gone_is_no_empty_report(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (instance / "hotline.db").unlink()
    assert run("--month", "2026-10") == 1
    assert "数据库" in capsys.readouterr().err


def test_names_are_those_of_the_table(instance: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (name,) = (row.name for row in sample_table().numbers if row.number == "12315")
    assert run("--month", "2026-10") == 0
    assert name in capsys.readouterr().out
