"""The engine is killed or stopped while citizens call, wait and talk: nobody notices, and the ledger has it all."""

from __future__ import annotations

import asyncio
import signal
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.model import Kind
from phones.g711 import decode
from phones.phone import Answer
from phones.tones import likeliest, similarity, tone_share
from routing.model import CallbackPolicy, Table
from telephony.model import Priority
from tests.asterisk.support.crowd import (
    callers,
    in_app_queue,
    line,
    number_of,
    prompts,
    quiet,
    staff,
    staffed,
    told,
    waiting,
)
from tests.asterisk.support.product import Product, product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ = 440, 880
MUSIC_GAP_SECONDS = 3.0
"""No caller may hear nothing for longer."""
REPEATERS = 3
PROMISED = 5
AGE_TOLERANCE_SECONDS = 1.0
"""The age counts from the switch's first step, the fact of entering from our answer to it."""


@pytest.mark.smoke
async def test_without_an_engine_new_callers_hear_their_prompt_and_reach_a_human(hotline: Product) -> None:
    seat = await hotline.seat("8001", "1001", tone_hz=SEAT_HZ, behaviour=Answer(0.1, hang_up_after=2))
    await hotline.signal_engine(signal.SIGKILL)
    said = {}
    for number in ("12333", "12345"):
        call = await hotline.citizen().call(number, tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking(30)
        await call.ended(20)
        assert tone_share(talk.heard.pcm(), CITIZEN_HZ) > 0.7
        assert tone_share(call.heard.pcm(talk.answered_at, talk.ended_at), SEAT_HZ) > 0.7
        assert talk.answered_at is not None
        assert call.answered_at is not None
        assert call.answered_at - call.started_at < 6
        said[number] = likeliest(call.heard.pcm(None, talk.answered_at), prompts(hotline))
        print(number, said[number], "picked up after", call.answered_at - call.started_at)
    assert [name for name, _ in said.values()] == ["legacy-12333-during", "greeting-12345"]
    assert all(share > 0.8 for _, share in said.values())
    await hotline.start_engine()
    records = await told(hotline, 2, 60)
    assert sorted((r.number, r.answered_by, r.seat) for r in records) == [
        ("12333", "fallback", "8001"),
        ("12345", "fallback", "8001"),
    ]
    for record in records:
        kinds = await hotline.kinds(record.call)
        assert [kinds.count(kind) for kind in (Kind.ENTERED, Kind.ANSWERED, Kind.ENDED)] == [1, 1, 1]


@pytest.mark.exclusive
async def test_fifty_who_wait_hear_music_and_keep_places_ages_and_preferred_agents(home: Path) -> None:
    async with product(home, edit=staffed(2), wait_slice_seconds=6) as hotline:
        (seat,) = await staff(hotline, 1)
        for n in range(REPEATERS):  # who have called before, and talked with 1001
            before = await hotline.citizen().call("12345", caller=number_of(n), tone_hz=None)
            await (await seat.wait_talking()).hang_up()
            await before.hang_up()
        first = await hotline.citizen().call("12345", tone_hz=None)
        talk = await seat.wait_talking()
        crowd = await callers(hotline, 50)
        await waiting(hotline, 50)
        before_the_kill = await line(hotline)
        killed_at = seat.now
        await hotline.signal_engine(signal.SIGKILL)

        async def half_way() -> bool:
            return await in_app_queue(hotline) >= 20

        await until(half_way, "20 callers to drop into app_queue")
        dropped = await in_app_queue(hotline)
        await hotline.start_engine()
        await waiting(hotline, 50)
        assert await line(hotline) == before_the_kill
        assert len({since_ms for _, since_ms, _, _ in before_the_kill}) == 50
        assert [(priority, agent) for _, _, priority, agent in before_the_kill] == [
            *[(Priority.REPEAT, "1001")] * REPEATERS,
            *[(Priority.NORMAL, None)] * (50 - REPEATERS),
        ]
        back_after = seat.now - killed_at
        await asyncio.sleep(3)
        quietest = max(quiet(call, killed_at, seat.now) for call in crowd)
        assert quietest < MUSIC_GAP_SECONDS
        assert not any(call.is_over for call in crowd)
        seat.behaviour = Answer(0.02, hang_up_after=0.05)
        await talk.hang_up()
        await first.hang_up()

        async def served() -> bool:
            return sum(call.answered_at is not None for call in seat.calls) >= 51 + REPEATERS

        await until(served, "50 callers to be answered", 90)
        # Two that rang within the same moment may have overtaken each other on their way in.
        number = {str(record.call): record.caller for record in await hotline.calls()}
        assert sorted(number[call] for call, _, _, _ in before_the_kill) == [number_of(n) for n in range(50)]
        assert [call.caller for call in seat.calls[1 + REPEATERS :]] == [
            number[call] for call, _, _, _ in before_the_kill
        ]
        print(f"{dropped} in app_queue, back after {back_after:.1f} s, longest silence {quietest:.2f} s")
        for call in crowd:
            if not call.is_over:
                await call.hang_up()
        records = await told(hotline, 51 + REPEATERS)
        assert len(records) == 51 + REPEATERS == len({record.call for record in records})
        for record in records:
            assert record.answered_at is not None
            waited = (record.answered_at - record.entered_at).total_seconds()
            assert record.waited_ms is not None
            assert abs(record.waited_ms / 1000 - waited) < AGE_TOLERANCE_SECONDS, record


@pytest.mark.exclusive
async def test_fifty_in_line_of_whom_five_were_promised_a_callback_are_as_before(home: Path) -> None:
    def edit(table: Table) -> Table:
        return replace(staffed(2)(table), callback=CallbackPolicy())  # at any hour

    async with product(home, edit=edit, wait_slice_seconds=6) as hotline:
        crowd = await callers(hotline, 20)
        await waiting(hotline, 20)
        for n in range(PROMISED):
            await promised(hotline, str(13_800_000_000 + n), 21 + n)
        crowd += await callers(hotline, 30 - PROMISED)
        await waiting(hotline, 50)
        before, promises = await line(hotline), (await hotline.ask("/api/callbacks"))["callbacks"]
        assert len(before) == 50 == len(crowd) + PROMISED
        assert [promise["state"] for promise in promises] == ["waiting"] * PROMISED
        await hotline.signal_engine(signal.SIGKILL)
        await hotline.start_engine()
        await waiting(hotline, 50)
        assert await line(hotline) == before
        assert (await hotline.ask("/api/callbacks"))["callbacks"] == promises
        assert not any(call.is_over for call in crowd)
        for call in crowd:
            await call.hang_up()


async def promised(hotline: Product, caller: str, place: int) -> None:
    """The caller at this place of the line asks to be called back, confirms, and hangs up on the promise."""
    call = await hotline.citizen().call("12345", caller=caller)
    await waiting(hotline, place)
    for key, answer in (("1", "callback-number-is"), ("1", "callback-promised")):
        await call.send_digits(key)
        head = decode((hotline.plan.sounds / "zh-CN" / f"{answer}.alaw").read_bytes())[:4000]

        async def said(head: array[int] = head) -> bool:
            return similarity(call.heard.pcm(), head) > 0.8

        await until(said, f"{answer} to begin", 20)
    await call.hang_up()


@pytest.mark.exclusive
async def test_twenty_who_talk_are_left_in_peace(home: Path) -> None:
    async with product(home, edit=staffed(22, wrap_up_seconds=60)) as hotline:
        seats = await staff(hotline, 20, tone_hz=SEAT_HZ)
        crowd = hotline.citizen()
        calls = [await crowd.call("12345", caller=number_of(n), tone_hz=CITIZEN_HZ) for n in range(20)]
        by_number = {number_of(n): call for n, call in enumerate(calls)}
        talks = [await seat.wait_talking(30) for seat in seats]
        calls = [by_number[talk.caller] for talk in talks]
        killed_at = crowd.now
        await hotline.signal_engine(signal.SIGKILL)
        await asyncio.sleep(4)
        await talks[0].hang_up()  # while nobody watches
        await hotline.start_engine()
        await asyncio.sleep(1)
        until_ = crowd.now
        states = {row["seat"]: row["state"] for row in (await hotline.ask("/api/seats"))["seats"]}
        assert [states[seat.user] for seat in seats[1:]] == ["talking"] * 19
        gaps = [quiet(call, killed_at, until_) for call in [*calls[1:], *talks[1:]]]
        shares = [tone_share(call.heard.pcm(killed_at, until_), SEAT_HZ) for call in calls[1:]]
        shares += [tone_share(talk.heard.pcm(killed_at, until_), CITIZEN_HZ) for talk in talks[1:]]
        print(f"longest gap {max(gaps):.2f} s, least tone {min(shares):.2f}")
        assert max(gaps) < 0.3
        assert min(shares) > 0.9
        for talk in talks[1:]:
            await talk.hang_up()
        await until(lambda: hotline.seat_is("8020", "wrap-up"), "the last seat to wrap up")
        states = {row["seat"]: row["state"] for row in (await hotline.ask("/api/seats"))["seats"]}
        assert [states[seat.user] for seat in seats[1:]] == ["wrap-up"] * 19
        for call in calls:
            if not call.is_over:
                await call.hang_up()
        await told(hotline, 20, 60)
        await until(lambda: _all_with_seats(hotline), "what the engine had not written down to be filled in", 60)
        records = await hotline.calls()
        assert len(records) == 20
        assert sorted(record.seat for record in records) == [seat.user for seat in seats]
        for record in records:
            kinds = await hotline.kinds(record.call)
            assert [kinds.count(kind) for kind in (Kind.ENTERED, Kind.ANSWERED, Kind.ENDED)] == [1, 1, 1], kinds


async def test_a_stopped_engine_costs_a_new_caller_seconds_and_nobody_the_call(home: Path) -> None:
    async with product(home, edit=staffed(1), wait_slice_seconds=5) as hotline:
        (seat,) = await staff(hotline, 1, tone_hz=SEAT_HZ)
        first = await hotline.citizen().call("12345", tone_hz=None)
        talk = await seat.wait_talking()
        (patient,) = await callers(hotline, 1)
        await waiting(hotline, 1)
        stopped_at = seat.now
        await hotline.signal_engine(signal.SIGSTOP)
        new = await hotline.citizen().call("12333", caller=number_of(1), tone_hz=None)
        await new.answered(20)
        assert new.answered_at is not None
        print(f"picked up {new.answered_at - new.started_at:.1f} s after the INVITE")
        assert new.answered_at - new.started_at < 6
        await until(lambda: _queued(hotline, 2), "both to wait in app_queue")
        await asyncio.sleep(3)
        print(f"longest silence {quiet(patient, stopped_at, seat.now):.2f} s")
        assert not patient.is_over
        assert quiet(patient, stopped_at, seat.now) < MUSIC_GAP_SECONDS
        await hotline.signal_engine(signal.SIGCONT)
        await waiting(hotline, 2)
        await until(hotline.healthy, "the engine to be healthy")
        await talk.hang_up()
        await first.hang_up()
        for call, number in ((patient, number_of(0)), (new, number_of(1))):
            again = await seat.wait_talking(20)
            assert again.caller == number
            await again.hang_up()
            await call.hang_up()
        records = await told(hotline, 3)
        assert len(records) == 3
        for record in records:
            kinds = await hotline.kinds(record.call)
            assert [kinds.count(kind) for kind in (Kind.ENTERED, Kind.ANSWERED, Kind.ENDED)] == [1, 1, 1], kinds


async def _all_with_seats(hotline: Product) -> bool:
    return all(record.seat for record in await hotline.calls())


async def _queued(hotline: Product, count: int) -> bool:
    return await in_app_queue(hotline) >= count
