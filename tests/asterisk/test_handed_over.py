"""A centre gives its citizen back by REFER, and no further than to us; it holds, moves its media, drops nobody."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic
from urllib.parse import quote

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import Centre
from phones.phone import PhoneCall
from phones.seat_phone import SeatPhone
from phones.sounds import tone
from phones.tones import longest_silence
from routing.model import Overflow, Table
from telephony.model import OverflowTo, OverflowWhen
from tests.asterisk.support.scene import (
    LONGER_THAN_A_DROP,
    Scene,
    hear_each_other,
    hears,
    scene,
    soon,
    with_groups,
)  # fmt: skip
from transfers.reference import hexadecimal

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CITIZEN_HZ, SEAT_HZ, OTHER_HZ, CENTRE_HZ = 440, 880, 1000, 620
AT_MOST_SILENT = 2.0
HOST = "127.0.0.1"
CASE = (("User-to-User", f"{hexadecimal('JQ20261123-9')};encoding=hex"),)


def edited(table: Table) -> Table:
    """Who wants social security while nobody is there may leave a message."""
    table = with_groups(table)
    nobody = (Overflow(OverflowWhen.NOBODY, 0, OverflowTo.MESSAGE),)
    groups = (replace(row, overflow=nobody) if row.id == "social-security" else row for row in table.groups)
    return replace(table, groups=tuple(groups))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def with_the_police(here: Scene, caller: str, number: str = "12345") -> tuple[PhoneCall, PhoneCall]:
    """The agent has pressed *110 and left: citizen and centre talk."""
    seat = await here.agent("1001", "8001", SEAT_HZ)
    police = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call(number, caller=caller, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await police.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ))
    await talk.hang_up()
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    await here.fact(caller, Kind.TRANSFER, state="agent-left")
    return call, there


def seat_phone(here: Scene) -> SeatPhone:
    (phone,) = (phone for phone in here.hotline._phones if isinstance(phone, SeatPhone))
    return phone


def never_in_silence(call: PhoneCall, since: float) -> None:
    assert longest_silence(call.heard.pcm(since, monotonic())) <= AT_MOST_SILENT


async def test_a_centre_hands_a_citizen_back_by_refer_without_a_drop(here: Scene) -> None:
    call, there = await with_the_police(here, "13800000201")
    since = monotonic()
    await here.seat_becomes("8001", "ready")
    again = seat_phone(here)
    assert await there.refer(f"sip:12345@{HOST}", headers=CASE) == "200"
    await there.hang_up()
    talk = await again.wait_talking(20)
    assert talk.header("From").startswith('"110 转来"')
    assert talk.caller == "13800000201"
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    never_in_silence(call, since)
    told = await here.fact("13800000201", Kind.FROM_CENTRE)
    assert dict(told.data) == {"centre": "110", "reference": "JQ20261123-9", "number": "12345"}
    await here.fact("13800000201", Kind.TRANSFER, state="returned")
    story = await here.story("13800000201")
    assert [fact.kind for fact in story].count(Kind.ENTERED) == 1, "one call, with the age it has"
    assert not [fact for fact in story if fact.kind is Kind.RATING_ASKED]
    await call.hang_up()
    record = await here.told("13800000201")
    assert [(one.target, one.state) for one in record.transfers] == [("110", "ended")]
    await the_recording_is_whole(here, "13800000201", call)


async def the_recording_is_whole(here: Scene, caller: str, call: PhoneCall) -> None:
    """From the first human to the end, in one file."""
    record = await here.told(caller)
    assert record.answered_at is not None
    assert record.ended_at is not None
    lasts = (record.ended_at - record.answered_at).total_seconds()
    file = here.hotline.plan.recordings / str((await here.fact(caller, Kind.RECORDING)).data["file"])
    await soon(lambda: file.stat().st_size / 16000 > lasts - 1.5, f"{lasts} s of {caller} to be recorded")


async def test_handed_to_an_old_number_it_waits_for_that_group_and_its_last_resorts_apply(here: Scene) -> None:
    call, there = await with_the_police(here, "13800000202")
    await here.hotline.ask("/api/agents/1001/sign-out", {})
    since = monotonic()
    assert await there.refer(f"sip:12333@{HOST};user=phone") == "200"
    await there.hang_up()
    await soon(lambda: here.heard(call, "message-ask", since) > 0.5, "the last resort of social security")
    never_in_silence(call, since)
    story = await here.story("13800000202")
    (waits,) = (fact for fact in story if fact.kind is Kind.WAITING)
    assert (waits.data["group"], waits.data["priority"]) == ("social-security", 9)
    (entered,) = (fact for fact in story if fact.kind is Kind.ENTERED)
    assert entered.data["number"] == "12345", "what the citizen dialled stays what it was"
    await call.hang_up()


async def test_with_the_agent_still_there_the_two_go_on_together(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    police = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("12345", caller="13800000203", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await police.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ))
    await asyncio.sleep(LONGER_THAN_A_DROP)
    assert await there.refer(f"sip:12345@{HOST}") == "200"
    await there.hang_up()
    await here.fact("13800000203", Kind.TRANSFER, state="centre-left")
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    await call.hang_up()


@pytest.mark.parametrize("engine", [True, False], ids=["dialled 110 itself", "and no engine is there"])
async def test_a_citizen_who_dialled_110_itself_can_be_handed_over_too(here: Scene, engine: bool) -> None:
    caller = "13800000204" if engine else "13800000205"
    seat = await here.agent("1001", "8001", SEAT_HZ)
    police = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("110", caller=caller, tone_hz=CITIZEN_HZ)
    there = await police.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    if not engine:
        await here.hotline.signal_engine(signal.SIGKILL)
    since = monotonic()
    assert await there.refer(f"sip:12345@{HOST}", headers=CASE) == "200"
    await there.hang_up()
    talk = await seat.wait_talking(20)
    assert talk.header("From").startswith('"110 转来"')
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    never_in_silence(call, since)
    await call.hang_up()


async def test_a_refer_elsewhere_or_by_anybody_else_is_refused_and_parts_nobody(here: Scene) -> None:
    """Toll fraud: no REFER leads to a trunk, an emergency line or a stranger's number."""
    seat = await here.agent("1001", "8001", SEAT_HZ)
    police = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("12345", caller="13800000206", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    assert await call.refer(f"sip:12345@{HOST}") == "603"
    assert await talk.refer(f"sip:12345@{HOST}") == "603"
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    await talk.send_digits("*110")
    there = await police.wait_talking(20)
    await talk.hang_up()
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    since = monotonic()
    for elsewhere in (
        "13800000000",
        "0013105551234",
        "110",
        "119",
        "8001",
        "*11",
        "s",
        "123450",
        "",
        "external_replaces",
    ):
        assert await there.refer(f"sip:{elsewhere}@{HOST}" if elsewhere else f"sip:{HOST}") == "404", elsewhere
    replaces = quote("someone@elsewhere;to-tag=a;from-tag=b")
    assert await there.refer(f"sip:12345@{HOST}?Replaces={replaces}") == "404", "a talk that is none of ours"
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    never_in_silence(call, since)
    assert {phone.address[1] for phone in here.hotline._phones if phone.calls} == {
        seat.address[1], police.address[1], call._phone.address[1],
    }  # fmt: skip
    await call.hang_up()


async def test_a_call_of_a_centres_own_cannot_be_referred_away(here: Scene) -> None:
    """The citizen whom the centre brings along is behind that very call: what goes is its agent."""
    seat = await here.agent("1001", "8001", SEAT_HZ)
    police = await here.far_end("emergency-110", noticed=False)
    ours = (HOST, here.hotline.settings.sip_port)
    call = await police.dial(
        "12345", ours, from_header=f"<sip:13800000207@{HOST}>", headers=CASE, sound=tone(CENTRE_HZ)
    )
    talk = await seat.wait_talking(20)
    assert await call.refer(f"sip:12345@{HOST}") == "404"
    await hear_each_other((call, CENTRE_HZ), (talk, SEAT_HZ))
    await call.hang_up()


async def test_a_centre_that_holds_and_moves_its_media_drops_nobody_and_the_citizen_hears_music(here: Scene) -> None:
    call, there = await with_the_police(here, "13800000208")
    for hold in ("sendonly", "inactive"):
        since = monotonic()
        there.say(None)
        assert await there.change(hold) == 200
        await soon(lambda since=since: hears_music(call, since), f"music while {hold}")  # type: ignore[misc]
        there.say(tone(CENTRE_HZ))
        assert await there.change("sendrecv") == 200
        await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
        never_in_silence(call, since)
    since = monotonic()
    assert await there.move() == 200
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ), seconds=20)
    never_in_silence(call, since)
    await call.hang_up()


def hears_music(call: PhoneCall, since: float) -> bool:
    """For three seconds something, and not the centre's tone."""
    now = monotonic()
    heard = call.heard.pcm(now - 3, now)
    return now - since > 4 and longest_silence(heard) < AT_MOST_SILENT and hears(call, CENTRE_HZ, now - 3, now) < 0.2


async def test_a_centre_that_asked_an_agent_first_joins_the_citizen_to_that_agent(here: Scene) -> None:
    """An attended REFER: it names (Replaces) the centre's other call with us."""
    call, there = await with_the_police(here, "13800000209")
    await here.seat_becomes("8001", "ready")
    (police,) = (phone for phone in here.hotline._phones if isinstance(phone, Centre))
    ours = (HOST, here.hotline.settings.sip_port)
    asks = await police.dial("12345", ours, from_header=f"<sip:110@{HOST}>", sound=tone(CENTRE_HZ))
    talk = await seat_phone(here).wait_talking(20)
    await hear_each_other((asks, CENTRE_HZ), (talk, SEAT_HZ))
    since = monotonic()
    call_id, theirs, mine = asks.dialog
    replaces = quote(f"{call_id};to-tag={theirs};from-tag={mine}")
    assert await there.refer(f"sip:12345@{HOST}?Replaces={replaces}") == "200"
    await asks.ended(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    never_in_silence(call, since)
    await talk.hang_up()
    await here.fact("13800000209", Kind.RATING_ASKED)
    await call.hang_up()
