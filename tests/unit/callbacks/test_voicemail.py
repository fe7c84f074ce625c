from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from callbacks.voicemail_rules import (
    BYTES_PER_SECOND,
    HEADER_BYTES,
    Voicemail,
    closed,
    fold,
    length,
    message_of,
    to_data,
)
from ivr.model import Script
from ivr.ports import Queued
from ledger.model import Kind
from queues.events import AgentSignedIn, SeatReachable
from telephony.model import AgentId, CallId, GroupId, SeatId
from tests.support.engine_harness import House, call_id, event

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
MESSAGE = Voicemail(CallId("hl1-1700000000.1"), "13600000001", "12333", "general", 3.5, NOW, NOW + timedelta(hours=24))
THREE_SECONDS = HEADER_BYTES + 3 * BYTES_PER_SECOND


def test_the_clock_runs_until_it_is_closed() -> None:
    assert not MESSAGE.overdue(NOW + timedelta(hours=24))
    assert MESSAGE.overdue(NOW + timedelta(hours=24, seconds=1))
    in_time = closed(MESSAGE, "1001", "已答复", NOW + timedelta(hours=23))
    assert not in_time.overdue(NOW + timedelta(days=9))
    assert closed(MESSAGE, "1001", "已答复", NOW + timedelta(hours=25)).overdue(NOW + timedelta(hours=25))
    with pytest.raises(ValueError, match="closed"):
        closed(in_time, "1002", "再来", NOW)


def test_facts_say_all_and_the_latest_is_the_truth() -> None:
    done = closed(MESSAGE, "1001", "已答复", NOW)
    assert message_of(MESSAGE.id, to_data(MESSAGE)) == MESSAGE
    assert fold(MESSAGE.id, [("01B", to_data(done)), ("01A", to_data(MESSAGE))]) == done
    assert fold(MESSAGE.id, []) is None


@pytest.mark.parametrize(("size", "seconds"), [(0, 0), (HEADER_BYTES, 0), (THREE_SECONDS, 3)])
def test_length_is_told_by_the_size(size: int, seconds: float) -> None:
    assert length(size) == seconds


@pytest.mark.parametrize("size", ["", "-1", "x", str(HEADER_BYTES), str(HEADER_BYTES + BYTES_PER_SECOND - 1)])
async def test_a_message_that_holds_nothing_is_refused(size: str) -> None:
    house = House()
    assert not house.desk.message(house.question(Script.MESSAGE, action=size))
    assert house.ledger.of(Kind.MESSAGE) == []


async def test_a_message_is_taken_once_however_often_it_is_told() -> None:
    house = House()
    house.desk.place(house.question(Script.OFFER))
    assert house.desk.leave_line(house.question(Script.WAITING))
    assert house.queues.acd.tickets == {}
    told = event(
        "UserEvent", UserEvent="Message", Call=call_id(1), Number="12333", Caller="13600000001", Group="general",
        Bytes=str(THREE_SECONDS),
    )  # fmt: skip
    house.news.hear(told)
    house.news.hear(told)
    assert house.desk.message(house.question(Script.MESSAGE, action=str(THREE_SECONDS)))
    (fact,) = house.ledger.of(Kind.MESSAGE)
    assert (fact["caller"], fact["line"], fact["seconds"]) == ("13600000001", "12333", 3.0)


async def test_what_was_dealt_with_a_day_ago_is_let_go_and_what_is_open_never() -> None:
    house = House()
    day = timedelta(days=1) // timedelta(milliseconds=1)
    for serial in (1, 2):
        house.desk.message(house.question(Script.MESSAGE, serial, action=str(THREE_SECONDS)))
    house.mailbox.close(call_id(1), "1001", "已答复")
    house.now += day
    house.desk.message(house.question(Script.MESSAGE, 3, action=str(THREE_SECONDS)))
    assert {one.id for one in house.mailbox.all()} == {call_id(1), call_id(2), call_id(3)}
    house.now += 1
    house.mailbox.close(call_id(3), "1001", "已答复")
    assert {one.id for one in house.mailbox.all()} == {call_id(2), call_id(3)}


async def test_who_is_being_brought_to_an_agent_leaves_no_message() -> None:
    house = House()
    house.queues.apply(SeatReachable(SeatId("8001")))
    house.queues.apply(AgentSignedIn(AgentId("1001"), SeatId("8001"), (GroupId("general"),)))
    house.desk.place(house.question(Script.OFFER))
    assert not house.desk.leave_line(house.question(Script.WAITING))


async def test_who_said_nothing_has_its_old_age() -> None:
    house = House()
    house.desk.place(house.question(Script.OFFER))
    house.desk.leave_line(house.question(Script.WAITING))
    assert isinstance(house.desk.place(house.question(Script.MESSAGE)), Queued)
    assert house.queues.acd.tickets[call_id(1)].since_ms == house.now - 5_000
