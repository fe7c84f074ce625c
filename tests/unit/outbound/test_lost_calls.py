"""Lost calls: who reached nobody, until served."""

from __future__ import annotations

import itertools

import pytest

from outbound.lost import DAY_MS, KEPT_MS, MOST, Ended, LostCalls, Why
from telephony.model import CallId

pytestmark = pytest.mark.unit

MOBILE, OTHER = "13800138000", "8221234"
MINUTE = 60_000


def lost(book: LostCalls, serial: int, at_ms: int, number: str = MOBILE, why: Why = Why.ABANDONED) -> None:
    call = CallId(f"hl1-1795351328.{serial}")
    book.lost(call, number, line="12345", group="general", why=why, at_ms=at_ms)


def test_a_citizen_who_tries_again_in_vain_is_one_row_at_the_age_of_the_first_call() -> None:
    book = LostCalls()
    lost(book, 1, MINUTE)
    lost(book, 2, 3 * MINUTE)
    lost(book, 2, 9 * MINUTE)  # told twice
    (row,) = book.open()
    assert (row.first_ms, row.last_ms, row.times, row.call) == (MINUTE, 3 * MINUTE, 2, "hl1-1795351328.2")


@pytest.mark.parametrize(("by_us", "ended"), [(False, Ended.CALLED_AGAIN), (True, Ended.CALLED_BACK)])
def test_whoever_is_served_is_lost_no_more(by_us: bool, ended: Ended) -> None:
    book = LostCalls()
    lost(book, 1, MINUTE)
    book.served(MOBILE, 5 * MINUTE, by_us=by_us)
    assert book.open() == []
    assert [(row.ended, row.ended_ms) for row in book.all()] == [(ended, 5 * MINUTE)]


def test_a_talk_before_the_lost_call_makes_nothing_good() -> None:
    book = LostCalls()
    book.served(MOBILE, MINUTE, by_us=False)
    lost(book, 1, 2 * MINUTE)
    assert len(book.open()) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_in_which_the_ledger_tells_does_not_matter(order: tuple[int, ...]) -> None:
    told = (
        lambda book: lost(book, 1, MINUTE),
        lambda book: book.served(MOBILE, 2 * MINUTE, by_us=False),
        lambda book: lost(book, 3, 3 * MINUTE),
    )
    book = LostCalls()
    for place in (*order, *order):
        told[place](book)
    (row,) = book.open()
    assert row.last_ms == 3 * MINUTE


def test_lost_again_after_being_served_is_a_new_row() -> None:
    book = LostCalls()
    lost(book, 1, MINUTE)
    book.promised(MOBILE)
    book.tried(MOBILE)
    book.served(MOBILE, 2 * MINUTE, by_us=False)
    lost(book, 2, 3 * MINUTE)
    (row,) = book.open()
    assert (row.times, row.tries, row.promised, row.first_ms) == (1, 0, False, 3 * MINUTE)


def test_our_tries_in_vain_are_counted_and_a_new_call_takes_it_from_the_callbacks() -> None:
    book = LostCalls()
    lost(book, 1, MINUTE)
    book.tried(MOBILE)
    book.promised(MOBILE)
    assert (book.open()[0].tries, book.open()[0].promised) == (1, True)
    lost(book, 2, 2 * MINUTE)
    assert (book.open()[0].tries, book.open()[0].promised) == (1, False)
    book.tried("13900000000")  # of whom nothing is known


def test_figures_of_a_day() -> None:
    book = LostCalls()
    for serial, number in enumerate((MOBILE, OTHER, "8221235", "8221236"), 1):
        lost(book, serial, 10 * MINUTE, number)
    book.served(MOBILE, 12 * MINUTE, by_us=False)
    book.served(OTHER, 20 * MINUTE, by_us=True)
    figures = book.figures(30 * MINUTE)
    assert (figures.lost, figures.called_again, figures.called_back) == (4, 1, 1)
    assert figures.rate == pytest.approx(1 / 3)
    assert figures.seconds == 600
    assert book.figures(10 * MINUTE + DAY_MS).lost == 0
    assert LostCalls().figures(0).rate is None


def test_memory_is_bounded_and_forgets() -> None:
    book = LostCalls()
    lost(book, 1, 0)
    for serial in range(2, MOST + 2):
        lost(book, serial, serial, number=str(20_000_000 + serial))
    assert len(book.all()) == MOST
    assert book.get(MOBILE) is None, "the one that was lost longest ago"
    book.forget(KEPT_MS + MOST + 2)
    assert book.all() == []


def test_nobody_is_lost_who_told_no_number() -> None:
    book = LostCalls()
    lost(book, 1, 0, number="")
    book.served("", 1, by_us=False)
    assert book.all() == []
