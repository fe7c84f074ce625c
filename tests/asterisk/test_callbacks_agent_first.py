"""先呼座席 on a real switch: the agent's phone rings first, then the citizen's; one call, at its age."""

from __future__ import annotations

import signal
import wave
from array import array
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, Refuse, RingForEver
from phones.tones import tone_share
from routing.model import CallbackFirst, CallbackPolicy, Table, WaitingAction, WaitingNews
from telephony.model import AgentId
from tests.asterisk.support.callbacks import CITIZEN_HZ, NO_PROMPT, SEAT_HZ, becomes, promised, rows, states, telephone
from tests.asterisk.support.scene import Scene, asked_to_rate, comes_to_hear, hear_each_other, scene, soon, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CENTRE_HZ = 620
RING_TONE_HZ = 450
"""Of indications.conf, zone cn."""


def edited(table: Table) -> Table:
    rung = with_groups(table, ring_seconds=6).groups
    groups = tuple(replace(group, callback_first=CallbackFirst.AGENT, whisper=True) for group in rung)
    return replace(
        table,
        groups=groups,
        auto_answer=("8001",),
        waiting_keys={"1": WaitingAction.CALLBACK},
        waiting_news=WaitingNews(first_seconds=0),
        callback=CallbackPolicy(attempts=2, retry_minutes=1, ring_seconds=5, per_day=3),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


async def test_the_agent_is_rung_first_then_the_citizen_and_they_talk_at_the_age_of_the_first_call(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=4))
    call = await promised(here, "13600004001")
    seat = await here.agent("1001", "8001", SEAT_HZ, behaviour=Answer(after=1))
    rung_first = await seat.wait_ringing(15)
    assert phones.calls == [], "the citizen is not dialled before the agent has answered"
    assert (rung_first.caller, "回拨" in rung_first.header("From")) == ("13600004001", True)
    assert "answer-after=0" in rung_first.header("Call-Info")
    rung = await phones.called(15)
    assert rung_first.is_talking
    assert (rung.dialled, rung.caller) == ("13600004001", "12345")
    await soon(lambda: tone_share(rung_first.heard.pcm(rung.started_at), RING_TONE_HZ) > 0.1, "ringing to be heard", 10)
    await rung.answered(15)
    await hear_each_other((rung, CITIZEN_HZ), (rung_first, SEAT_HZ), seconds=20)
    assert here.heard(rung_first, "callback-agent") > 0.8
    assert here.heard(rung_first, f"line-{NO_PROMPT}") > 0.8
    assert here.heard(rung, "callback-greeting") < 0.5, "a human speaks first"
    assert await here.state("8001") == "talking"
    await rung_first.hang_up()
    await asked_to_rate(here.hotline, rung)
    await rung.send_digits("5")
    await rung.ended(20)
    assert len(phones.calls) == 1
    assert await states(here, "13600004001") == ["waiting", "ringing", "dialling", "reached", "kept"]
    record = await here.told("13600004001", lambda record: record.rule == "callback" and record.ended_at is not None)
    assert (record.agent, record.seat, record.rating_level, record.number) == ("1001", "8001", 5, NO_PROMPT)
    assert record.waited_ms is not None
    assert record.waited_ms > 1000 * (rung.started_at - (call.ended_at or 0)), "its age counts from the first call"
    kinds = [fact.kind for fact in await here.hotline.facts(record.call)]
    assert [kind for kind in kinds if kind in (Kind.ENTERED, Kind.OFFERED, Kind.ANSWERED, Kind.TALK_ENDED)] == [
        *(Kind.ENTERED, Kind.OFFERED, Kind.ANSWERED, Kind.TALK_ENDED)
    ]
    (mixed,) = here.hotline.plan.recordings.rglob(f"{record.call}.wav")
    assert tone_share(_wave(mixed.with_name(f"{record.call}-caller.wav")), CITIZEN_HZ) > 0.7
    assert tone_share(_wave(mixed.with_name(f"{record.call}-agent.wav")), SEAT_HZ) > 0.7
    await here.seat_becomes("8001", "ready")


async def test_a_busy_citizen_is_told_to_the_agent_who_is_free_again_and_the_promise_is_tried_later(
    here: Scene,
) -> None:
    phones = await telephone(here, behaviour=Refuse(486))
    await promised(here, "13600004101")
    seat = await here.agent("1001", "8001")
    talk = await seat.wait_talking(15)
    await talk.ended(20)
    assert not talk.ended_by_us
    assert here.heard(talk, "callback-agent-failed") > 0.8
    await here.seat_becomes("8001", "ready")
    (row,) = await rows(here, "13600004101")
    assert (row["state"], row["attempts"], row["why"]) == ("waiting", 1, "busy")
    assert row["not_before"] is not None
    assert len(phones.calls) == 1
    await cancelled(here, "13600004101")


async def test_a_citizen_who_does_not_answer_frees_the_agent_and_is_tried_later(here: Scene) -> None:
    phones = await telephone(here, behaviour=RingForEver())
    await promised(here, "13600004201")
    seat = await here.agent("1001", "8001")
    talk = await seat.wait_talking(15)
    await talk.ended(30)
    assert here.heard(talk, "callback-agent-failed") > 0.8
    await here.seat_becomes("8001", "ready")
    (row,) = await rows(here, "13600004201")
    assert (row["state"], row["attempts"], row["why"]) == ("waiting", 1, "no-answer")
    assert len(phones.calls) == 1
    await cancelled(here, "13600004201")


async def test_agents_who_are_busy_refuse_or_do_not_answer_are_shown_so_and_the_next_one_is_rung(here: Scene) -> None:
    phones = await telephone(here)
    await promised(here, "13600004301")
    takes_nothing = (Refuse(486), Refuse(480), Refuse(603), RingForEver())
    for place, behaviour in enumerate(takes_nothing, 1):
        first = await here.agent(f"100{place}", f"800{place}", behaviour=behaviour)
        await first.wait_ringing(15)
        await here.seat_becomes(f"800{place}", "not-responding")
    assert phones.calls == [], "the agents who did not answer cost the citizen nothing"
    second = await here.agent("1005", "8005", SEAT_HZ)
    talk = await second.wait_talking(20)
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    assert (await rows(here, "13600004301"))[-1]["attempts"] == 1
    await here.seat_becomes("8005", "talking")
    await rung.hang_up()
    record = await here.told("13600004301", lambda record: record.rule == "callback" and record.ended_at is not None)
    assert record.agent == "1005"
    promise = await here.hotline.facts((await rows(here, "13600004301"))[-1]["id"])
    why = {fact.data["why"] for fact in promise if fact.kind is Kind.CALLBACK and fact.data["state"] == "waiting"}
    assert why == {"", "agent-busy", "agent-no-answer", "agent-rejected"}


async def test_an_agent_who_is_gone_while_the_citizen_rings_loses_nobody(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=4))
    await promised(here, "13600004401")
    first = await here.agent("1001", "8001")
    talk = await first.wait_talking(15)
    rung = await phones.called(15)
    await talk.hang_up()
    await here.seat_becomes("8001", "not-responding")
    second = await here.agent("1002", "8002", SEAT_HZ)
    await rung.answered(15)
    other = await second.wait_talking(20)
    await hear_each_other((rung, CITIZEN_HZ), (other, SEAT_HZ), seconds=20)
    assert len(phones.calls) == 1
    await rung.hang_up()
    await becomes(here, "13600004401", "kept")


async def test_a_restart_while_the_agents_phone_rings_leaves_exactly_one_call(here: Scene) -> None:
    phones = await telephone(here)
    await promised(here, "13600004501")
    seat = await here.agent("1001", "8001", SEAT_HZ, behaviour=Answer(after=3))
    orphan = await seat.wait_ringing(15)
    await here.hotline.signal_engine(signal.SIGKILL)
    await orphan.ended(25)
    assert not orphan.ended_by_us, "nobody hangs on a dead line"
    assert phones.calls == []
    await here.hotline.start_engine()
    talk = await seat.wait_talking(30)
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    await rung.hang_up()
    await becomes(here, "13600004501", "kept")
    assert [call.dialled for call in phones.calls] == ["13600004501"]


async def test_a_restart_while_the_citizen_rings_puts_the_citizen_through_to_the_agent_who_waits(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=4.5))
    await promised(here, "13600004601")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(15)
    rung = await phones.called(15)
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=30)
    await here.seat_becomes("8001", "talking")
    await rung.hang_up()
    await becomes(here, "13600004601", "kept")
    assert (len(phones.calls), len(seat.calls)) == (1, 1)
    await here.seat_becomes("8001", "ready")


async def test_a_talk_that_began_while_no_engine_lived_is_not_made_again(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=2))
    await promised(here, "13600004701")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(15)
    rung = await phones.called(15)
    await here.hotline.signal_engine(signal.SIGKILL)
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    await rung.hang_up()
    await here.hotline.start_engine()
    await becomes(here, "13600004701", "kept")
    assert len(phones.calls) == 1


async def test_a_citizen_who_does_not_answer_while_no_engine_lives_frees_the_agent(here: Scene) -> None:
    phones = await telephone(here, behaviour=RingForEver())
    await promised(here, "13600004801")
    seat = await here.agent("1001", "8001")
    talk = await seat.wait_talking(15)
    await phones.called(15)
    await here.hotline.signal_engine(signal.SIGKILL)
    await talk.ended(30)
    assert here.heard(talk, "callback-agent-failed") > 0.8
    await here.quiet()
    await here.hotline.start_engine()
    await becomes(here, "13600004801", "waiting")
    assert (await rows(here, "13600004801"))[0]["attempts"] == 1
    await cancelled(here, "13600004801")
    await here.seat_becomes("8001", "ready")


async def test_one_key_110_works_in_the_talk(here: Scene) -> None:
    phones = await telephone(here)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    await promised(here, "13600004901")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(15)
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    await here.seat_becomes("8001", "talking")
    await talk.send_digits("*110")
    police = await centre.called(15)
    assert police.caller == "13600004901"
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), (police, CENTRE_HZ), seconds=20)
    await talk.hang_up()
    await comes_to_hear(rung, CENTRE_HZ)
    await rung.hang_up()
    await police.ended(20)
    record = await here.told("13600004901", lambda record: record.rule == "callback" and record.ended_at is not None)
    assert [one.target for one in record.transfers] == ["110"]
    await here.seat_becomes("8001", "ready")


async def test_a_supervisor_takes_the_talk_over(here: Scene) -> None:
    phones = await telephone(here)
    await promised(here, "13600005001")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(15)
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (talk, SEAT_HZ), seconds=20)
    await here.seat_becomes("8001", "talking")
    boss = await here.agent(AgentId("1010"), "8002", CENTRE_HZ)
    await here.hotline.ask("/api/supervise/take-over", {"agent": "1001", "supervisor": "1010", "reason": "试验"})
    taken = await boss.wait_talking(15)
    await talk.ended(15)
    await comes_to_hear(rung, CENTRE_HZ)
    assert taken.caller == "13600005001"
    await rung.hang_up()


async def cancelled(here: Scene, caller: str) -> None:
    (row,) = await rows(here, caller)
    await here.hotline.ask(f"/api/callbacks/{row['id']}/cancel", {"reason": "试验结束"})


def _wave(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))
