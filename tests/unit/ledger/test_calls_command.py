"""``hotline calls``, as an operator uses it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from cli.commands.calls import app
from database.connection import open_database
from database.schema import upgrade
from ledger.journal import Journal
from ledger.model import Fact, Kind
from ledger.store import CallRow, add_facts
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = "hl1-1700000000.1"
AT = datetime(2026, 1, 1, 1, tzinfo=UTC)


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    monkeypatch.chdir(tmp_path)

    async def write() -> None:
        await upgrade(f"sqlite:///{tmp_path}/hotline.db")
        journal = Journal(tmp_path / "journal")
        journal.start()
        journal.note(Kind.ENTERED, CallId(CALL), {"number": "12333", "caller": "13800001234"}, at=AT)
        journal.note(Kind.ENDED, CallId(CALL), {"cause": 16, "by": "caller"}, at=AT + timedelta(seconds=5))
        await journal.stop()

    asyncio.run(write())
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


def as_before(call: str) -> dict[str, Any]:
    """The row that an earlier version made of it."""
    nothing = dict.fromkeys(
        (
            "number",
            "caller",
            "caller_end",
            "group_id",
            "agent",
            "seat",
            "answered_by",
            "mode",
            "rule",
            "ended_by",
            "wrap_up_code",
        ),
        "",
    )
    times = {"entered_at": AT + timedelta(minutes=1), "ended_at": AT + timedelta(minutes=1)}
    return {**nothing, **times, "call_id": call, "end_cause": "17", "transfers": [], "source": "cel"}


@pytest.mark.usefixtures("settled")
def test_the_story_is_told_with_the_engine_stopped() -> None:
    for call in (CALL, "last"):
        code, text = run("show", call)
        assert code == 0
        assert text.splitlines() == [
            f"呼叫 {CALL}，2026-01-01 09:00:00",
            "00:00.0 来电 138****1234 拨打 12333",
            "00:05.0 来电人挂机（原因 16 正常）",
        ]


@pytest.mark.usefixtures("settled")
def test_programs_get_json() -> None:
    code, text = run("show", CALL, "--json", "--reveal")
    assert code == 0
    assert json.loads(text)["caller"] == "13800001234"
    code, text = run("list", "--json")
    assert [row["call"] for row in json.loads(text)] == [CALL]


@pytest.mark.usefixtures("settled")
def test_listing_is_filtered_by_the_citys_days() -> None:
    assert "138****1234 → 12333" in run("list", "--since", "2026-01-01", "--until", "2026-01-01")[1]
    assert run("list", "--since", "2026-01-02") == (0, "没有符合条件的来电\n")
    assert "未接听" in run("list", "--number", "12333")[1]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("show", "hl1-1700000000.99"), 1, "流水里没有呼叫"),
        (("show", "'; DROP TABLE"), 2, "不是呼叫编号"),
        (("list", "--since", "yesterday"), 2, "不是时间"),
    ],
)
def test_faults_say_what_to_do(words: tuple[str, ...], code: int, said: str) -> None:
    result = run(*words)
    assert result[0] == code
    assert said in result[1]


def test_without_tables_the_journal_still_tells(settled: Path) -> None:
    for file in settled.glob("hotline.db*"):
        file.unlink()
    code, text = run("show", CALL)
    assert code == 3, "an answer, but not the whole of it"
    assert "db upgrade" in text
    assert "来电 138****1234 拨打 12333" in text
    assert run("list")[0] == 3
    assert run("list", "--json")[0] == 3


def test_calls_that_we_made_are_taken_out_of_past_figures_and_the_command_says_what_changed(settled: Path) -> None:
    ours = ("hl1-1700000000.8000000017", "hl1-1700000000.9")

    async def write() -> None:
        database = open_database(f"sqlite:///{settled}/hotline.db")
        phantoms = [
            Fact(f"cel-{call}-{kind}", kind, CallId(call), AT + timedelta(minutes=1), data, "cel")
            for call in ours
            for kind, data in ((Kind.ENTERED, {"number": "", "caller": ""}), (Kind.ENDED, {"cause": "17"}))
        ]
        real = [
            Fact("1", Kind.ENTERED, CallId(CALL), AT, {"number": "12345", "caller": "13800001234"}),
            Fact("2", Kind.ANSWERED, CallId(CALL), AT, {"agent": "1001", "seat": "8001"}),
            Fact("3", Kind.ENDED, CallId(CALL), AT, {"cause": "16"}),
        ]
        async with database.transaction() as session:
            await add_facts(session, [*phantoms, *real])
            await session.execute(insert(CallRow), [as_before(call) for call in ours[:1]])
        await database.close()

    asyncio.run(write())
    code, text = run("repair")
    assert code == 0
    assert "2026-01-01：来电 3 → 1，接通率 33.3% → 100.0%" in text
    assert "什么都没有改" in text
    assert "2 通" in run("repair", "--reason", "值班电话误计", "--as", "张三")[1]
    assert run("repair") == (0, "没有误计为来电的系统呼出\n")
    assert [row["call"] for row in json.loads(run("list", "--json")[1])] == [CALL]
