"""Who asks, as it is written down."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.http_json import operator_of
from users.model import Role, Session, User
from users.rules import MAX_DISPLAY, NAME, identity_of

pytestmark = pytest.mark.unit


def test_the_longest_name_is_kept_whole_so_that_nobodys_order_is_taken_for_anothers() -> None:
    longest = "a" * 24
    assert NAME.fullmatch(longest)
    now = datetime.now(UTC)
    who = identity_of(
        User(longest, "林" * MAX_DISPLAY, frozenset({Role.AGENT}), "1001"), Session("k", longest, now, now, "")
    )
    assert operator_of({"by": who.name}) == who.name


@pytest.mark.parametrize("by", [None, "", "  ", 7, "a\nb"])
def test_who_does_not_say_who_asks_is_whoever_holds_the_token(by: object) -> None:
    assert operator_of({"by": by}) == "控制接口"
