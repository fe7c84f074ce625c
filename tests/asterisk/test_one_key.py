"""One key from the seat: caller, agent and emergency centre together, whoever leaves first and whatever fails."""

from __future__ import annotations

import asyncio
import signal
import wave
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import asserted_identity
from phones.phone import Answer, Behaviour, EarlyMedia, PhoneCall, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.sounds import quiet, tone
from phones.tones import tone_share
from routing.model import Table
from tests.asterisk.support.scene import (
    LONGER_THAN_A_DROP,
    Scene,
    all_of,
    hear_each_other,
    scene,
    soon,
    states,
    until,
    with_groups,
)  # fmt: skip

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


@dataclass(frozen=True)
class Talk:
    """A citizen and an agent in a conversation."""

    caller: str
    call: PhoneCall
    talk: PhoneCall
    seat: SeatPhone


async def talks(here: Scene, *callers: str) -> list[Talk]:
    """Each of these citizens talks with an agent of its own."""
    seats = [await here.agent(f"10{n:02}", f"80{n:02}", SEAT_HZ) for n in range(1, len(callers) + 1)]
    calls = {caller: await here.hotline.citizen().call("12345", caller=caller) for caller in callers}
    spoken = [(await seat.wait_talking(20), seat) for seat in seats]
    return [Talk(talk.caller, calls[talk.caller], talk, seat) for talk, seat in sorted(spoken, key=_by_caller)]


def _by_caller(spoken: tuple[PhoneCall, SeatPhone]) -> str:
    return spoken[0].caller


def half(here: Scene, call: str, which: str) -> array[int]:
    (path,) = here.hotline.plan.recordings.rglob(f"{call}-{which}.wav")
    return samples(path)


def samples(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))


async def three_talk(here: Scene, with_whom: Talk, number: str) -> None:
    centre = await here.far_end(f"emergency-{number}", tone_hz=CENTRE_HZ)
    call, talk, caller = with_whom.call, with_whom.talk, with_whom.caller
    await talk.send_digits(f"*{number}")
    there = await centre.wait_talking(20)
    assert (there.dialled, there.caller, asserted_identity(there)) == (number, caller, caller)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ))
    await asyncio.sleep(2)
    await call.hang_up()
    await talk.ended(5)
    await there.ended(5)
    record = await here.told(caller)
    assert [(one.target, one.state) for one in record.transfers] == [(number, "ended")]
    assert await states(here, caller) == ["asked", "dialling", "answered", "ended"]
    assert record.end_cause == "16"
    for which, hz in (("caller", CITIZEN_HZ), ("agent", SEAT_HZ), ("agent", CENTRE_HZ)):
        tail = half(here, record.call, which)[-8000 * 2 :]
        assert tone_share(tail, hz) > 0.6, f"{hz} Hz in the {which}'s half during the conference"
    assert talk.answered_at is not None
    assert call.ended_at is not None
    recorded = len(half(here, record.call, "caller")) / 8000
    assert recorded > call.ended_at - talk.answered_at - 1, "from the first human to the end"


@pytest.mark.smoke
async def test_three_talk_and_the_centre_sees_the_citizen(here: Scene) -> None:
    numbers = ("110", "119", "120", "122")
    four = await talks(here, *(f"13900000{number}" for number in numbers))
    await all_of(*(three_talk(here, pair, number) for pair, number in zip(four, numbers, strict=True)))


async def agent_leaves_first(here: Scene, pair: Talk) -> None:
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    await pair.talk.send_digits("*110")
    there = await centre.wait_talking(20)
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
    await pair.talk.hang_up()
    await hear_each_other((pair.call, CITIZEN_HZ), (there, CENTRE_HZ))
    await here.seat_becomes(pair.seat.user, "ready")
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await there.hang_up()
    await here.fact(pair.caller, Kind.RATING_ASKED)
    await pair.call.hang_up()


async def centre_leaves_first(here: Scene, pair: Talk) -> None:
    centre = await here.far_end("emergency-119", tone_hz=CENTRE_HZ)
    for times in (1, 2):
        await pair.talk.send_digits("*119")
        there = await centre.wait_talking(20)
        await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
        await asyncio.sleep(LONGER_THAN_A_DROP)
        await there.hang_up()
        await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ))

        async def gone(times: int = times) -> bool:
            return (await states(here, pair.caller)).count("centre-left") == times

        await until(gone, "the centre to have left")
    await pair.talk.hang_up()
    await here.fact(pair.caller, Kind.RATING_ASKED)
    await pair.call.hang_up()
    record = await here.told(pair.caller)
    assert [one.state for one in record.transfers] == ["ended", "ended"]
    assert await states(here, pair.caller) == ["asked", "dialling", "answered", "centre-left", "ended"] * 2


async def backup_answers(here: Scene, pair: Talk, number: str, main: Behaviour | None) -> None:
    if main is not None:
        await here.far_end(f"emergency-{number}", behaviour=main)
    backup = await here.far_end(f"emergency-{number}-backup", tone_hz=CENTRE_HZ)
    await pair.talk.send_digits(f"*{number}")
    there = await backup.wait_talking(20)
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
    trunks = [fact.data["trunk"] for fact in await here.story(pair.caller) if fact.kind is Kind.TRANSFER][1:]
    assert trunks[0] == f"emergency-{number}"
    assert trunks[-2:] == [f"emergency-{number}-backup"] * 2
    await pair.call.hang_up()


async def test_whoever_leaves_the_others_go_on_and_the_backup_answers_for_the_main_trunk(here: Scene) -> None:
    one, two, three, four = await talks(here, *(f"1390000000{n}" for n in range(1, 5)))
    await all_of(
        agent_leaves_first(here, one),
        centre_leaves_first(here, two),
        backup_answers(here, three, "120", Refuse(486)),
        backup_answers(here, four, "122", None),
    )


async def both_trunks_dead(here: Scene, pair: Talk) -> None:
    await here.far_end("emergency-120", behaviour=Refuse(486))
    spare = await here.far_end("emergency-120-backup", behaviour=Refuse(503), tone_hz=CENTRE_HZ)
    pair.call.say(quiet())
    await pair.talk.send_digits("*120")
    pair.talk.say(quiet())
    await here.fact(pair.caller, Kind.TRANSFER, state="failed")
    await soon(lambda: here.heard(pair.talk, "emergency-failed") > 0.75, "the agent to hear that it failed", 15)
    await soon(lambda: here.heard(pair.call, "emergency-failed") > 0.75, "the caller to hear that it failed", 15)
    pair.call.say(tone(CITIZEN_HZ))
    pair.talk.say(tone(SEAT_HZ))
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ))
    spare.behaviour = Answer()
    await pair.talk.send_digits("*120")
    await here.fact(pair.caller, Kind.TRANSFER, state="answered")
    there = spare.calls[-1]
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
    await pair.call.hang_up()
    record = await here.told(pair.caller)
    assert [one.state for one in record.transfers] == ["ended", "ended"]


async def pressed_twice_and_by_the_citizen(here: Scene, pair: Talk) -> None:
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    await pair.call.send_digits("*110")
    await asyncio.sleep(1)
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ))
    assert centre.calls == []
    await pair.talk.send_digits("*110*110")
    there = await centre.wait_talking(20)
    await pair.talk.send_digits("*110")
    await pair.call.send_digits("*119*110")
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
    await asyncio.sleep(1)
    assert len(centre.calls) == 1
    assert await states(here, pair.caller) == ["asked", "dialling", "answered"]
    await pair.call.hang_up()


async def test_failure_gives_the_two_to_each_other_and_keys_do_only_what_they_should(here: Scene) -> None:
    one, two = await talks(here, "13900000011", "13900000012")
    await all_of(both_trunks_dead(here, one), pressed_twice_and_by_the_citizen(here, two))


async def test_an_agent_who_leaves_before_it_fails_gives_the_caller_back_first_in_line(here: Scene) -> None:
    main = await here.far_end("emergency-122", behaviour=RingForEver())
    await here.far_end("emergency-122-backup", behaviour=Refuse(486))
    (pair,) = await talks(here, "13900000021")
    await pair.talk.send_digits("*122")
    rings = await main.wait_ringing(20)
    await here.hotline.ask("/api/agents/1001/pause", {"reason": "小休"})
    waits = await here.hotline.citizen().call("12345", caller="13900000022")
    await here.fact("13900000022", Kind.WAITING)
    await pair.talk.hang_up()
    await soon(lambda: pair.talk.is_over, "the agent to be gone")
    rings.refuse(486)
    await here.fact(pair.caller, Kind.WAITING)
    other = await here.agent("1002", "8002", 1200)
    second = await other.wait_talking(20)
    assert second.caller == pair.caller
    await hear_each_other((pair.call, CITIZEN_HZ), (second, 1200))
    await pair.call.hang_up()
    last = await other.wait_talking(20)
    assert last.caller == "13900000022"
    await waits.hang_up()


async def shown(here: Scene) -> dict[str, tuple[str, str]]:
    """The transfers of the status, target to state and progress."""
    told = (await here.hotline.ask("/api/status"))["transfers"]
    return {one["target"]: (one["state"], one["progress"]) for one in told.values()}


async def test_a_centre_that_rings_and_one_with_early_media_are_shown_and_the_two_talk_on(here: Scene) -> None:
    ringing = await here.far_end("emergency-110", behaviour=RingForEver())
    speaking = await here.far_end("emergency-119", behaviour=EarlyMedia())
    one, two = await talks(here, "13900000041", "13900000042")
    for pair, key, centre in ((one, "*110", ringing), (two, "*119", speaking)):
        await pair.talk.send_digits(key)
        await centre.wait_ringing(20)
    wanted = {"110": ("dialling", "ringing"), "119": ("early-media", "early-media")}

    async def as_wanted() -> bool:
        return await shown(here) == wanted

    await until(as_wanted, f"the status to show {wanted}")
    for pair in (one, two):
        await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ))
    await one.talk.hang_up()
    wanted["110"] = ("waiting", "ringing")
    await until(as_wanted, f"the status to show {wanted}")
    await one.call.hang_up()
    await two.call.hang_up()


@pytest.mark.smoke
async def test_it_works_the_same_without_the_engine(here: Scene) -> None:
    backup = await here.far_end("emergency-110-backup", tone_hz=CENTRE_HZ)
    await here.far_end("emergency-110", behaviour=Refuse(486))
    (pair,) = await talks(here, "13900000031")
    await here.hotline.signal_engine(signal.SIGKILL)
    await pair.talk.send_digits("*110")
    there = await backup.wait_talking(20)
    assert (there.dialled, there.caller) == ("110", pair.caller)
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ), (there, CENTRE_HZ))
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await there.hang_up()
    await hear_each_other((pair.call, CITIZEN_HZ), (pair.talk, SEAT_HZ))
    await pair.talk.hang_up()
    await pair.call.ended(20)
