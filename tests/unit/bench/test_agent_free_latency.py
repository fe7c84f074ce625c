from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.agent_free_latency import Gaps, Line, Result, page, write

pytestmark = pytest.mark.unit


def a_result(ours: float, in_turn: int = 3) -> Result:
    slow = [Gaps(line, (400.0, 500.0, 900.0), 3) for line in (Line.QUICKEST, Line.AS_IT_COMES)]
    return Result(3, [Gaps(Line.OURS, (ours, ours, 40.0), in_turn), *slow], {"cores": 2})


def test_a_long_gap_or_a_caller_out_of_turn_fails_the_run() -> None:
    assert a_result(10).holds
    assert not a_result(10.1).holds
    assert not a_result(5, in_turn=2).holds


def test_page_and_json_hold_the_same_figures(tmp_path: Path) -> None:
    result = a_result(11)
    write(result, tmp_path)
    told = json.loads((tmp_path / "freed.json").read_text("utf-8"))
    assert told["holds"] is False
    assert told["found"][0]["ms"] == [11, 11, 40]
    text = (tmp_path / "freed.md").read_text("utf-8")
    assert text == page(result)
    assert "does **not** hold" in text
    for line in result.lines():
        assert f"| {' | '.join(line)} |" in text
