"""回拨 on a real switch: exactly one call per promise, at the age of the call in which it was made."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, PhoneCall, Refuse, RingForEver
from routing.model import CallbackPolicy, Table, WaitingAction, WaitingNews
from telephony.model import HEARD_MS
from tests.asterisk.support.callbacks import (
    CITIZEN_HZ,
    NO_PROMPT,
    SEAT_HZ,
    becomes,
    promised,
    rows,
    states,
    telephone,
)
from tests.asterisk.support.scene import Scene, asked_to_rate, begins, hear_each_other, scene, soon, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


def edited(table: Table) -> Table:
    return replace(
        with_groups(table),
        waiting_keys={"1": WaitingAction.CALLBACK, "9": WaitingAction.URGENT},
        waiting_news=WaitingNews(first_seconds=0),
        callback=CallbackPolicy(attempts=2, retry_minutes=1, ring_seconds=5, per_day=3),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


def talked_ms(talk: PhoneCall) -> float:
    assert talk.answered_at is not None
    return 1000 * (monotonic() - talk.answered_at)


@pytest.mark.smoke
async def test_promised_reserved_dialled_connected_at_its_age(here: Scene) -> None:
    phones = await telephone(here)
    call = await promised(here, "13600003001")
    later = await here.hotline.citizen().call(NO_PROMPT, caller="13600003002")
    await here.fact("13600003002", Kind.WAITING)
    assert phones.calls == [], "nobody is dialled while no agent is free"
    seat = await here.agent("1001", "8001", SEAT_HZ)
    rung = await phones.called(10)
    assert (rung.dialled, rung.caller) == ("13600003001", "12345")
    talk = await seat.wait_talking(15)
    assert talk.caller == "13600003001", "who was promised a call is older than who came later"
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    await soon(lambda: talked_ms(talk) > HEARD_MS + 500, "a talk that is long enough to be rated")
    assert here.heard(rung, "callback-greeting") > 0.8
    assert "回拨" in talk.header("From"), "the agent sees that it is a callback"
    await talk.hang_up()
    await asked_to_rate(here.hotline, rung)
    await rung.send_digits("5")
    await rung.ended(20)
    assert (await seat.wait_talking(15)).caller == "13600003002"
    await later.hang_up()
    assert len(phones.calls) == 1
    assert await states(here, "13600003001") == ["waiting", "dialling", "reached", "kept"]
    record = await here.told("13600003001", lambda record: record.rule == "callback" and record.ended_at is not None)
    assert (record.agent, record.rating_level, record.number) == ("1001", 5, NO_PROMPT)
    assert record.waited_ms is not None
    assert record.waited_ms > 1000 * (talk.started_at - (call.ended_at or 0)), "its age counts from the first call"


async def test_a_busy_citizen_is_tried_again_later_and_the_agent_is_free_at_once(here: Scene) -> None:
    phones = await telephone(here, behaviour=Refuse(486))
    await promised(here, "13600003101")
    await here.agent("1001", "8001")
    await phones.called(10)
    await here.seat_becomes("8001", "ready", 10)
    await becomes(here, "13600003101", "waiting")
    (row,) = await rows(here, "13600003101")
    assert (row["attempts"], row["why"]) == (1, "busy")
    assert row["not_before"] is not None
    assert len(phones.calls) == 1
    await here.hotline.ask(f"/api/callbacks/{row['id']}/cancel", {"reason": "试验结束"})
    assert (await rows(here, "13600003101"))[0]["state"] == "withdrawn"


async def test_a_citizen_who_does_not_answer_is_tried_again_later(here: Scene) -> None:
    phones = await telephone(here, behaviour=RingForEver())
    await promised(here, "13600003201")
    await here.agent("1001", "8001")
    rung = await phones.called(10)
    await rung.ended(15)
    await here.seat_becomes("8001", "ready", 10)
    (row,) = await rows(here, "13600003201")
    assert (row["state"], row["attempts"], row["why"]) == ("waiting", 1, "no-answer")
    await here.hotline.ask(f"/api/callbacks/{row['id']}/cancel", {"reason": "试验结束"})


async def test_an_agent_who_is_gone_meanwhile_costs_the_citizen_nothing(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=3))
    await promised(here, "13600003301")
    first = await here.agent("1001", "8001")
    rung = await phones.called(10)
    await first.close()
    await rung.answered(10)
    second = await here.agent("1002", "8002")
    talk = await second.wait_talking(15)
    assert talk.caller == "13600003301"
    assert len(phones.calls) == 1
    await talk.hang_up()
    await rung.ended(20)
    await becomes(here, "13600003301", "kept")


async def test_a_restart_between_promise_and_call_leaves_exactly_one_call(here: Scene) -> None:
    phones = await telephone(here)
    await promised(here, "13600003401")
    await here.hotline.signal_engine(signal.SIGKILL)
    seat = await here.hotline.seat("8001", tone_hz=SEAT_HZ)
    await here.hotline.start_engine()
    await here.hotline.ask("/api/agents/1001/sign-in", {"seat": "8001"})
    talk = await seat.wait_talking(20)
    await talk.hang_up()
    await phones.calls[0].ended(20)
    await becomes(here, "13600003401", "kept")
    assert [call.dialled for call in phones.calls] == ["13600003401"]


async def test_a_restart_while_the_telephone_rings_does_not_ring_it_twice(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=4.5))
    await promised(here, "13600003501")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    rung = await phones.called(10)
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    talk = await seat.wait_talking(20)
    assert talk.caller == "13600003501"
    await talk.hang_up()
    await rung.ended(20)
    await becomes(here, "13600003501", "kept")
    assert len(phones.calls) == 1


async def test_a_call_that_was_kept_while_no_engine_lived_is_not_made_again(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=1))
    await promised(here, "13600003601")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    rung = await phones.called(10)
    await here.hotline.signal_engine(signal.SIGKILL)
    talk = await seat.wait_talking(30)
    await talk.hang_up()
    await rung.ended(20)
    await here.hotline.start_engine()
    await becomes(here, "13600003601", "kept")
    assert len(phones.calls) == 1


async def test_a_withheld_number_is_asked_for_and_an_emergency_number_is_refused(here: Scene) -> None:
    call = await here.hotline.citizen().call(NO_PROMPT, caller=None)
    await begins(here, call, "queue-wait")
    await call.send_digits("1")
    await begins(here, call, "callback-number-ask")
    await call.send_digits("110#")
    await begins(here, call, "callback-number-bad")
    mark = call._phone.now
    await call.send_digits("1")
    await begins(here, call, "callback-number-ask", mark)
    await call.send_digits("13600003701#")
    await soon(lambda: here.heard(call, "callback-confirm") > 0.8, "the number to be read back whole", 20)
    await call.send_digits("1")
    await call.ended(20)
    assert here.heard(call, "callback-promised") > 0.8
    (row,) = await rows(here, "13600003701")
    assert row["state"] == "waiting"
    await here.hotline.ask(f"/api/callbacks/{row['id']}/cancel", {"reason": "试验结束"})
