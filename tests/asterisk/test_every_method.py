"""Every SIP method, in a talk and outside one, from every kind of peer: answered, and the talk goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from phones.errors import PhoneDeadline
from phones.phone import Phone, PhoneCall
from routing.model import Table
from tests.asterisk.support.scene import Scene, all_of, hear_each_other, scene, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620
NO_ANSWER = 0
NO_ANSWER_SECONDS = 1.5
PARTNER_KEY, PARTNER_TRUNK = "812", "water"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and the final responses that are right."""

    method: str
    inside: tuple[int, ...]
    outside: tuple[int, ...]
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


TEXT = (("Content-Type", "text/plain"),)
RELAY = (("Content-Type", "application/dtmf-relay"),)
UNANSWERED = (NO_ANSWER,)
"""docs/modules.md says why; should a release answer one day, the page and this table are to be changed."""

METHODS = (
    Asked("OPTIONS", (200,), (200,)),
    Asked("INFO", (200,), (501,)),
    Asked("INFO", (200,), (501,), RELAY, "Signal=5\r\nDuration=100\r\n"),
    Asked("INFO", UNANSWERED, (501,), TEXT, "x"),
    Asked("MESSAGE", (202,), (404,), TEXT, "转账到这个账户"),
    Asked("UPDATE", (200,), (501,)),
    Asked("NOTIFY", UNANSWERED, (501,), (("Event", "check-sync"),)),
    Asked("REFER", (603, 202), (501,), (("Refer-To", "<sip:110@127.0.0.1>"),)),
    Asked("SUBSCRIBE", UNANSWERED, (489,), (("Event", "dialog"),)),
    Asked("PUBLISH", UNANSWERED, (489,), (("Event", "presence"),)),
    Asked("PRACK", (200, 400), (501,), (("RAck", "1 1 INVITE"),)),
    Asked("REGISTER", (404, 401), (404,)),
    Asked("FOO", UNANSWERED, (501,)),
)


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def inside(call: PhoneCall, asked: Asked) -> int:
    wait = NO_ANSWER_SECONDS if asked.inside == UNANSWERED else 10
    try:
        return (await call.ask(asked.method, headers=asked.headers, body=asked.body, timeout=wait)).status
    except PhoneDeadline:
        return NO_ANSWER


async def all_inside(name: str, call: PhoneCall) -> list[str]:
    """What was answered otherwise than it must."""
    wrong = []
    for asked in METHODS:
        status = await inside(call, asked)
        if status not in asked.inside:
            wrong.append(f"{name}: {asked.method} {asked.headers} in a talk: {status}, not {asked.inside}")
    return wrong


def messages(phone: Phone) -> list[str]:
    return [line for line in phone.core.trace if line.startswith("<< MESSAGE")]


async def test_every_method_in_a_talk_is_answered_and_the_talk_goes_on(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    citizen = here.hotline.citizen()
    call = await citizen.call("12345", caller="13800002601")
    talk = await seat.wait_talking(20)
    await talk.send_digits("*3110")
    there = await centre.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ), seconds=30)
    wrong = await all_of(all_inside("citizen", call), all_inside("seat", talk), all_inside("centre", there))
    assert not [line for lines in wrong for line in lines]
    assert not messages(seat), "what a citizen writes is on nobody's display"
    assert not messages(centre)
    assert not messages(citizen)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ), (there, CENTRE_HZ), seconds=30)
    await call.hang_up()


async def test_every_method_with_a_partner_is_answered(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    key, trunk = partner(here)
    far = await here.far_end(trunk, tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("12345", caller="13800002602")
    talk = await seat.wait_talking(20)
    await talk.send_digits(f"*3{key}")
    there = await far.wait_talking(20)
    assert not await all_inside("partner", there)
    assert there.is_talking
    await call.hang_up()


def partner(here: Scene) -> tuple[str, str]:
    row = next(row for row in here.hotline.table.partners.values() if row.trunks)
    return row.key, row.trunks[0]


async def test_every_method_outside_a_talk_is_answered_and_none_is_a_call(here: Scene) -> None:
    settings = here.hotline.settings
    citizen, stranger = here.hotline.citizen(), here.hotline.citizen()
    seat = await here.agent("1001", "8001", SEAT_HZ)
    centre = await here.far_end("emergency-110")
    far = await here.far_end(partner(here)[1])
    before = len(await here.hotline.calls())
    trunks, seats = (settings.bind, settings.sip_port), (settings.bind, settings.seat_sip_port)
    wrong = []
    for asked in METHODS:
        for name, phone, port, right in (
            ("citizen", citizen, trunks, asked.outside),
            ("centre", centre, trunks, asked.outside),
            ("partner", far, trunks, asked.outside),
            ("seat", seat, seats, (401,)),
            ("stranger at the phones' port", stranger, seats, (401,)),
        ):
            uri = f"sip:110@{port[0]}:{port[1]}"
            got = await phone.ask(asked.method, uri, port, headers=asked.headers, body=asked.body)
            if got.status not in right:
                wrong.append(f"{name}: {asked.method}: {got.start}, not {right}")
    assert not wrong
    assert await here.hotline.channels() == 0
    assert len(await here.hotline.calls()) == before
    assert not (*centre.calls, *far.calls, *seat.calls)


async def test_audio_beside_an_image_line_is_heard_both_ways(here: Scene) -> None:
    """Fax gateways and some session border controllers offer both at once."""
    seat = await here.agent("1001", "8001", SEAT_HZ)
    image = b"m=image 40002 udptl t38\r\na=T38FaxVersion:0\r\na=T38FaxUdpEC:t38UDPRedundancy\r\n"
    citizen = here.hotline.citizen()
    await citizen.open()
    citizen.core.describes = lambda body: body + image
    call = await citizen.call("12345", caller="13800002610")
    talk = await seat.wait_talking(20)
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    await call.hang_up()
