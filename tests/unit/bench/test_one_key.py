from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.one_key import Figures, Result, page, shares, write
from bench.one_key_latency import Way

pytestmark = pytest.mark.unit


def a_result(invite: float, talk: float, lost: int = 0, missed: int = 0) -> Result:
    slow = [Figures(way, 5, 2, 1, (1, 999), (1, 999)) for way in (Way.BLIND, Way.ATTENDED)]
    return Result({"cores": 2}, [Figures(Way.ONE_KEY, 5, missed, lost, (1, invite), (1, talk)), *slow])


def test_a_slow_key_or_a_lost_call_of_ours_fails_the_run() -> None:
    assert a_result(50, 150).holds
    assert not a_result(50.1, 100).holds
    assert not a_result(20, 150.1).holds
    assert not a_result(20, 100, lost=1).holds
    assert not a_result(20, 100, missed=1).holds


def test_shares_are_of_the_calls_that_were_made() -> None:
    assert shares([0.001 * n for n in range(1, 101)]) == (50.0, 99.0)
    assert shares([0.005]) == (5.0, 5.0)


def test_page_and_json_hold_the_same_figures(tmp_path: Path) -> None:
    result = a_result(20, 151)
    write(result, tmp_path)
    told = json.loads((tmp_path / "one-key.json").read_text("utf-8"))
    assert told["holds"] is False
    text = (tmp_path / "one-key.md").read_text("utf-8")
    assert text == page(result)
    assert "does **not** hold" in text
    for line, one in zip(result.lines(), told["found"], strict=True):
        assert f"| {' | '.join(line)} |" in text
        assert line[0] == one["way"]
