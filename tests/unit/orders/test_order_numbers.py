"""Numbers of orders: each once, dated, without gaps."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from orders.order_numbers import OrderNumberRegister, RegisterUnusable

pytestmark = pytest.mark.unit

TODAY, TOMORROW = date(2026, 11, 22), date(2026, 11, 23)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "orders" / "numbers.json"


def test_numbers_follow_each_other_within_a_day_also_across_a_restart(file: Path) -> None:
    first = OrderNumberRegister(file, "hl1")
    assert [first.next(key, TODAY) for key in "ab"] == ["hl1-20261122-0001", "hl1-20261122-0002"]
    again = OrderNumberRegister(file, "hl1")
    assert again.next("c", TODAY) == "hl1-20261122-0003"
    assert again.next("d", TOMORROW) == "hl1-20261123-0001"
    assert (again.number_of("a"), again.number_of("x")) == ("hl1-20261122-0001", "")


def test_a_clock_that_is_set_back_gives_no_number_twice(file: Path) -> None:
    register = OrderNumberRegister(file, "hl1")
    register.next("a", TOMORROW)
    assert register.next("b", TODAY) == "hl1-20261123-0002"


def test_a_lost_register_goes_on_behind_what_the_ledger_knows(file: Path) -> None:
    known = ["hl1-20261122-0041", "hl1-20261121-0099", "hl2-20261122-0077"]
    assert OrderNumberRegister(file, "hl1").next("a", TODAY, known) == "hl1-20261122-0042"


def test_keys_are_forgotten_after_a_week(file: Path) -> None:
    register = OrderNumberRegister(file, "hl1")
    register.next("a", TODAY)
    register.next("b", date(2026, 11, 29))
    assert register.number_of("a")
    register.next("c", date(2026, 11, 30))
    assert (register.number_of("a"), register.number_of("b")) == ("", "hl1-20261129-0001")


@pytest.mark.parametrize("spoiled", ["", "[]", '{"day": "20261122"}', '{"day": "", "serial": "x", "keys": {}}'])
def test_a_register_that_cannot_be_read_gives_no_number_and_says_what_to_do(file: Path, spoiled: str) -> None:
    file.parent.mkdir()
    file.write_text(spoiled, encoding="utf-8")
    with pytest.raises(RegisterUnusable, match="请修复"):
        OrderNumberRegister(file, "hl1").next("a", TODAY)
    assert file.read_text(encoding="utf-8") == spoiled


def test_a_number_that_could_not_be_written_is_not_given(file: Path) -> None:
    register = OrderNumberRegister(file, "hl1")
    register.next("a", TODAY)
    file.with_suffix(".part").mkdir()
    with pytest.raises(RegisterUnusable, match="检查磁盘"):
        register.next("b", TODAY)
    file.with_suffix(".part").rmdir()
    assert register.number_of("b") == ""
    assert register.next("b", TODAY) == "hl1-20261122-0002", "no gap"
    assert json.loads(file.read_text(encoding="utf-8"))["serial"] == 2
