"""Folding facts into one row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import clean
from ledger.model import Fact, Kind
from ledger.records import CEL, ENGINE, MIXED, OF_NO_CALL, TransferRecord, fold
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(seconds: float, kind: Kind, source: str = ENGINE, /, **data: Any) -> Fact:
    return Fact(f"{source}-{kind}-{seconds}", kind, CALL, AT + timedelta(seconds=seconds), data, source)


ANSWERED_CALL = [
    fact(0, Kind.ENTERED, number="12333", caller="13800138000", mode="full", rule="legacy.full.during", version=7),
    fact(0.1, Kind.PROMPTED, prompts=["transition-12333"]),
    fact(3, Kind.WAITING, group="social-security", position=2),
    fact(6, Kind.OFFERED, seat="8003", agent="1003", group="social-security", waited_ms=6000),
    fact(9, Kind.NOT_ANSWERED, seat="8003", agent="1003", why="busy"),
    fact(9.1, Kind.OFFERED, seat="8004", agent="1004", group="general", waited_ms=9100),
    fact(11, Kind.ANSWERED, seat="8004", agent="1004", group="general", waited_ms=11000, by="agent"),
    fact(11, Kind.RECORDING, file="x.wav"),
    fact(20, Kind.TRANSFER, id="t1", target="110", state="ringing"),
    fact(25, Kind.TRANSFER, id="t1", target="110", state="joined"),
    fact(71, Kind.TALK_ENDED, seat="8004", agent="1004", talk_ms=60000),
    fact(72, Kind.RATING_ASKED),
    fact(75, Kind.RATED, key="5", level=5),
    fact(77, Kind.ENDED, cause="16", by="caller", talk_ms=60000, answered=True),
]


def test_a_whole_call_is_one_row() -> None:
    record = fold(ANSWERED_CALL)
    assert record is not None
    assert (record.number, record.caller, record.mode, record.rule) == (
        "12333",
        "13800138000",
        "full",
        "legacy.full.during",
    )
    assert (record.entered_at, record.answered_at) == (AT, AT + timedelta(seconds=11))
    assert record.ended_at == AT + timedelta(seconds=77)
    assert (record.group, record.agent, record.seat, record.answered_by) == ("general", "1004", "8004", "agent")
    assert (record.talk_ms, record.waited_ms, record.rating_level, record.version) == (60000, 11000, 5, 7)
    assert (record.end_cause, record.ended_by, record.source) == ("16", "caller", ENGINE)
    assert record.transfers == (TransferRecord("110", "joined"),)


@given(st.permutations(ANSWERED_CALL), st.lists(st.sampled_from(ANSWERED_CALL)))
def test_neither_order_nor_repetition_matters(facts: list[Fact], again: list[Fact]) -> None:
    assert fold([*facts, *again]) == fold(ANSWERED_CALL)


def test_a_call_nobody_answered_waited_to_its_end() -> None:
    record = fold([fact(0, Kind.ENTERED, number="12345"), fact(2, Kind.WAITING, group="general"), fact(40, Kind.ENDED)])
    assert record is not None
    assert (record.waited_ms, record.talk_ms, record.answered_at, record.answered_by) == (40000, None, None, "")
    assert (record.group, record.rating_level) == ("general", None)


def test_a_call_without_its_beginning_still_has_a_row() -> None:
    record = fold([fact(5, Kind.ENDED, CEL, cause="16")])
    assert record is not None
    assert (record.entered_at, record.number, record.source) == (AT + timedelta(seconds=5), "", CEL)


def test_what_the_engine_saw_goes_before_what_was_filled_in() -> None:
    record = fold(
        [
            fact(0, Kind.ENTERED, number="12345"),
            fact(4, Kind.ANSWERED, CEL, seat="8001", by="fallback"),
            fact(5, Kind.ANSWERED, seat="8002", agent="1002", by="agent"),
            fact(9, Kind.ENDED, CEL, cause="16", talk_ms=5000),
        ]
    )
    assert record is not None
    assert (record.seat, record.answered_by, record.talk_ms, record.source) == ("8002", "agent", 5000, MIXED)


def test_a_rating_asked_for_and_not_given_is_zero() -> None:
    asked = fold([fact(0, Kind.ENTERED), fact(1, Kind.RATING_ASKED)])
    assert asked is not None
    assert asked.rating_level == 0


def test_no_facts_no_row() -> None:
    assert fold([]) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from([kind for kind in Kind if kind not in OF_NO_CALL and kind is not Kind.OURS]),
            st.dictionaries(
                st.sampled_from(["number", "group", "talk_ms", "waited_ms", "level", "version", "cause", "target"]),
                st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers()) | st.booleans(),
            ),
        ),
        min_size=1,
    )
)
def test_any_data_folds_within_bounds(parts: list[tuple[Kind, dict[str, Any]]]) -> None:
    record = fold([fact(place, kind, **clean(data)) for place, (kind, data) in enumerate(parts)])
    assert record is not None
    for number in (record.talk_ms, record.waited_ms, record.version):
        assert number is None or 0 <= number < 2**63
    assert record.rating_level in (None, 0, 1, 2, 3, 4, 5)
    assert max(len(text) for text in (record.number, record.group, record.end_cause)) <= 64


def test_an_alarm_is_no_call() -> None:
    assert fold([fact(0, Kind.ALARM, alarm="trunk-emergency-110", raised=True)]) is None
