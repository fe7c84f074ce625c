"""The table of a transfer to a centre."""

from __future__ import annotations

import pytest

from telephony.model import Party
from transfers.states import LEAVE_EVENTS, TALKING, TRANSITIONS, Form, TransferEvent, TransferState, diagram, next_state

pytestmark = pytest.mark.unit

S = TransferState


def test_every_state_is_in_the_table_and_says_who_is_there() -> None:
    assert set(TRANSITIONS) == set(TALKING) == set(S)


@pytest.mark.parametrize("state", [state for state in S if state is not S.ENDED])
def test_the_caller_ends_it_in_every_state(state: S) -> None:
    assert next_state(state, TransferEvent.CALLER_LEAVES) is S.ENDED


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize("party", [Party.AGENT, Party.CENTRE])
def test_whoever_leaves_is_gone_and_the_caller_is_left_to_nobody_only_on_the_way_to_a_human(
    state: S, party: Party, form: Form
) -> None:
    if party not in TALKING[state]:
        return
    then = next_state(state, LEAVE_EVENTS[party], form)
    assert then is not None
    assert party not in TALKING[then]
    left = TALKING[then] - {Party.CALLER}
    assert left or then in (S.WAITING, S.RETURNED, S.ENDED)


def test_a_matter_of_three_parties_comes_back_and_a_clear_one_does_not() -> None:
    assert next_state(S.AGENT_LEFT, TransferEvent.CENTRE_LEAVES, Form.THREE_PARTY) is S.RETURNED
    assert next_state(S.AGENT_LEFT, TransferEvent.CENTRE_LEAVES, Form.ONE_KEY) is S.ENDED


@pytest.mark.parametrize("state", [S.ASKED, S.DIALLING, S.EARLY_MEDIA, S.ANSWERED, S.AGENT_LEFT, S.WAITING])
def test_a_failure_gives_the_caller_to_the_agent_or_back_to_the_line(state: S) -> None:
    assert next_state(state, TransferEvent.FAILS) is S.FAILED
    assert Party.AGENT in TALKING[S.FAILED]
    assert next_state(S.FAILED, TransferEvent.GOES_BACK) is S.RETURNED


def test_a_centre_that_drops_the_call_is_followed_by_the_next_trunk() -> None:
    assert next_state(S.ANSWERED, TransferEvent.DIALS) is S.DIALLING
    assert next_state(S.AGENT_LEFT, TransferEvent.DIALS) is S.WAITING


def test_early_media_is_a_state_until_the_answer_the_next_trunk_or_the_agents_leaving() -> None:
    assert next_state(S.DIALLING, TransferEvent.SOUNDS) is S.EARLY_MEDIA
    assert next_state(S.EARLY_MEDIA, TransferEvent.DIALS) is S.DIALLING
    assert next_state(S.EARLY_MEDIA, TransferEvent.ANSWERS) is S.ANSWERED
    assert next_state(S.EARLY_MEDIA, TransferEvent.AGENT_LEAVES) is S.WAITING
    assert next_state(S.WAITING, TransferEvent.SOUNDS) is S.WAITING, "the caller alone hears it ring as before"
    assert next_state(S.ANSWERED, TransferEvent.SOUNDS) is None


def test_what_is_over_stays_over() -> None:
    assert {news for news in TransferEvent if next_state(S.ENDED, news)} == {TransferEvent.GOES_BACK}, (
        "whom the agent left in the words"
    )
    assert {news for news in TransferEvent if next_state(S.RETURNED, news)} == {TransferEvent.CALLER_LEAVES}


def test_the_picture_shows_every_move() -> None:
    picture = diagram()
    assert picture.count("-->") == sum(map(len, TRANSITIONS.values())) + 3
