"""The table of a one-key transfer."""

from __future__ import annotations

import pytest

from transfers.states import MOVES, TransferState, diagram, may_follow

pytestmark = pytest.mark.unit

S = TransferState
ORDER = [S.ASKED, S.DIALLING, S.ANSWERED, S.FAILED, S.ENDED]


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(S)


@pytest.mark.parametrize("old", list(S))
@pytest.mark.parametrize("new", list(S))
def test_news_never_goes_back(old: S, new: S) -> None:
    may = may_follow(old, new)
    assert may == (new in MOVES[old])
    if ORDER.index(new) < ORDER.index(old):
        assert not may
    if new is old:
        assert may == (old is S.DIALLING), "once per trunk"


def test_what_was_answered_has_not_failed() -> None:
    assert not may_follow(S.ANSWERED, S.FAILED)
    assert not may_follow(S.FAILED, S.ANSWERED)
    assert all(not may_follow(S.ENDED, state) for state in S)


def test_the_picture_shows_every_move() -> None:
    picture = diagram()
    assert picture.count("-->") == sum(map(len, MOVES.values())) + 2
