"""The matrix equals asking for each cell; two matrices differ where, and only where, decide does; a day asked again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.commands.routing import app
from database.schema import upgrade
from ledger.journal import Journal
from ledger.model import Kind
from routing.calendar import CITY
from routing.exchange.toml_text import write_toml
from routing.model import CallFacts, MergeMode, Snapshot, Table
from routing.replay import Past, replay
from routing.rules import decide
from routing.sample_table import sample_snapshot, sample_table
from routing.simulate import SLOT, SLOTS, UNKNOWN_NUMBER, compare, matrix, numbers_of, outcome_of, week_of
from routing.snapshot import freeze, write_snapshot
from telephony.model import CallId, GroupId
from tests.unit.routing.tables import DAYS, tables

pytestmark = pytest.mark.unit

SAMPLE = sample_snapshot()
WEEK = week_of(date(2026, 10, 1))
"""With the holidays of National Day in it."""


def frozen(table: Table, version: int = 1) -> Snapshot:
    return freeze(table, version, datetime(2026, 1, 1, tzinfo=UTC))


def edited(number: str, **changes: object) -> Table:
    table = sample_table()
    rows = tuple(replace(row, **changes) if row.number == number else row for row in table.numbers)  # type: ignore[arg-type]
    return replace(table, numbers=rows)


def test_a_week_begins_on_monday_at_midnight_in_the_city() -> None:
    assert WEEK.isoformat() == "2026-09-28T00:00:00+08:00"
    assert week_of(date(2026, 9, 28)) == WEEK == week_of(date(2026, 10, 4))


@pytest.mark.parametrize("snapshot", [SAMPLE, replace(SAMPLE, holidays={})], ids=["sample", "no holidays"])
def test_every_cell_of_the_sample_is_what_decide_says(snapshot: Snapshot) -> None:
    numbers = numbers_of(snapshot)
    found = matrix(snapshot, WEEK, numbers, ("", "13800138000"))
    assert {"12345", "110", "12333", UNKNOWN_NUMBER} <= set(numbers)
    for place, number in enumerate(numbers):
        for slot in range(SLOTS):
            told = outcome_of(decide(CallFacts(number, "13800138000"), snapshot, WEEK + SLOT * slot))
            assert found.at(place, 0, slot) == found.at(place, 1, slot) == told


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(tables(), DAYS, st.integers(0, SLOTS - 1))
def test_every_cell_of_random_tables_is_what_decide_says(table: Table, day: date, slot: int) -> None:
    snapshot = frozen(table)
    found = matrix(snapshot, week_of(day), numbers_of(snapshot))
    for place, number in enumerate(found.numbers):
        assert found.at(place, 0, slot) == outcome_of(decide(CallFacts(number), snapshot, found.start + SLOT * slot))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(tables(), tables(), DAYS)
def test_two_matrices_differ_exactly_where_decide_does(old: Table, new: Table, day: date) -> None:
    before, after = frozen(old), frozen(new)
    numbers, start = numbers_of(before, after), week_of(day)
    told = {
        (change.number, slot): (change.before, change.after)
        for change in compare(matrix(before, start, numbers), matrix(after, start, numbers))
        for slot in range(change.first, change.end)
    }
    for number in numbers:
        for slot in range(0, SLOTS, 5):
            moment = start + SLOT * slot
            pair = tuple(outcome_of(decide(CallFacts(number), one, moment)) for one in (before, after))
            assert told.get((number, slot), pair) == pair
            assert ((number, slot) in told) == (pair[0] != pair[1])


def test_matrices_of_different_cells_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not about the same"):
        list(compare(matrix(SAMPLE, WEEK, ["12345"]), matrix(SAMPLE, WEEK, ["12333"])))


def test_ten_thousand_numbers_need_few_decisions(monkeypatch: pytest.MonkeyPatch) -> None:
    table = sample_table()
    rows = tuple(replace(table.numbers[place % 14], number=str(80000000 + place)) for place in range(10_000))
    snapshot = frozen(replace(table, numbers=rows))
    asked = 0

    def counted(facts: CallFacts, of: Snapshot, now: datetime):  # type: ignore[no-untyped-def]
        nonlocal asked
        asked += 1
        return decide(facts, of, now)

    monkeypatch.setattr("routing.simulate.decide", counted)
    told: list[tuple[int, int]] = []
    found = matrix(snapshot, WEEK, numbers_of(snapshot), tell=lambda done, total: told.append((done, total)))
    assert len(found.lines) == 10_006
    assert asked < 2 * len(found.lines), "one decision for each state of a number, not for each of 336 half-hours"
    assert told[0] == (0, 10_006)
    assert told[-1] == (10_006, 10_006)


# Yesterday's calls


def past(number: str, at: str, call: str = "c", version: int | None = 1) -> Past:
    return Past(call, number, "13800138000", datetime.fromisoformat(at).replace(tzinfo=CITY), version)


def test_a_day_asked_again_says_which_calls_would_have_gone_elsewhere() -> None:
    draft = frozen(edited("12315", mode=MergeMode.FULL, group=GroupId("transport")), 0)
    calls = [
        past("12315", "2026-11-20T10:00", "a"),
        past("066312315", "2026-11-20T11:00", "b"),
        past("12315", "2026-11-20T22:00", "c"),
        past("12345", "2026-11-20T10:00", "d"),
        past("110", "2026-11-20T10:00", "e"),
    ]
    found = replay(calls, lambda _version: SAMPLE, SAMPLE, draft)
    assert (found.calls, found.elsewhere, found.unknown_versions) == (5, 3, 0)
    assert [(one.number, one.before.target.id, one.after.target.id, one.calls) for one in found.moved] == [
        ("12315", "market", "transport", ("a", "b")),
        ("12315", "general", "transport", ("c",)),
    ]
    places = {("market", "transport"): 2, ("general", "transport"): 1, ("general", "general"): 1, ("110", "110"): 1}
    assert found.places == places


def test_each_call_is_compared_with_the_version_that_routed_it() -> None:
    older = frozen(edited("12333", group=GroupId("market")), 7)
    versions = {7: older}
    calls = [past("12333", "2026-11-20T10:00", "a", 7), past("12333", "2026-11-20T10:01", "b", None)]
    found = replay(calls, lambda version: versions.get(version or 0), SAMPLE, SAMPLE)
    assert [(one.before.target.id, one.calls) for one in found.moved] == [("market", ("a",))]
    assert found.unknown_versions == 1


def test_nothing_moves_when_nothing_changes() -> None:
    calls = [past(number, "2026-11-20T10:00", number) for number in numbers_of(SAMPLE)]
    assert replay(calls, lambda _version: SAMPLE, SAMPLE, SAMPLE).moved == ()


# The commands


@pytest.fixture
async def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    await upgrade(f"sqlite:///{tmp_path}/hotline.db")
    write_snapshot(tmp_path / "snapshot.json", SAMPLE)
    (tmp_path / "draft.toml").write_text(write_toml(edited("12315", mode=MergeMode.FULL)))
    journal = Journal(tmp_path / "journal")
    journal.start()
    for place, hour in enumerate((9, 10, 23)):
        at = datetime(2026, 11, 20, hour, tzinfo=CITY) + timedelta(minutes=place)
        journal.note(Kind.ENTERED, CallId(f"hl1-1700000000.{place}"), {"number": "12315", "version": 1}, at=at)
    await journal.stop()
    return tmp_path


def run(*words: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_the_matrix_is_told_in_words_and_as_data(data_dir: Path) -> None:
    code, out, _ = run("matrix", "sample", "--week", "2026-10-01", "--number", "12329")
    assert code == 0
    assert "周一至周三 08:30–12:00" in out  # from Thursday on it is National Day
    where = "技能组 住房公积金（双号并行、过渡期内、上班时间；12329 公积金过渡期提示音，满 20 秒溢出到综合受理）"
    assert where in out
    code, out, _ = run("matrix", str(data_dir / "draft.toml"), "--json", "--number", "12315")
    data = json.loads(out)
    assert data["numbers"]["12315"] == [[[0, 336, 0]]]
    assert data["outcomes"][0]["rule"] == "legacy.full.during"
    assert run("matrix", "sample", "--week", "昨天")[0] == 2


def test_the_matrix_against_the_published_table_shows_only_what_changes(data_dir: Path) -> None:
    draft = str(data_dir / "draft.toml")
    code, out, _ = run("matrix", draft, "--against", "published", "--week", "2026-11-20")
    assert code == 0
    assert "1 个号码的去向会改变" in out
    assert "每天 00:00–08:00；每天 20:00–24:00\n    原来：技能组 综合受理" in out
    code, out, _ = run("matrix", draft, "--against", "published", "--json")
    assert {change["number"] for change in json.loads(out)["changes"]} == {"12315"}
    assert "完全相同" in run("matrix", "sample", "--against", "published")[1]


def test_yesterday_s_real_calls_are_asked_again_as_table_and_picture(data_dir: Path) -> None:
    picture = data_dir / "昨天.svg"
    code, out, _ = run("replay", str(data_dir / "draft.toml"), "--day", "2026-11-20", "--svg", str(picture))
    assert code == 0
    assert "2026-11-20 共 3 个来电，3 个会不同（100.0%）" in out
    assert "12315：1 个，技能组 综合受理 → 技能组 市场监管" in out
    assert "12315：2 个，技能组 市场监管（去向相同）" in out
    assert "hl1-1700000000.2" in out
    assert "138" not in out
    assert "<title" in picture.read_text()
    code, out, _ = run("replay", "sample", "--day", "2026-11-20", "--json")
    assert json.loads(out)["elsewhere"] == 0
    assert "没有来电" in run("replay", "sample", "--day", "2026-11-19")[1]
    assert run("replay", "sample", "--day", "前天")[0] == 2
