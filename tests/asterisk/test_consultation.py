"""A private consultation (咨询) of a partner: the caller hears music, and nobody is lost, whoever goes when."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import Centre
from phones.phone import PhoneCall, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.sounds import quiet, tone
from phones.tones import longest_silence
from routing.model import Table
from telephony.model import Party
from tests.asterisk.support.scene import (
    LONGER_THAN_A_DROP,
    NEVER,
    Scene,
    comes_to_hear,
    hear_each_other,
    hears,
    scene,
    soon,
    states,
    until,
    with_groups,
    with_schedules,
)  # fmt: skip
from transfers.states import LEAVE_EVENTS, Form, TransferState, next_state

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CITIZEN_HZ, SEAT_HZ, PARTNER_HZ, POLICE_HZ = 440, 880, 620, 1000
AT_MOST_SILENT = 2.0
S = TransferState


def edited(table: Table) -> Table:
    """Water has two trunks; the tax office is closed."""
    table = with_groups(with_schedules(table, NEVER))
    changes: dict[str, dict[str, Any]] = {
        "water": {"trunks": ("utility-water", "utility-gas")},
        "gas": {"trunks": ("subcentre-12313",), "schedule": ""},
        "tax": {"schedule": "never"},
    }
    rows = tuple(replace(row, **changes.get(row.id, {})) for row in table.partners if row.id != "tobacco")
    return replace(table, partners=rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


@dataclass
class Talk:
    """Of one call."""

    here: Scene
    caller: str
    call: PhoneCall
    seat: SeatPhone
    talk: PhoneCall
    began: float = 0.0
    water: Centre | None = None
    there: PhoneCall | None = None

    def never_in_silence(self) -> None:
        """The caller, since the key."""
        heard = self.call.heard.pcm(self.began, monotonic())
        assert longest_silence(heard) <= AT_MOST_SILENT

    async def state(self, state: TransferState) -> None:
        async def there() -> bool:
            return (await states(self.here, self.caller))[-1:] == [state]

        await until(there, f"{self.caller} to be {state}")

    async def hears_music(self) -> None:
        """And neither of those who talk about the matter."""

        def music() -> bool:
            now = monotonic()
            pcm = self.call.heard.pcm(now - 2, now)
            others = max(hears(self.call, hz, now - 2, now) for hz in (SEAT_HZ, PARTNER_HZ))
            return longest_silence(pcm) < 1 and others < 0.1

        await soon(music, "the caller to hear music")


async def talking(here: Scene, caller: str) -> Talk:
    """A citizen and an agent."""
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("12345", caller=caller, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    return Talk(here, caller, call, seat, talk)


async def consulting(here: Scene, caller: str, **how: Any) -> Talk:
    """The agent has pressed *1701: caller in music; agent and partner talk, or it rings there."""
    told = await talking(here, caller)
    told.water = await here.far_end("utility-water", tone_hz=PARTNER_HZ, **how)
    told.began = monotonic()
    await told.talk.send_digits("*1701")
    if how:
        await told.water.called(20)
        await told.state(S.CONSULT_DIALLING)
        return told
    told.there = await told.water.wait_talking(20)
    await hear_each_other((told.talk, SEAT_HZ), (told.there, PARTNER_HZ))
    await told.state(S.CONSULTING)
    return told


async def test_the_caller_is_told_and_hears_music_while_the_two_talk_and_then_joins(here: Scene) -> None:
    told = await consulting(here, "13800000301")
    assert told.there is not None
    assert told.there.caller == told.caller
    await soon(lambda: here.heard(told.call, "consult-hold", told.began) > 0.5, "the caller to be told")
    await told.hears_music()
    now = monotonic()
    assert max(hears(one, CITIZEN_HZ, now - 2, now) for one in (told.talk, told.there)) < 0.1, "they are alone"
    await told.talk.send_digits("*03")
    await hear_each_other((told.call, CITIZEN_HZ), (told.talk, SEAT_HZ), (told.there, PARTNER_HZ))
    told.never_in_silence()
    await told.call.hang_up()
    await told.state(S.ENDED)
    assert await states(here, told.caller) == ["asked", "aside", "consulting", "answered", "ended"]


async def test_the_agent_completes_it_by_leaving(here: Scene) -> None:
    told = await consulting(here, "13800000302")
    assert told.there is not None
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await told.talk.send_digits("*01")
    await told.talk.ended(20)
    await hear_each_other((told.call, CITIZEN_HZ), (told.there, PARTNER_HZ))
    told.never_in_silence()
    await told.there.hang_up()
    await here.fact(told.caller, Kind.RATING_ASKED)
    await told.call.hang_up()


async def test_the_agent_goes_back_to_the_caller_and_consults_again_and_an_emergency_key_ends_that(here: Scene) -> None:
    told = await consulting(here, "13800000303")
    assert told.there is not None
    await told.talk.send_digits("*00")
    await told.there.ended(20)
    await hear_each_other((told.call, CITIZEN_HZ), (told.talk, SEAT_HZ))
    told.never_in_silence()
    power = await here.far_end("utility-power", tone_hz=PARTNER_HZ)
    told.began = monotonic()
    await told.talk.send_digits("*1702")
    second = await power.wait_talking(20)
    await hear_each_other((told.talk, SEAT_HZ), (second, PARTNER_HZ))
    await told.hears_music()
    police = await here.far_end("emergency-110", tone_hz=POLICE_HZ)
    await told.talk.send_digits("*110")
    third = await police.wait_talking(20)
    await hear_each_other((told.call, CITIZEN_HZ), (told.talk, SEAT_HZ), (third, POLICE_HZ), seconds=20)
    await second.ended(20)
    told.never_in_silence()
    await told.call.hang_up()


@pytest.mark.parametrize(("key", "trouble"), [("702", "failed"), ("704", "closed")], ids=["busy", "closed"])
async def test_a_partner_who_does_not_come_leaves_the_two_together_and_told(
    here: Scene, key: str, trouble: str
) -> None:
    told = await talking(here, f"13800000{key}")
    told.call.say(quiet())
    told.talk.say(quiet())
    await here.far_end("utility-power", behaviour=Refuse(486))
    told.began = monotonic()
    await told.talk.send_digits(f"*1{key}")
    await here.fact(told.caller, Kind.PARTY, party="caller", action="joined")
    name = {"702": "power", "704": "tax"}[key]
    assert here.likeliest(told.talk, [f"partner-{name}-{why}" for why in ("failed", "closed", "loop")]).endswith(
        trouble
    )
    told.never_in_silence()
    told.call.say(tone(CITIZEN_HZ))
    told.talk.say(tone(SEAT_HZ))
    await hear_each_other((told.call, CITIZEN_HZ), (told.talk, SEAT_HZ))
    await told.call.hang_up()


@pytest.mark.parametrize("party", [Party.CALLER, Party.AGENT])
async def test_whoever_hangs_up_while_it_rings(here: Scene, party: Party) -> None:
    told = await consulting(here, f"1380000031{party is Party.AGENT:d}", behaviour=RingForEver())
    assert told.water is not None
    rings = told.water.talk
    await leaves(told, party, S.CONSULT_DIALLING)
    if party is Party.CALLER:
        await told.talk.ended(20)
        await rings.ended(20)
        return
    rings.accept()
    await hear_each_other((told.call, CITIZEN_HZ), (rings, PARTNER_HZ))
    told.never_in_silence()
    await told.call.hang_up()


@pytest.mark.parametrize("party", list(Party))
async def test_whoever_hangs_up_while_the_two_talk(here: Scene, party: Party) -> None:
    told = await consulting(here, f"1380000032{list(Party).index(party)}")
    assert told.there is not None
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await leaves(told, party, S.CONSULTING)
    left = {Party.CALLER: (), Party.AGENT: (told.call, told.there), Party.CENTRE: (told.call, told.talk)}[party]
    voice = {told.call: CITIZEN_HZ, told.talk: SEAT_HZ, told.there: PARTNER_HZ}
    if left:
        await hear_each_other(*((one, voice[one]) for one in left))
        told.never_in_silence()
        await told.call.hang_up()
    for one in (told.call, told.talk, told.there):
        await one.ended(20)


async def leaves(told: Talk, party: Party, state: TransferState) -> None:
    who = {Party.CALLER: told.call, Party.AGENT: told.talk, Party.CENTRE: told.there}[party]
    assert who is not None
    await who.hang_up()
    then = next_state(state, LEAVE_EVENTS[party], Form.ATTENDED)
    assert then is not None
    await told.state(then)


async def test_by_command_and_with_the_engine_killed_in_it(here: Scene) -> None:
    told = await talking(here, "13800000330")
    water = await here.far_end("utility-water", tone_hz=PARTNER_HZ)
    record = await here.told(told.caller, lambda record: record.answered_at is not None)
    assert (await here.hotline.hotline("transfer", record.call, "110", "--attended"))[0] == 1
    assert (await here.hotline.hotline("consult", record.call, "join"))[0] == 1
    told.began = monotonic()
    await here.hotline.ask(f"/api/calls/{record.call}/transfer", {"target": "water", "form": "attended"})
    there = await water.wait_talking(20)
    await hear_each_other((told.talk, SEAT_HZ), (there, PARTNER_HZ))
    await here.hotline.signal_engine(signal.SIGKILL)
    await told.hears_music()
    await hear_each_other((told.talk, SEAT_HZ), (there, PARTNER_HZ))
    await here.hotline.start_engine()
    shown = (await here.hotline.ask("/api/status"))["transfers"][record.call]
    assert (shown["state"], shown["form"], shown["target"]) == ("consulting", "attended", "water")
    await here.hotline.ask(f"/api/calls/{record.call}/consultation", {"then": "back"})
    await there.ended(20)
    await hear_each_other((told.call, CITIZEN_HZ), (told.talk, SEAT_HZ))
    told.never_in_silence()
    await told.call.hang_up()


async def test_without_an_engine_the_keys_do_all_of_it(here: Scene) -> None:
    told = await talking(here, "13800000331")
    water = await here.far_end("utility-water", tone_hz=PARTNER_HZ)
    await here.hotline.signal_engine(signal.SIGKILL)
    told.began = monotonic()
    await told.talk.send_digits("*1701")
    there = await water.wait_talking(20)
    await hear_each_other((told.talk, SEAT_HZ), (there, PARTNER_HZ))
    await told.hears_music()
    await told.talk.hang_up()
    await comes_to_hear(told.call, PARTNER_HZ)
    told.never_in_silence()
    await told.call.hang_up()
