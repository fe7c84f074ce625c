from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.prompts.catalogue import catalogue
from ivr.queue_announcements import STILL, LastAnnouncement, WaitEstimate, due, news, upper_end, wait_prompt
from routing.model import WaitingNews
from routing.sample_table import sample_snapshot

pytestmark = pytest.mark.unit

POLICY = WaitingNews(30, 60)
NEVER_TOLD = None
INFINITE = float("inf")


@pytest.mark.parametrize(
    ("waited", "told_before", "expected"),
    [(29, None, False), (30, None, True), (300, 59, False), (300, 60, True)],
)
def test_first_after_n_seconds_then_every_m(waited: int, told_before: int | None, expected: bool) -> None:
    now = 1_000_000
    told = None if told_before is None else LastAnnouncement(now - told_before * 1000, 3, INFINITE)
    assert due(POLICY, now - waited * 1000, told, now) is expected


def test_a_table_may_ask_for_silence() -> None:
    assert not due(WaitingNews(0, 60), 0, None, 10_000_000)


def test_place_and_wait_are_told_together() -> None:
    said, told = news(WaitEstimate(3, 70, 170), NEVER_TOLD, 5)
    assert said == ("position-3", "wait-1-3")
    assert told == LastAnnouncement(5, 3, 180)


def test_a_place_that_got_worse_is_not_told() -> None:
    said, told = news(WaitEstimate(5, 70, 170), LastAnnouncement(0, 3, 180), 9)
    assert said == (STILL,)
    assert told == LastAnnouncement(9, 3, 180)


def test_a_wait_that_got_longer_is_not_told() -> None:
    said, told = news(WaitEstimate(2, 200, 290), LastAnnouncement(0, 3, 180), 9)
    assert said == ("position-2",)
    assert told == LastAnnouncement(9, 2, 180)


def test_far_back_no_place_is_told() -> None:
    assert news(WaitEstimate(11), NEVER_TOLD, 0)[0] == (STILL,)


@pytest.mark.parametrize(
    ("low", "high", "prompt"),
    [
        (0, 59, "wait-0-1"),
        (0, 60, "wait-0-1"),
        (30, 61, "wait-0-3"),
        (61, 170, "wait-1-3"),
        (180, 600, "wait-3-10"),
        (300, 300, "wait-3-5"),
        (599, 1300, "wait-5-over"),
        (10, 1300, STILL),
    ],
)
def test_a_range_is_rounded_outward(low: float, high: float, prompt: str) -> None:
    assert wait_prompt(low, high) == prompt.replace("wait-5-over", "wait-over-5")


@given(st.integers(1, 40), st.floats(0, 4000), st.floats(0, 4000), st.integers(1, 40), st.floats(0, 4000))
def test_every_prompt_is_there_and_no_news_is_worse(
    position: int, low: float, more: float, before: int, told_high: float
) -> None:
    prompts = catalogue(sample_snapshot(), "揭阳")
    told = LastAnnouncement(0, before, upper_end(told_high))
    said, after = news(WaitEstimate(position, low, low + more), told, 1)
    assert set(said) <= set(prompts)
    assert after.position <= told.position
    assert after.high_seconds <= told.high_seconds
