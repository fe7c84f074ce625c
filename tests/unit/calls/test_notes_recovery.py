"""What was noted of calls that are up outlives the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from calls.notes_recovery import restore_notes
from calls.registry import Calls
from database.errors import DatabaseError
from ledger.journal import Journal
from ledger.model import Fact, Kind
from telephony.model import CallId, Stage
from tests.support.engine_harness import Ledger, call_id

pytestmark = pytest.mark.unit

RANG = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Past:
    """The ledger of before."""

    def __init__(self, *facts: Fact) -> None:
        self.facts = list(facts)
        self.asked: list[tuple[datetime, datetime]] = []

    async def noted(self, since: datetime, until: datetime) -> list[Fact]:
        self.asked.append((since, until))
        return self.facts


def noted(number: int, second: int, **data: Any) -> Fact:
    return Fact(f"{number}-{second}", Kind.NOTED, call_id(number), RANG + timedelta(seconds=second), data)


@pytest.fixture
def calls() -> Calls:
    made = Calls(cast("Journal", Ledger()))
    made.get_or_create(call_id(1), "PJSIP/pstn-00000001", Stage.TALK).since_ms = round(RANG.timestamp() * 1000)
    return made


async def test_the_last_note_of_each_field_is_back_and_screens_hear_of_it(calls: Calls) -> None:
    told: list[CallId] = []
    past = Past(noted(1, 1, address="东山路"), noted(1, 2, summary="漏水"), noted(1, 3, summary="漏水到路面"),
                noted(2, 4, summary="已挂机的来电"))  # fmt: skip
    await restore_notes(calls, past.noted, lambda _kind, call, _data: told.append(call))
    held = calls.live[call_id(1)]
    assert (held.address, held.summary) == ("东山路", "漏水到路面")
    assert told == [call_id(1)]
    assert past.asked[0][0] == RANG


async def test_what_was_noted_since_the_start_stands(calls: Calls) -> None:
    calls.live[call_id(1)].summary = "改成了这样"
    await restore_notes(calls, Past(noted(1, 1, address="东山路", summary="漏水")).noted, lambda *_: None)
    assert (calls.live[call_id(1)].address, calls.live[call_id(1)].summary) == ("东山路", "改成了这样")


async def test_without_calls_nothing_is_read() -> None:
    past = Past()
    await restore_notes(Calls(cast("Journal", Ledger())), past.noted, lambda *_: None)
    assert past.asked == []


async def test_a_ledger_that_cannot_be_read_costs_the_notes_only(calls: Calls) -> None:
    async def away(_since: datetime, _until: datetime) -> list[Fact]:
        raise DatabaseError("away")

    await restore_notes(calls, away, lambda *_: None)
    assert calls.live[call_id(1)].summary == ""
