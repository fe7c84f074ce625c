"""What belongs to a call besides itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger.model import Fact, Kind
from ledger.related import linked
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
ATTEMPT = "hl1-1700000000.9000000011"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(seconds: float, kind: Kind, /, **data: Any) -> Fact:
    return Fact(f"{seconds:09.3f}-{kind}", kind, CALL, AT + timedelta(seconds=seconds), data)


def test_orders_messages_and_callbacks_stand_once_as_their_last_fact_says() -> None:
    order = {"number": "hl1-20260101-0001", "type_name": "供水中断"}
    found = linked(
        [
            fact(0, Kind.ENTERED, number="12345"),
            fact(5, Kind.ORDER, what="raised", state="dispatched", **order),
            fact(8, Kind.MESSAGE, state="left", seconds=12),
            fact(9, Kind.CALLBACK, state="waiting", attempt=ATTEMPT, attempts=0),
            fact(20, Kind.CALLBACK, state="reached", attempt=ATTEMPT, attempts=1),
            fact(60, Kind.CALLBACK, state="kept", attempt=ATTEMPT, attempts=1),
            fact(99, Kind.ORDER, what="closed", state="closed", **order),
        ]
    )
    assert [(one.kind, one.id, one.call) for one in found] == [
        ("order", "hl1-20260101-0001", ""),
        ("message", CALL, ""),
        ("callback", CALL, ATTEMPT),
    ]
    assert "已办结" in found[0].text
    assert found[2].text == "回拨完成"


def test_an_attempt_that_was_not_dialled_is_no_call_to_open_and_one_that_was_stays_one() -> None:
    waiting = fact(9, Kind.CALLBACK, state="waiting", attempt=ATTEMPT, attempts=0)
    assert linked([waiting])[0].call == ""
    dialled = fact(20, Kind.CALLBACK, state="dialling", attempt=ATTEMPT, attempts=1)
    again = fact(50, Kind.CALLBACK, state="waiting", attempt=f"{ATTEMPT[:-1]}2", attempts=1, why="busy")
    assert linked([waiting, dialled, again])[0].call == ATTEMPT
