"""Widening steps on the channel: written and read back alike, and nothing malformed either way."""

from __future__ import annotations

import pytest

from routing.overflow import overflow_steps, overflow_text
from telephony.model import GroupId

pytestmark = pytest.mark.unit

STEPS = ((20, GroupId("general")), (60, GroupId("market")))


def test_what_is_written_is_read_back() -> None:
    assert overflow_text(STEPS) == "general:20/market:60"
    assert overflow_steps(overflow_text(STEPS)) == STEPS
    assert overflow_steps(overflow_text(())) == ()


def test_what_is_malformed_is_not_written() -> None:
    assert overflow_text(((5, GroupId("a,b")), *STEPS)) == overflow_text(STEPS)


@pytest.mark.parametrize(
    "text", ["", "/", "general", "general:", ":20", "General:20", "general:-1", "general:٢", "general:2x", "a b:3"]
)
def test_what_is_malformed_is_not_read(text: str) -> None:
    assert overflow_steps(text) == ()
    assert overflow_steps(f"general:20/{text}/market:60") == STEPS
