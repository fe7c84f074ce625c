"""Lost calls: who reached nobody, until served."""

from __future__ import annotations

import itertools

import pytest

from outbound.lost import DAY_MS, MOST, RETAINED_MS, Ended, LostCalls, LostReason
from telephony.model import CallId

pytestmark = pytest.mark.unit

MOBILE, OTHER = "13800138000", "8221234"
MINUTE = 60_000


def lost(
    registry: LostCalls, serial: int, at_ms: int, number: str = MOBILE, reason: LostReason = LostReason.ABANDONED
) -> None:
    call = CallId(f"hl1-1795351328.{serial}")
    registry.lost(call, number, line="12345", group="general", reason=LostReason.ABANDONED, at_ms=at_ms)


def test_a_citizen_who_tries_again_in_vain_is_one_row_at_the_age_of_the_first_call() -> None:
    registry = LostCalls()
    lost(registry, 1, MINUTE)
    lost(registry, 2, 3 * MINUTE)
    lost(registry, 2, 9 * MINUTE)  # steps twice
    (row,) = registry.open()
    assert (row.first_ms, row.last_ms, row.times, row.call) == (MINUTE, 3 * MINUTE, 2, "hl1-1795351328.2")


@pytest.mark.parametrize(("by_us", "ended"), [(False, Ended.REDIALLED), (True, Ended.CALLED_BACK)])
def test_whoever_is_served_is_lost_no_more(by_us: bool, ended: Ended) -> None:
    registry = LostCalls()
    lost(registry, 1, MINUTE)
    registry.served(MOBILE, 5 * MINUTE, by_us=by_us)
    assert registry.open() == []
    assert [(row.ended, row.ended_ms) for row in registry.all()] == [(ended, 5 * MINUTE)]


def test_a_talk_before_the_lost_call_makes_nothing_good() -> None:
    registry = LostCalls()
    registry.served(MOBILE, MINUTE, by_us=False)
    lost(registry, 1, 2 * MINUTE)
    assert len(registry.open()) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_in_which_the_ledger_tells_does_not_matter(order: tuple[int, ...]) -> None:
    steps = (
        lambda registry: lost(registry, 1, MINUTE),
        lambda registry: registry.served(MOBILE, 2 * MINUTE, by_us=False),
        lambda registry: lost(registry, 3, 3 * MINUTE),
    )
    registry = LostCalls()
    for place in (*order, *order):
        steps[place](registry)
    (row,) = registry.open()
    assert row.last_ms == 3 * MINUTE


def test_lost_again_after_being_served_is_a_new_row() -> None:
    registry = LostCalls()
    lost(registry, 1, MINUTE)
    registry.pass_on(MOBILE)
    registry.count_attempt(MOBILE)
    registry.served(MOBILE, 2 * MINUTE, by_us=False)
    lost(registry, 2, 3 * MINUTE)
    (row,) = registry.open()
    assert (row.times, row.tries, row.handed_over, row.first_ms) == (1, 0, False, 3 * MINUTE)


def test_our_tries_in_vain_are_counted_and_a_new_call_takes_it_from_the_callbacks() -> None:
    registry = LostCalls()
    lost(registry, 1, MINUTE)
    registry.count_attempt(MOBILE)
    registry.pass_on(MOBILE)
    assert (registry.open()[0].tries, registry.open()[0].handed_over) == (1, True)
    lost(registry, 2, 2 * MINUTE)
    assert (registry.open()[0].tries, registry.open()[0].handed_over) == (1, False)
    registry.count_attempt("13900000000")  # of whom nothing is known


def test_figures_of_a_day() -> None:
    registry = LostCalls()
    for serial, number in enumerate((MOBILE, OTHER, "8221235", "8221236"), 1):
        lost(registry, serial, 10 * MINUTE, number)
    registry.served(MOBILE, 12 * MINUTE, by_us=False)
    registry.served(OTHER, 20 * MINUTE, by_us=True)
    figures = registry.figures(30 * MINUTE)
    assert (figures.lost, figures.redialled, figures.called_back) == (4, 1, 1)
    assert figures.rate == pytest.approx(1 / 3)
    assert figures.seconds == 600
    assert registry.figures(10 * MINUTE + DAY_MS).lost == 0
    assert LostCalls().figures(0).rate is None


def test_memory_is_bounded_and_forgets() -> None:
    registry = LostCalls()
    lost(registry, 1, 0)
    for serial in range(2, MOST + 2):
        lost(registry, serial, serial, number=str(20_000_000 + serial))
    assert len(registry.all()) == MOST
    assert registry.get(MOBILE) is None, "the one that was lost longest ago"
    registry.forget(RETAINED_MS + MOST + 2)
    assert registry.all() == []


def test_nobody_is_lost_who_told_no_number() -> None:
    registry = LostCalls()
    lost(registry, 1, 0, number="")
    registry.served("", 1, by_us=False)
    assert registry.all() == []
