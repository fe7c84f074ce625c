from __future__ import annotations

import pytest

from queues.states import MOVES, AgentState, IllegalMove, check, diagram

pytestmark = pytest.mark.unit

S = AgentState


def test_every_state_has_a_row_and_no_row_leads_to_itself() -> None:
    assert set(MOVES) == set(AgentState)
    assert all(state not in ways for state, ways in MOVES.items())


def test_only_a_ready_seat_is_reserved() -> None:
    assert [s for s in S if S.RESERVED in MOVES[s]] == [S.READY]


@pytest.mark.parametrize(
    ("new", "olds"),
    [
        (S.RINGING, {S.RESERVED}),
        (S.WRAP_UP, {S.TALKING, S.HOLD}),
        (S.HOLD, {S.TALKING}),
        (S.NOT_RESPONDING, {S.READY, S.RESERVED, S.RINGING, S.TALKING, S.HOLD}),
        (S.TALKING, set(S) - {S.TALKING}),
        (S.SIGNED_OUT, set(S) - {S.SIGNED_OUT}),
    ],
)
def test_work_begins_only_where_the_table_says(new: AgentState, olds: set[AgentState]) -> None:
    assert {s for s in S if new in MOVES[s]} == olds


def test_every_state_can_be_reached_and_can_be_left_to_ready() -> None:
    assert _reach(S.SIGNED_OUT) == set(S)
    assert all(S.READY in _reach(s) for s in S)


def _reach(start: AgentState) -> set[AgentState]:
    seen, todo = {start}, [start]
    while todo:
        new = set(MOVES[todo.pop()]) - seen
        seen |= new
        todo += new
    return seen


def test_an_illegal_pair_is_an_error_that_names_it() -> None:
    check(S.READY, S.RESERVED)
    with pytest.raises(IllegalMove, match="paused -> ringing") as caught:
        check(S.PAUSED, S.RINGING)
    assert (caught.value.old, caught.value.new) == (S.PAUSED, S.RINGING)


def test_the_diagram_has_every_pair_once() -> None:
    arrows = [line for line in diagram().splitlines() if "-->" in line and "[*]" not in line]
    assert len(arrows) == len(set(arrows)) == sum(len(ways) for ways in MOVES.values())
