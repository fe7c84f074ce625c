"""The table of a transfer to a centre."""

from __future__ import annotations

import pytest

from telephony.model import Party
from transfers.states import LEAVES, MOVES, TALKING, Form, News, TransferState, after, diagram

pytestmark = pytest.mark.unit

S = TransferState


def test_every_state_is_in_the_table_and_says_who_is_there() -> None:
    assert set(MOVES) == set(TALKING) == set(S)


@pytest.mark.parametrize("state", [state for state in S if state is not S.ENDED])
def test_the_caller_ends_it_in_every_state(state: S) -> None:
    assert after(state, News.CALLER_LEAVES) is S.ENDED


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("party", [Party.AGENT, Party.CENTRE])
def test_whoever_leaves_is_gone_and_the_caller_is_left_to_nobody_only_on_the_way_to_a_human(
    state: S, party: Party, form: Form
) -> None:
    if party not in TALKING[state]:
        return
    then = after(state, LEAVES[party], form)
    assert then is not None
    assert party not in TALKING[then]
    left = TALKING[then] - {Party.CALLER}
    assert left or then in (S.WAITING, S.RETURNED, S.ENDED)


def test_a_matter_of_three_parties_comes_back_and_a_clear_one_does_not() -> None:
    assert after(S.AGENT_LEFT, News.CENTRE_LEAVES, Form.THREE_PARTY) is S.RETURNED
    assert after(S.AGENT_LEFT, News.CENTRE_LEAVES, Form.ONE_KEY) is S.ENDED


@pytest.mark.parametrize("state", [S.ASKED, S.DIALLING, S.EARLY_MEDIA, S.ANSWERED, S.AGENT_LEFT, S.WAITING])
def test_a_failure_gives_the_caller_to_the_agent_or_back_to_the_line(state: S) -> None:
    assert after(state, News.FAILS) is S.FAILED
    assert Party.AGENT in TALKING[S.FAILED]
    assert after(S.FAILED, News.GOES_BACK) is S.RETURNED


def test_a_centre_that_drops_the_call_is_followed_by_the_next_trunk() -> None:
    assert after(S.ANSWERED, News.DIALS) is S.DIALLING
    assert after(S.AGENT_LEFT, News.DIALS) is S.WAITING


def test_early_media_is_a_state_until_the_answer_the_next_trunk_or_the_agents_leaving() -> None:
    assert after(S.DIALLING, News.SOUNDS) is S.EARLY_MEDIA
    assert after(S.EARLY_MEDIA, News.DIALS) is S.DIALLING
    assert after(S.EARLY_MEDIA, News.ANSWERS) is S.ANSWERED
    assert after(S.EARLY_MEDIA, News.AGENT_LEAVES) is S.WAITING
    assert after(S.WAITING, News.SOUNDS) is S.WAITING, "the caller alone hears it ring as before"
    assert after(S.ANSWERED, News.SOUNDS) is None


def test_what_is_over_stays_over() -> None:
    assert {news for news in News if after(S.ENDED, news)} == {News.GOES_BACK}, "whom the agent left in the words"
    assert {news for news in News if after(S.RETURNED, news)} == {News.CALLER_LEAVES}


def test_the_picture_shows_every_move() -> None:
    picture = diagram()
    assert picture.count("-->") == sum(map(len, MOVES.values())) + 3
