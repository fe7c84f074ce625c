"""``hotline measures``, on both databases, beside what is only in the journal."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.commands import measures
from cli.commands.queues import app as queues
from database.connection import open_database
from database.schema import upgrade
from ledger.journal import Journal
from ledger.measures import AgentTime
from ledger.measures import told as told_time
from ledger.model import NO_CALL, Fact, Kind
from ledger.store import add_facts
from telephony.model import AgentId, GroupId
from tests.unit.ledger.calls import AT, told

pytestmark = pytest.mark.unit

WORKED = AgentTime(AgentId("1001"), AT, (GroupId("general"),), {"ready": 600_000, "talking": 200_000}, 1, 20_000)


@pytest.fixture
def ledger(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two calls in the database, a third only in the journal, one of the day before, and half an hour of work."""
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", database_url)
    monkeypatch.setenv("HOTLINE_CONFIG", "")

    async def write() -> None:
        await upgrade(database_url)
        database = open_database(database_url)
        async with database.transaction() as session:
            await add_facts(session, [*told(1, wait=3), *told(2, 60, wait=None), *told(9, -10 * 3600)])
            worked = Fact("agent-1", Kind.AGENT_TIME, NO_CALL, AT + timedelta(minutes=30), told_time(WORKED))
            await add_facts(session, [worked])
        await database.close()
        journal = Journal(tmp_path / "journal")
        journal.start()
        for fact in told(3, 2000, wait=4, number="12333", group="social-security", agent="1002"):
            journal.append(fact)
        await journal.stop()

    asyncio.run(write())
    return tmp_path


def run(*words: str) -> Any:
    import typer

    app = typer.Typer()
    app.command()(measures.command)
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("ledger")
def test_measures_of_a_day_from_database_and_journal() -> None:
    told = json.loads(run("--day", "2026-10-10", "--json"))
    whole = told["all"]
    assert (whole["calls"], whole["answered"], whole["abandoned"], told["complete"]) == (3, 2, 1, True)
    assert whole["connection_rate"] == pytest.approx(2 / 3)
    assert whole["in_time_from_ring"] == pytest.approx(2 / 3)
    assert (whole["occupancy"], whole["wrap_up_seconds"]) == (0.25, 20)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("by", "calls"),
    [
        ("group", {"general": 2, "social-security": 1}), ("number", {"12333": 1, "12345": 2}),
        ("agent", {"1001": 1, "1002": 1}), ("half-hour", {"09:00": 2, "09:30": 1}),
    ],
)  # fmt: skip
def test_measures_told_apart(by: str, calls: dict[str, int]) -> None:
    told = json.loads(run("--day", "2026-10-10", "--by", by, "--json"))
    assert {key: part["calls"] for key, part in told["parts"].items()} == calls


@pytest.mark.usefixtures("ledger")
def test_the_table_says_whether_the_city_s_aim_is_reached() -> None:
    text = run("--day", "2026-10-10", "--by", "group")
    assert "接通率 66.7%，未达到本市目标 95%" in text
    assert "social-security" in text


@pytest.mark.usefixtures("ledger")
def test_the_day_before_has_its_own_call() -> None:
    assert json.loads(run("--day", "2026-10-09", "--json"))["all"]["calls"] == 1
    assert "没有座席工时记录" in run("--day", "2026-10-09")


def queue(*words: str) -> Any:
    return CliRunner().invoke(queues, list(words))


@pytest.mark.usefixtures("ledger")
def test_a_past_day_of_the_ledger_is_simulated_with_more_seats() -> None:
    result = queue(
        "simulate", "--arrivals", "ledger", "--day", "2026-10-10", "--seats", "1", "--seats", "social-security=1",
        "--more", "2", "--runs", "3", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [floor["calls"]["mean"] for floor in told["floors"].values()] == [3, 3]
    assert set(told["groups"]) == {"general", "social-security"}


@pytest.mark.usefixtures("ledger")
def test_staffing_learns_from_the_same_weekday_of_past_weeks() -> None:
    result = queue("staffing", "--day", "2026-10-17", "--weeks", "2", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["handling_seconds"] == 73  # a talk of 60 s, 10 s of wrap-up and 3 s of ringing
    busy = {row["start"]: (row["calls"], row["seats"]) for row in told["rows"] if row["calls"]}
    assert busy == {"09:00": (2.0, 2), "09:30": (1.0, 1)} or busy.keys() == {"09:00", "09:30"}


@pytest.mark.usefixtures("ledger")
def test_a_day_without_calls_is_a_sentence() -> None:
    for words in (
        ("simulate", "--arrivals", "ledger", "--day", "2026-01-01"), ("staffing", "--day", "2026-01-01"),
    ):  # fmt: skip
        result = queue(*words)
        assert result.exit_code == 2
        assert "没有来电" in result.stderr
