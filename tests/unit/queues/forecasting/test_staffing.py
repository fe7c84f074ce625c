"""Seats for a half-hour: enough, and not one more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.forecasting.erlang import NotCalculable, erlang_c
from queues.forecasting.staffing import HalfHour, Target, outlook, plan, seats_for

pytestmark = pytest.mark.unit

CITY = Target(15, 0.95)


def test_the_citys_target_with_a_hundred_calls_in_a_half_hour() -> None:
    (need,) = plan([HalfHour("09:00", 100, 180)], CITY, shrinkage=0.3)
    assert need.half_hour.offered == 10
    assert (need.seats, need.rostered) == (16, 23)
    assert erlang_c(10, 15, 180).service_level(15) < 0.95 <= need.outlook.service_level(15)


@given(st.floats(0.01, 800), st.floats(10, 900), st.one_of(st.none(), st.floats(10, 3600)))
def test_the_fewest_seats_that_reach_it(offered: float, handling: float, patience: float | None) -> None:
    seats = seats_for(offered, handling, CITY, patience)
    assert outlook(offered, seats, handling, patience).service_level(CITY.seconds) >= CITY.share
    assert seats > 0
    assert outlook(offered, seats - 1, handling, patience).service_level(CITY.seconds) < CITY.share


def test_callers_who_give_up_need_fewer_seats_than_those_who_wait() -> None:
    assert seats_for(100, 180, Target(60, 0.8), 60) < seats_for(100, 180, Target(60, 0.8))


def test_a_half_hour_without_calls_needs_nobody() -> None:
    (need,) = plan([HalfHour("03:00", 0, 180)], CITY, shrinkage=0.3)
    assert (need.seats, need.rostered) == (0, 0)


def test_shrinkage_that_comes_out_even_costs_nobody_more() -> None:
    (need,) = plan([HalfHour("09:00", 100, 180)], Target(20, 0.88), shrinkage=0.3)
    assert (need.seats, need.rostered) == (14, 20)


@pytest.mark.parametrize(
    ("target", "shrinkage", "calls", "word"),
    [(Target(15, 1.0), 0, 5, "目标"), (Target(15, 0), 0, 5, "目标"), (CITY, 1.0, 5, "损耗"), (CITY, 0, 1e9, "话务量")],
)
def test_what_cannot_be_staffed_is_a_sentence(target: Target, shrinkage: float, calls: float, word: str) -> None:
    with pytest.raises(NotCalculable, match=word):
        plan([HalfHour("09:00", calls, 180)], target, shrinkage=shrinkage)
