"""What a centre gets with the caller, how its trunks are watched, and the way back from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import asserted_identity
from phones.phone import Refuse
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
from transfers.reference import hexadecimal

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, caller_centre_key="*") as running:
        yield running


async def test_the_centre_sees_the_citizen_the_way_and_the_reference_and_only_that(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    strange = (("User-to-User", "ca11e4;encoding=hex"), ("Diversion", "<sip:999@evil.example>"), ("X-Note", "hello"))
    call = await here.hotline.citizen().call("12333", caller="13800000110", headers=strange)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await centre.wait_talking(20)
    record = await here.record("13800000110")
    assert record is not None
    assert (there.caller, asserted_identity(there)) == ("13800000110", "13800000110")
    assert there.header("User-to-User") == f"{hexadecimal(record.call)};encoding=hex"
    assert there.header("Diversion").startswith("<sip:12333@")
    assert "12333" in there.header("History-Info")
    text = str(there.headers())
    assert not any(word in text for word in ("ca11e4", "evil", "hello", "X-Note"))
    await call.hang_up()


async def test_a_withheld_number_is_told_to_the_centre_as_withheld(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    network = (("P-Asserted-Identity", "<sip:13800000111@127.0.0.1>"),)
    call = await here.hotline.citizen().call("12345", caller=None, headers=network)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*110")
    there = await centre.wait_talking(20)
    assert there.header("From").startswith('"Anonymous"')
    assert there.header("Privacy") == "id"
    assert "sip:13800000111@" in there.header("P-Asserted-Identity")
    await call.hang_up()


async def test_a_route_going_down_is_an_alarm_within_30_s_and_its_return_ends_it(here: Scene) -> None:
    centre = await here.far_end("emergency-119")
    await until(lambda: route(here, "emergency-119", True), "the route to be known as up")
    before = asyncio.get_running_loop().time()
    await centre.close()
    await until(lambda: route(here, "emergency-119", False), "the alarm", 30)
    assert asyncio.get_running_loop().time() - before < 30
    name = here.hotline.table.trunks["emergency-119"].name
    status, said = await here.hotline.hotline("alarms")
    assert (status, name in said) == (1, True)
    _, said = await here.hotline.hotline("status")
    assert f"{name} 不通" in said
    _, said = await here.hotline.hotline("doctor")
    assert f"{name} 探测不通" in said
    await here.far_end("emergency-119")
    await until(lambda: route(here, "emergency-119", True), "the route to be back", 30)
    _, said = await here.hotline.hotline("alarms", "--history", "1000")
    assert [line.split()[2] for line in said.splitlines() if f"{name}（127" in line][-2:] == ["告警", "解除"]


async def route(here: Scene, trunk: str, up: bool) -> bool:
    now = await here.hotline.ask("/api/status")
    alarmed = any(alarm["alarm"] == f"trunk-{trunk}" for alarm in now["alarms"])
    return alarmed is not up and any(row["trunk"] == trunk and row["up"] is up for row in now["centres"])


async def test_a_supervisor_presses_for_the_agent_and_twice_does_nothing_twice(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("12345", caller="13800000112", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    record = await here.told("13800000112", lambda record: record.answered_at is not None)
    twice = await all_of(*(here.hotline.hotline("transfer", record.call, "110", "--three-party") for _ in "ab"))
    assert sorted(status for status, _ in twice) == [0, 1]
    there = await centre.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ))
    assert len(centre.calls) == 1
    await talk.hang_up()
    await hear_each_other((call, CITIZEN_HZ), (there, CENTRE_HZ))
    await here.seat_becomes("8001", "ready")
    await asyncio.sleep(LONGER_THAN_A_DROP)
    await there.hang_up()
    again = await seat.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (again, SEAT_HZ))
    await call.hang_up()
    await here.told("13800000112")
    assert await states(here, "13800000112") == [
        "asked", "dialling", "answered", "agent-left", "returned", "ended",
    ]  # fmt: skip
    status, said = await here.hotline.hotline("transfer", record.call, "110")
    assert (status, "不在进行中" in said) == (1, True)


async def test_a_call_from_a_centre_is_first_in_line_and_its_reference_is_ours(here: Scene) -> None:
    waits = await here.hotline.citizen().call("12345", caller="13800000113")
    await here.fact("13800000113", Kind.WAITING)
    police = await here.far_end("emergency-110", noticed=False)
    reference = (("User-to-User", f"{hexadecimal('JQ20261122-7')};encoding=hex"),)
    ours = ("127.0.0.1", here.hotline.settings.sip_port)
    call = await police.dial("12345", ours, from_header="<sip:13800000114@127.0.0.1>", headers=reference)
    await here.fact("13800000114", Kind.WAITING)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    talk = await seat.wait_talking(20)
    assert talk.caller == "13800000114"
    assert talk.header("From").startswith('"110 转来"')
    told = await here.fact("13800000114", Kind.FROM_CENTRE)
    assert dict(told.data) == {"centre": "110", "reference": "JQ20261122-7"}
    fire = await here.far_end("emergency-119", tone_hz=CENTRE_HZ)
    await talk.send_digits("*3119")
    await fire.wait_talking(20)
    await call.hang_up()
    await waits.hang_up()


async def test_a_caller_presses_the_key_in_the_prompt_and_reaches_the_centre_or_a_human_first_in_line(
    here: Scene,
) -> None:
    fire = await here.far_end("emergency-119", tone_hz=CENTRE_HZ)
    for where in ("emergency-122", "emergency-122-backup"):
        await here.far_end(where, behaviour=Refuse(486))
    one, two = [
        await here.hotline.citizen().call("12345", caller=caller, tone_hz=CITIZEN_HZ)
        for caller in ("13800000115", "13800000116")
    ]
    for call, key in ((one, "2"), (two, "4")):
        await call.answered()
        await call.send_digits("*")
        await soon(lambda call=call: here.heard(call, "centre-choice") > 0.2, "the choice")  # type: ignore[misc]
        await call.send_digits(key)
    there = await fire.wait_talking(20)
    assert there.caller == "13800000115"
    await hear_each_other((one, CITIZEN_HZ), (there, CENTRE_HZ))
    await asyncio.sleep(LONGER_THAN_A_DROP)
    assert await states(here, "13800000115") == ["asked", "waiting", "agent-left"]
    await there.hang_up()
    await here.fact("13800000115", Kind.RATING_ASKED)
    waiting = await here.fact("13800000116", Kind.WAITING)
    assert waiting.data["priority"] == 9
    assert await states(here, "13800000116") == ["asked", "waiting", "waiting", "failed", "returned"]
    await one.hang_up()
    await two.hang_up()
