"""The formulas against reference values, against a plain sum of states, and against each other."""

from __future__ import annotations

from math import exp, factorial, inf, isclose, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.forecasting.erlang import NotCalculable, Outlook, erlang_a, erlang_b, erlang_c

pytestmark = pytest.mark.unit

MINUTE = 60.0


def test_erlang_c_of_ten_erlangs_and_fourteen_seats() -> None:
    """The service level of 0.8884 in 20 s is that of a mean holding time of three minutes."""
    found = erlang_c(10, 14, 3 * MINUTE)
    assert round(found.wait_share, 4) == 0.1741
    assert round(found.service_level(20), 4) == 0.8884
    assert isclose(found.answer_seconds, found.wait_share * 180 / 4)
    assert isclose(found.occupancy, 10 / 14)


def test_erlang_a_with_a_patience_of_five_minutes() -> None:
    found = erlang_a(10, 14, 3 * MINUTE, 5 * MINUTE)
    assert round(found.abandon_share, 4) == 0.0140
    assert found.wait_share < erlang_c(10, 14, 3 * MINUTE).wait_share


def test_erlang_b_in_its_closed_form() -> None:
    for offered, seats in ((0.5, 1), (3.0, 5), (20.0, 17)):
        states = [offered**k / factorial(k) for k in range(seats + 1)]
        assert isclose(erlang_b(offered, seats), states[-1] / sum(states))


def plain(offered: float, seats: int, holding: float, patience: float) -> tuple[float, float, float]:
    """P(W > 0), abandonment and ASA from the plain stationary distribution."""
    states = [1.0]
    for k in range(1, 1000):
        states.append(states[-1] * offered / (min(k, seats) + max(0, k - seats) * holding / patience))
    whole = sum(states)
    waits = sum(states[seats:]) / whole
    queue = sum((k - seats) * p for k, p in enumerate(states) if k > seats) / whole
    return waits, queue / patience / (offered / holding), queue / (offered / holding)


@pytest.mark.parametrize("case", [(10, 14, 180, 300), (12, 10, 180, 60), (0.2, 1, 30, 15), (50, 50, 240, 1000)])
def test_erlang_a_is_the_sum_over_its_states(case: tuple[float, int, float, float]) -> None:
    found = erlang_a(*case)
    for value, expected in zip(
        (found.wait_share, found.abandon_share, found.answer_seconds), plain(*case), strict=True
    ):
        assert isclose(value, expected, rel_tol=1e-9)


@pytest.mark.parametrize("seconds", [0.0, 5.0, 20.0, 60.0, 400.0])
def test_the_service_level_of_erlang_a_is_that_of_a_caller_who_meets_a_line(seconds: float) -> None:
    """With k waiting, a patient caller is served after k + 1 exponential steps: integrated here on a fine grid."""
    offered, seats, holding, patience = 12.0, 10, 180.0, 90.0
    arrivals, step = offered / holding, 0.01
    below = 1 / erlang_b(offered, seats - 1)
    whole = below + sum(density(arrivals, seats / holding, patience, (n + 0.5) * step) for n in range(100_000)) * step
    served = sum(
        density(arrivals, seats / holding, patience, x) * exp(-x / patience)
        for x in ((n + 0.5) * step for n in range(round(seconds / step)))
    )  # fmt: skip
    found = erlang_a(offered, seats, holding, patience).service_level(seconds)
    assert isclose(found, (below + served * step) / whole, rel_tol=1e-6)


def density(arrivals: float, service: float, patience: float, x: float) -> float:
    return arrivals * exp(arrivals * patience * (1 - exp(-x / patience)) - service * x)


@given(st.floats(0.001, 6000), st.integers(1, 3000), st.floats(1, 3600), st.floats(1, 86_400))
def test_thousands_of_seats_neither_overflow_nor_contradict_themselves(
    offered: float, seats: int, holding: float, patience: float
) -> None:
    found = erlang_a(offered, seats, holding, patience)
    assert 0 <= found.wait_share <= 1
    assert 0 <= found.abandon_share <= 1
    assert isclose(found.service_level(1e7), 1 - found.abandon_share, rel_tol=1e-6, abs_tol=1e-9)
    assert found.service_level(5) <= found.service_level(50) + 1e-12
    patient = erlang_c(offered, seats, holding)
    assert found.wait_share <= patient.wait_share + 1e-12


@given(st.floats(0.1, 500), st.integers(1, 600))
def test_one_more_seat_never_hurts(offered: float, seats: int) -> None:
    fewer, more = erlang_c(offered, seats, 180), erlang_c(offered, seats + 1, 180)
    assert more.wait_share <= fewer.wait_share
    assert more.service_level(15) >= fewer.service_level(15)


def test_callers_who_never_give_up_are_those_of_erlang_c() -> None:
    patient, waiting = erlang_a(10, 14, 180, 86_400), erlang_c(10, 14, 180)
    assert isclose(patient.wait_share, waiting.wait_share, rel_tol=1e-2)
    assert isclose(patient.service_level(20), waiting.service_level(20), rel_tol=1e-3)


@pytest.mark.parametrize("seats", [0, 5, 10])
def test_as_many_erlangs_as_seats_wait_for_ever(seats: int) -> None:
    found = erlang_c(10, seats, 180)
    assert (found.wait_share, found.answer_seconds, found.service_level(3600)) == (1.0, inf, 0.0)


def test_nobody_calls_and_nobody_answers() -> None:
    quiet: list[Outlook] = [erlang_c(0, 3, 180), erlang_a(0, 3, 180, 60)]
    assert [(o.wait_share, o.abandon_share, o.service_level(0)) for o in quiet] == [(0.0, 0.0, 1.0)] * 2
    empty = erlang_a(5, 0, 180, 60)
    assert (empty.abandon_share, empty.answer_seconds, empty.service_level(20)) == (1.0, 60, 0.0)


@pytest.mark.parametrize(
    ("offered", "seats", "holding", "patience", "word"),
    [
        (-1, 5, 180, 60, "话务量"), (nan, 5, 180, 60, "话务量"), (inf, 5, 180, 60, "话务量"),
        (5, -1, 180, 60, "座席数"), (5, 10**6, 180, 60, "座席数"), (5, 5, 0, 60, "处理时长"),
        (5, 5, nan, 60, "处理时长"),
        (5, 5, 180, 0, "耐心"),
        (5, 5, 180, 1e9, "耐心"),
    ],
)  # fmt: skip
def test_what_is_no_floor_is_a_sentence(offered: float, seats: int, holding: float, patience: float, word: str) -> None:
    with pytest.raises(NotCalculable, match=word):
        erlang_a(offered, seats, holding, patience)


def test_a_time_before_the_call_is_a_sentence() -> None:
    with pytest.raises(NotCalculable, match="应答时限"):
        erlang_c(1, 2, 180).service_level(-1)
