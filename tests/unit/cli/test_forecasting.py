"""``hotline queues simulate``, ``erlang`` and ``staffing``, as somebody who plans a day uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from cli.commands.queues import app
from routing.sample_table import sample_table

pytestmark = pytest.mark.unit

SAMPLE = Path(__file__).parents[3] / "routing" / "sample.toml"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    return tmp_path


def run(*words: str) -> Any:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2, result.output
    return str(result.stderr)


def texts(path: Path) -> list[str]:
    return [node.text or "" for node in ET.parse(path).iter(f"{SVG}text")]  # noqa: S314 our own


def test_what_if_two_more_experts(data_dir: Path) -> None:
    """Side by side, in Chinese, and as a chart."""
    asked = (
        "simulate", "--rate", "60", "--rate", "12333=40", "--seats", "6", "--seats", "social-security=2",
        "--more", "social-security=2", "--runs", "4", "--hours", "3",
    )  # fmt: skip
    out = run(*asked, "--svg", str(data_dir / "x.svg"))
    assert "社会保障加 2" in out
    assert "社会保障 · 15 秒内接通" in out
    assert {"现状", "社会保障加 2", "接通率"} <= set(texts(data_dir / "x.svg"))
    told = json.loads(run(*asked, "--json"))
    waits = [rows["in_time"]["mean"] for rows in told["groups"]["social-security"].values()]
    assert waits[1] > waits[0] + 0.1
    calls = [rows["calls"] for rows in told["floors"].values()]
    assert calls[0] == calls[1], "both floors meet the same callers"
    assert json.loads(run(*asked, "--json")) == told, "the same seed says the same"


def test_a_draft_of_the_table_is_simulated_by_its_own_rules(data_dir: Path) -> None:
    """In the draft callers of 12333 may be answered by everybody at once, not only after the sample's 20 s."""
    draft = data_dir / "draft.toml"
    text = SAMPLE.read_text(encoding="utf-8")
    head, number, rest = text.partition("[numbers.12333]")
    draft.write_text(head + number + rest.replace("overflow_seconds = 20", "overflow_seconds = 1", 1), encoding="utf-8")
    told = json.loads(
        run(
            "simulate", "--rate", "12333=60", "--seats", "8", "--seats", "social-security=1", "--policy", str(draft),
            "--runs", "3", "--hours", "2", "--day", "2026-11-23", "--json",
        )
    )  # fmt: skip
    now, then = (rows["answer_seconds"]["mean"] for rows in told["floors"].values())
    assert then < now / 2


def test_arrivals_and_shifts_from_files(data_dir: Path) -> None:
    callers, shifts = data_dir / "calls.csv", data_dir / "shifts.csv"
    callers.write_text("at,number,talk\n09:00:00,12345,60\n09:00:01,12345,60\n09:30,12333,\n", encoding="utf-8")
    shifts.write_text(
        "count,groups,start,end\n1,general,08:30,17:30\n1,general+social-security,09:20,\n", encoding="utf-8"
    )
    told = json.loads(
        run("simulate", "--arrivals", str(callers), "--shifts", str(shifts), "--ring", "0", "--runs", "2", "--json")
    )
    (figures,) = told["floors"].values()
    assert figures["calls"] == {"mean": 3, "half": 0}
    # The second caller waits for the only agent: a minute of talk and ten seconds of wrap-up, less its second.
    assert figures["answer_seconds"]["mean"] == pytest.approx(69 / 3)


@pytest.mark.parametrize(
    ("words", "say"),
    [
        ((), ["--rate"]),
        (("--rate", "x", "--rate", "99999=3"), ["--rate x", "没有号码 99999"]),
        (("--rate", "9", "--seats", "nosuch=3", "--seats", "x"), ["没有技能组 nosuch", "--seats x"]),
        (("--rate", "9", "--more", "general=-1"), ["--more general=-1"]),
        (("--rate", "9", "--policy", "/nosuch"), ["--policy /nosuch"]),
        (("--arrivals", "/nosuch"), ["--arrivals /nosuch", "at,number,talk"]),
        (("--arrivals", "ledger"), ["--day"]),
        (("--rate", "9", "--day", "soon"), ["--day 'soon'"]),
        (("--rate", "9", "--seats", "3", "--shifts", "x.csv"), ["只写一个"]),
    ],
)
def test_what_cannot_be_simulated_is_a_sentence(words: tuple[str, ...], say: list[str]) -> None:
    text = refused("simulate", *words)
    for part in say:
        assert part in text


def test_every_fault_of_a_file_is_told_at_once(data_dir: Path) -> None:
    path = data_dir / "x.csv"
    path.write_text("at,number,talk\nnoon,12345,\n09:00,777,\n09:00,12345,-3\n", encoding="utf-8")
    text = refused("simulate", "--arrivals", str(path))
    assert "3 处错误" in text
    assert [f"第 {line} 行" in text for line in (2, 3, 4)] == [True] * 3
    path.write_text("count,groups,start,end\n0,general,,\n1,nosuch,,\n1,general,25:00,\n", encoding="utf-8")
    text = refused("simulate", "--rate", "9", "--shifts", str(path))
    assert "3 处错误" in text


def test_erlang_as_a_table_and_a_chart(data_dir: Path) -> None:
    asked = ("erlang", "--calls", "200", "--talk", "180", "--seats", "14", "--within", "20")
    out = run(*asked, "--svg", str(data_dir / "x.svg"))
    assert "17.4%" in out
    assert "88.8%" in out
    assert "至少需要 16 个座席" in out
    assert "座席数与服务水平" in texts(data_dir / "x.svg")
    told = json.loads(run(*asked, "--patience", "300", "--json"))
    (row,) = [row for row in told["rows"] if row["seats"] == 14]
    assert round(row["abandon_share"], 4) == 0.0140
    assert "越来越长" in run("erlang", "--calls", "200", "--seats", "10")


def test_staffing_of_a_forecast_with_losses(data_dir: Path) -> None:
    path = data_dir / "f.csv"
    path.write_text("time,calls\n09:00,100\n09:30,0\n09:10,50\n", encoding="utf-8")
    told = json.loads(
        run("staffing", "--forecast", str(path), "--wrap-up", "0", "--ring", "0", "--shrinkage", "30", "--json")
    )
    assert [(row["start"], row["calls"], row["seats"], row["rostered"]) for row in told["rows"]] == [
        ("09:00", 150, 22, 32), ("09:30", 0, 0, 0),
    ]  # fmt: skip
    run("staffing", "--forecast", str(path), "--svg", str(data_dir / "x.svg"))
    assert "每半小时需要的座席" in texts(data_dir / "x.svg")


@pytest.mark.parametrize(
    ("text", "say"),
    [("time,calls\nx,3\n09:00,-1\n", "2 处错误"), ("time,calls\n", "没有数据行"), (None, "读不了")],
)
def test_a_forecast_that_cannot_be_read_is_a_sentence(data_dir: Path, text: str | None, say: str) -> None:
    path = data_dir / "f.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert say in refused("staffing", "--forecast", str(path))
    assert "二者选一" in refused("staffing")


def test_a_chart_that_cannot_be_written_is_a_sentence() -> None:
    assert "--svg" in refused("erlang", "--calls", "9", "--svg", "/nosuch/x.svg")


def test_the_sample_has_the_groups_that_the_tests_speak_of() -> None:
    assert {"general", "social-security"} <= {group.id for group in sample_table().groups}
