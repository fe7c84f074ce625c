"""Utilities, sub-centres, neighbour cities by an agent's key: answered, busy, closed, never back where it came from."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import asserted_identity
from phones.phone import Answer, Refuse
from phones.sounds import quiet, tone
from routing.model import Table
from tests.asterisk.support.scene import (
    LONGER_THAN_A_DROP,
    NEVER,
    Scene,
    hear_each_other,
    scene,
    states,
    with_groups,
    with_schedules,
)  # fmt: skip

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CITIZEN_HZ, SEAT_HZ, OTHER_SEAT_HZ, PARTNER_HZ = 440, 880, 1000, 620


def edited(table: Table) -> Table:
    """Water has two trunks; the tax office is closed; migration and tobacco are as in the sample, always open."""
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


async def test_a_partner_answers_on_its_second_trunk_and_the_three_talk(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    await here.far_end("utility-water", behaviour=Refuse(486))
    backup = await here.far_end("utility-gas", tone_hz=PARTNER_HZ)
    call = await here.hotline.citizen().call("12345", caller="13500000701", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*701")
    there = await backup.wait_talking(20)
    assert (there.caller, asserted_identity(there)) == ("13500000701", "13500000701")
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, PARTNER_HZ))
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await talk.hang_up()
    await hear_each_other((call, CITIZEN_HZ), (there, PARTNER_HZ))
    await there.hang_up()
    await here.fact("13500000701", Kind.RATING_ASKED)
    await call.hang_up()
    record = await here.told("13500000701")
    assert [(one.target, one.state) for one in record.transfers] == [("water", "ended")]
    told = await states(here, "13500000701")
    assert told == ["asked", "dialling", "dialling", "answered", "agent-left", "ended"]


async def test_a_busy_partner_leaves_the_two_together_and_the_agent_is_told(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    await here.far_end("utility-power", behaviour=Refuse(486))
    call = await here.hotline.citizen().call("12345", caller="13500000702", sound=quiet())
    talk = await seat.wait_talking(20)
    await talk.send_digits("*702")
    await here.fact("13500000702", Kind.TRANSFER, state="failed", cause="17")
    await here.fact("13500000702", Kind.PARTY, party="centre", action="left")
    assert here.likeliest(talk, PROMPTS["power"]) == "partner-power-failed"
    call.say(tone(CITIZEN_HZ))
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    await call.hang_up()


async def test_outside_its_hours_a_partner_is_not_called_and_both_hear_why(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    office = await here.far_end("subcentre-12366", tone_hz=PARTNER_HZ)
    call = await here.hotline.citizen().call("12345", caller="13500000704", sound=quiet())
    talk = await seat.wait_talking(20)
    await talk.send_digits("*704")
    await here.fact("13500000704", Kind.TRANSFER, state="failed", cause="closed")
    await here.fact("13500000704", Kind.PARTY, party="centre", action="left")
    assert here.likeliest(talk, PROMPTS["tax"]) == "partner-tax-closed"
    call.say(tone(CITIZEN_HZ))
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    assert office.calls == []
    await call.hang_up()


async def test_a_call_that_came_from_a_partner_is_not_sent_back_there(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    city = await here.far_end("neighbour-0754", tone_hz=PARTNER_HZ)
    call = await city.dial(
        "12345", ("127.0.0.1", here.hotline.settings.sip_port), from_header="<sip:13500000754@127.0.0.1>", sound=quiet()
    )
    talk = await seat.wait_talking(20)
    await talk.send_digits("*754")
    await here.fact("13500000754", Kind.TRANSFER, state="failed", cause="loop")
    await here.fact("13500000754", Kind.PARTY, party="centre", action="left")
    assert here.likeliest(talk, PROMPTS["shantou"]) == "partner-shantou-loop"
    call.say(tone(PARTNER_HZ))
    await hear_each_other((call, PARTNER_HZ), (talk, SEAT_HZ))
    await call.hang_up()


async def test_a_blind_transfer_frees_the_agent_and_comes_back_to_the_same_one_when_nobody_answers(here: Scene) -> None:
    other = await here.agent("1002", "8002", OTHER_SEAT_HZ)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    partner = await here.far_end("utility-power", behaviour=Refuse(480, after=1.0))
    call = await here.hotline.citizen().call("12345", caller="13500000705", tone_hz=CITIZEN_HZ)
    first = await other.wait_talking(20)
    record = await here.told("13500000705", lambda record: record.answered_at is not None)
    status, said = await here.hotline.hotline("transfer", record.call, "供电", "--blind")
    assert (status, "座席已空闲" in said) == (0, True), said
    await first.ended(20)
    await partner.called(20)
    again = await other.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (again, OTHER_SEAT_HZ))
    assert not seat.calls, "idle for longer than the other, and yet not the one who knows the matter"
    await here.fact("13500000705", Kind.TRANSFER, state="returned")
    await call.hang_up()


async def test_without_the_engine_the_keys_reach_a_partner_at_any_hour(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    office = await here.far_end("subcentre-12366", tone_hz=PARTNER_HZ, behaviour=Answer())
    call = await here.hotline.citizen().call("12345", caller="13500000706", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await here.hotline.signal_engine(signal.SIGKILL)
    await talk.send_digits("*704")
    there = await office.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, PARTNER_HZ))
    await call.hang_up()


async def test_an_unknown_target_is_refused_with_those_that_there_are(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("12345", caller="13500000707", tone_hz=CITIZEN_HZ)
    await seat.wait_talking(20)
    record = await here.told("13500000707", lambda record: record.answered_at is not None)
    for asked in (("911",), ("110", "--blind")):
        status, said = await here.hotline.hotline("transfer", record.call, *asked)
        assert (status, "water（供水）" in said) == (1, True), said
    await call.hang_up()


PROMPTS = {
    partner: tuple(f"partner-{partner}-{why}" for why in ("failed", "closed", "loop"))
    for partner in ("power", "tax", "shantou")
}
