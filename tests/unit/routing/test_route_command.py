from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.route import SAMPLE_NOTE, app
from routing.calendar import city_time
from routing.sample_table import SAMPLE_FILE, sample_table
from routing.snapshot import freeze, write_snapshot

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["test", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_without_a_published_table_the_sample_answers_and_says_so() -> None:
    code, out, _ = run("12333", "--at", "2026-11-23T10:00")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == SAMPLE_NOTE
    assert lines[1] == "时间：2026-11-23 10:00:00（北京时间）"
    assert "依据：整体并入、过渡期内（未发布的表）" in lines


def test_the_published_table_answers(data_dir: Path) -> None:
    write_snapshot(data_dir / "snapshot.json", freeze(sample_table(), 7, datetime(2026, 11, 22, tzinfo=UTC)))
    code, out, _ = run("0663-12366", "--from", "13800138000", "--at", "2026-11-23T02:00:00Z", "--json")
    data = json.loads(out)
    assert code == 0
    assert (data["version"], data["sample"], data["number"]) == (7, False, "12366")
    assert data["target"] == {"kind": "subcentre", "id": "subcentre-12366"}
    assert data["at"] == "2026-11-23T10:00:00+08:00"


def test_a_file_can_be_asked_before_it_is_published(data_dir: Path) -> None:
    text = SAMPLE_FILE.read_text(encoding="utf-8").replace('group = "social-security"', 'group = "market"', 1)
    (data_dir / "draft.toml").write_text(text, encoding="utf-8")
    code, out, _ = run("12333", "--at", "2026-11-23T10:00", "--table", str(data_dir / "draft.toml"), "--json")
    assert code == 0
    assert json.loads(out)["group"] == "market"
    assert run("12333", "--table", "nowhere.toml")[0] == 2


@pytest.mark.parametrize(
    ("number", "at", "rule"),
    [
        ("12333", "2027-06-30T23:59", "legacy.full.during"),
        ("12333", "2027-07-01", "legacy.full.after"),
        ("12329", "2026-10-10T09:00", "legacy.dual.during.open"),
        ("110", "2026-10-10T09:00", "emergency"),
        ("$&{,;", "2026-10-10T09:00", "unknown"),
    ],
)
def test_any_number_at_any_time(number: str, at: str, rule: str) -> None:
    code, out, _ = run(number, "--at", at, "--json")
    assert code == 0
    assert json.loads(out)["rule"] == rule


def test_now_is_the_default() -> None:
    code, out, _ = run("12345", "--json")
    assert code == 0
    assert abs(city_time(datetime.now(UTC)) - datetime.fromisoformat(json.loads(out)["at"])).days == 0


@pytest.mark.parametrize("at", ["明天", "2026-02-29T10:00", "0001-01-01T00:00+14:00"])
def test_a_time_that_is_none_is_a_sentence(at: str) -> None:
    code, out, err = run("12345", "--at", at)
    assert (code, out) == (2, "")
    assert "例如 --at 2026-10-10T09:00" in err


def test_a_damaged_snapshot_is_told_not_hidden_behind_the_sample(data_dir: Path) -> None:
    (data_dir / "snapshot.json").write_text("{}")
    code, out, err = run("12345")
    assert (code, out) == (2, "")
    assert "请删去它后重新启动" in err


def test_a_group_that_is_closed_now_is_avoided_as_calls_avoid_it(data_dir: Path) -> None:
    write_snapshot(data_dir / "snapshot.json", freeze(sample_table(), 7, datetime(2026, 11, 22, tzinfo=UTC)))
    table = freeze(sample_table(), 7, datetime(2026, 11, 22, tzinfo=UTC))
    always = (one for one in table.numbers.values() if not one.trunk and not one.schedule)
    row = next(one for one in always if one.group != table.default_group)
    (data_dir / "closed-groups.json").write_text(json.dumps({row.group: "班长：修线"}), encoding="utf-8")
    named = table.groups
    closed = f"“{named[row.group].name}”组已由班长关闭，转“{named[table.default_group].name}”组"
    assert closed in run(row.number)[1]
    assert closed not in run(row.number, "--at", "2026-11-23T10:00")[1], "nothing is known of another hour"
