from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.idle_latency import Quick
from bench.load import FIRST_RATE, GROWTH, LAST_RATE, Run, rates
from bench.report import Result, best, cpu, holds, page, write
from bench.seat_floor import floor
from bench.systems_under_test import Name
from routing.lint import lint
from routing.sample_table import sample_table

pytestmark = pytest.mark.unit


def a_run(side: Name, ms: float, *, rate: int = 20, lost: int = 0, calls: int = 100) -> Run:
    return Run(side, rate, 5, calls, lost, calls - lost, ms, 0.0, (1.0, 2.0))


def a_result(product_ms: float, lost: int = 0) -> Result:
    runs = [a_run(Name.STATIC, 10), a_run(Name.PRODUCT, product_ms, lost=lost)]
    steps = [
        a_run(side, 1, rate=rate, lost=int(side is Name.PRODUCT and rate > 25))
        for rate in (20, 25, 31)
        for side in Name
    ]
    return Result({"cores": 2}, runs, runs, steps, [Quick(Name.STATIC, 5, 10, 8), Quick(Name.PRODUCT, 5, 12, 4)])


def test_the_mean_weighs_by_calls() -> None:
    runs = [a_run(Name.STATIC, 10, calls=300), a_run(Name.STATIC, 20), a_run(Name.PRODUCT, 99)]
    assert cpu(runs, Name.STATIC) == 12.5


def test_the_highest_rate_is_the_one_before_the_first_loss() -> None:
    steps = a_result(15).steps
    assert (best(steps, Name.STATIC), best(steps, Name.PRODUCT)) == (31, 25)
    assert best([a_run(Name.STATIC, 1, lost=1), a_run(Name.STATIC, 1, rate=25)], Name.STATIC) == 0


def test_either_kind_of_call_over_the_limit_fails_the_run() -> None:
    cheap, dear = a_result(15), a_result(17)
    assert holds(cheap)
    assert not holds(replace(cheap, silent=dear.silent))
    assert not holds(replace(cheap, with_voices=dear.with_voices))
    assert not holds(a_result(15, lost=1))


def test_page_and_json_hold_the_same_figures(tmp_path: Path) -> None:
    result = a_result(15, lost=3)
    write(result, tmp_path)
    told = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert told["lines"][0] == ["CPU per call, with voices (ms)", "10.0", "15.0", "1.50"]
    assert told["lost"] == result.lost == 6
    text = (tmp_path / "README.md").read_text("utf-8")
    assert text == page(result)
    for line in told["lines"]:
        assert f"| {' | '.join(line)} |" in text


def test_the_floor_is_a_table_that_may_be_published() -> None:
    table = floor(200)(sample_table())
    assert len(table.seats) == len(table.agents) == 200
    assert not lint(table)


def test_the_search_rises_by_steps_to_its_end() -> None:
    assert rates() == sorted(set(rates()))
    assert rates()[0] == FIRST_RATE
    assert rates()[-1] <= LAST_RATE < rates()[-1] * GROWTH
