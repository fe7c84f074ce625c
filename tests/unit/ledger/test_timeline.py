"""Who was in the call when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import labels_zh
from ledger.model import Fact, Kind
from ledger.timeline import MARKED, draw
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(seconds: float, kind: Kind, **data: Any) -> Fact:
    return Fact(f"{seconds:09.3f}-{kind}", kind, CALL, AT + timedelta(seconds=seconds), data)


STORY = [
    fact(0, Kind.ENTERED, number="12345", caller="13800001234"),
    fact(3, Kind.WAITING, group="general"),
    fact(4, Kind.OFFERED, seat="8001", agent="1001"),
    fact(9, Kind.NOT_ANSWERED, seat="8001", agent="1001", why="no-answer"),
    fact(10, Kind.OFFERED, seat="8002", agent="1002"),
    fact(12, Kind.ANSWERED, seat="8002", agent="1002", by="agent"),
    fact(12.1, Kind.RECORDING, file="x"),
    fact(20, Kind.TRANSFER, id="t", target="110", state="asked"),
    fact(21, Kind.TRANSFER, id="t", target="110", state="dialling"),
    fact(25, Kind.TRANSFER, id="t", target="110", state="answered"),
    fact(25.1, Kind.PARTY, party="centre", action="joined"),
    fact(30, Kind.TRANSFER, id="t", target="110", state="agent-left"),
    fact(60, Kind.TRANSFER, id="t", target="110", state="ended"),
    fact(61, Kind.RATED, key="5", level=5),
    fact(62, Kind.ENDED, cause=16, by="caller"),
    fact(900, Kind.MESSAGE, state="closed"),
]


def test_caller_agents_and_centre_have_a_lane_each() -> None:
    drawn = draw(reversed(STORY))
    assert [(bar.lane, bar.phase, bar.since, bar.until) for bar in drawn.bars] == [
        ("caller", "greeted", 0, 3),
        ("caller", "waiting", 3, 12),
        ("agent 1001", "ringing", 4, 9),
        ("agent 1002", "ringing", 10, 12),
        ("caller", "talking", 12, 62),
        ("agent 1002", "talking", 12, 30),
        ("centre 110", "ringing", 20, 25),
        ("centre 110", "talking", 25, 60),
    ]
    assert drawn.recorded_at == 12.1
    assert [(mark.seconds, mark.text) for mark in drawn.marks if mark.kind == "transfer"] == [
        (20, "110 按键"),
        (25, "110 已接听，三方通话"),
        (30, "110 座席已离开，对方与市民通话"),
    ]


@pytest.mark.parametrize("before", ["early-media", "aside"])
def test_who_is_consulted_or_sounds_before_the_answer_rings_until_it_and_talks_until_it_is_left(before: str) -> None:
    states = [(0, "asked"), (2, "dialling"), (3, before), (7, "consulting"), (9, "answered"), (20, "ended")]
    facts = [fact(at, Kind.TRANSFER, id="t", target="water", state=state) for at, state in states]
    assert [(bar.phase, bar.since, bar.until) for bar in draw(facts).bars] == [("ringing", 0, 7), ("talking", 7, 20)]


def test_holds_are_bars_of_the_caller_and_marks_to_jump_to() -> None:
    told = {"seat": "8002", "agent": "1002"}
    holds = [fact(13, Kind.HELD, **told, music="default"), fact(16, Kind.RESUMED, **told), fact(55, Kind.HELD, **told)]
    drawn = draw([*STORY[:7], *holds, *STORY[-2:]])
    assert [(bar.phase, bar.since, bar.until) for bar in drawn.bars if bar.lane == "caller"][2:] == [
        ("talking", 12, 13),
        ("held", 13, 16),
        ("talking", 16, 55),
        ("held", 55, 62),
    ]
    assert [(bar.since, bar.until) for bar in drawn.bars if bar.lane == "agent 1002"][1:] == [(12, 62)]
    assert [(mark.seconds, mark.text) for mark in drawn.marks if mark.kind == "hold"] == [
        (13, "保持：市民听等待音乐"), (16, "恢复通话"), (55, "保持：市民听等待音乐"),
    ]  # fmt: skip


def test_who_is_brought_into_a_conference_out_of_a_hold_talks() -> None:
    facts = [fact(0, Kind.HELD, seat="8001"), fact(4, Kind.TRANSFER, id="t", target="110", state="answered")]
    caller = [bar for bar in draw(facts).bars if bar.lane == "caller"]
    assert [(bar.phase, bar.until) for bar in caller] == [("held", 4), ("talking", None)]


def test_what_is_dealt_with_after_the_call_makes_it_no_longer() -> None:
    assert draw(STORY).seconds == 62
    assert draw(STORY[:-2]).seconds == 61


def test_a_call_that_goes_on_has_bars_without_an_end() -> None:
    assert [bar.until for bar in draw(STORY[:6]).bars if bar.phase == "talking"] == [None, None]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([]).bars == ()
    assert draw([fact(0, Kind.OPERATOR_ACTION, what="ready")]).bars == ()


KINDS = st.sampled_from(tuple(Kind))
DATA = st.dictionaries(
    st.sampled_from(("agent", "seat", "target", "state", "party", "action", "level")),
    st.sampled_from(("1001", "110", *sorted(MARKED), "centre", "agent", "left", "5", "")) | st.integers() | st.none(),
)


@given(st.lists(st.builds(lambda at, kind, data: fact(at, kind, **data), st.floats(-9, 9), KINDS, DATA)))
def test_every_bar_has_a_word_and_ends_after_it_began(facts: list[Fact]) -> None:
    for bar in draw(facts).bars:
        assert bar.phase in labels_zh.PHASES_OF_CALL
        assert bar.until is None or bar.until >= bar.since
