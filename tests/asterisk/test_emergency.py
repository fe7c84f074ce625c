"""110, 119, 120, 122 dialled directly: nothing stands before the centre, and nobody is left without a human."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import asserted_identity
from phones.phone import Refuse
from phones.tones import tone_share
from routing.model import Table
from tests.asterisk.support.scene import Scene, all_of, scene, soon, with_groups
from transfers.reference import hexadecimal

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def reaches(here: Scene, dialled: str, number: str, caller: str) -> None:
    """A citizen's call comes to the centre itself, with the citizen's number, and both hear each other."""
    centre = await here.far_end(f"emergency-{number}", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call(dialled, caller=caller, tone_hz=CITIZEN_HZ)
    there = await centre.wait_talking(15)
    assert (there.dialled, asserted_identity(there)) == (number, caller)
    await soon(lambda: call.heard.packets > 75 and there.heard.packets > 75, "sound both ways")
    assert tone_share(call.heard.pcm(there.answered_at), CENTRE_HZ) > 0.7
    assert tone_share(there.heard.pcm(), CITIZEN_HZ) > 0.7
    await call.hang_up()


async def told_of(here: Scene, caller: str, dialled: str) -> None:
    record = await here.told(caller)
    assert (record.number, record.answered_by) == (dialled, "emergency")


@pytest.mark.smoke
async def test_a_citizen_reaches_the_centre(here: Scene) -> None:
    numbers = {"110": "110", "119": "119", "0663120": "120", "+86122": "122"}
    await all_of(*(reaches(here, dialled, number, f"13700000{number}") for dialled, number in numbers.items()))
    await all_of(*(told_of(here, f"13700000{number}", dialled) for dialled, number in numbers.items()))


async def test_a_seat_reaches_the_centre(here: Scene) -> None:
    centre = await here.far_end("emergency-110", tone_hz=CENTRE_HZ)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await seat.call("110")
    there = await centre.wait_talking(15)
    await soon(lambda: call.heard.packets > 75 and there.heard.packets > 75, "sound both ways")
    assert tone_share(there.heard.pcm(), SEAT_HZ) > 0.7
    assert (there.caller, asserted_identity(there)) == ("12345", "12345"), "which the centre can call back"
    record = await here.record("8001")
    assert record is not None, "the ledger knows which seat it was"
    assert there.header("User-to-User") == f"{hexadecimal(record.call)};encoding=hex"
    assert not any("8001" in value for name, value in there.headers() if name != "User-to-User")
    await call.hang_up()
    await there.ended(5)
    await here.seat_becomes("8001", "ready")


async def test_the_backup_answers_when_the_main_trunk_is_busy(here: Scene) -> None:
    await here.far_end("emergency-119", behaviour=Refuse(486))
    backup = await here.far_end("emergency-119-backup", tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("119", caller="13700000201")
    there = await backup.wait_talking(20)
    assert asserted_identity(there) == "13700000201"
    await call.hang_up()


async def test_a_centre_that_does_not_answer_the_probe_is_called_all_the_same(here: Scene) -> None:
    await here.notice("emergency-120", "emergency-120-backup", "Unavail")
    centre = await here.far_end("emergency-120", noticed=False, tone_hz=CENTRE_HZ)
    call = await here.hotline.citizen().call("120", caller="13700000202")
    await centre.wait_talking(20)
    await call.hang_up()


async def test_a_citizen_reaches_a_human_when_every_trunk_fails(here: Scene) -> None:
    await here.far_end("emergency-122", behaviour=Refuse(503))
    await here.far_end("emergency-122-backup", behaviour=Refuse(486))
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("122", caller="13700000301")
    talk = await seat.wait_talking(30)
    await here.fact("13700000301", Kind.TRANSFER, state="failed")
    assert here.heard(call, "apology") > 0.75
    await soon(lambda: call.heard.packets > 0 and talk.heard.packets > 50, "sound")
    assert tone_share(call.heard.pcm(talk.answered_at), SEAT_HZ) > 0.6
    await call.hang_up()
    record = await here.told("13700000301")
    assert (record.number, record.seat) == ("122", "8001")


@pytest.mark.smoke
async def test_it_works_without_the_engine(here: Scene) -> None:
    seat = await here.agent("1001", "8001", SEAT_HZ)
    await here.hotline.signal_engine(signal.SIGKILL)
    await reaches(here, "110", "110", "13700000401")
    centre = await here.far_end("emergency-119", tone_hz=CENTRE_HZ)
    call = await seat.call("119")
    there = await centre.wait_talking(15)
    await call.hang_up()
    await there.ended(5)
    await here.far_end("emergency-120", behaviour=Refuse(486))
    await here.far_end("emergency-120-backup", behaviour=Refuse(486))
    lost = await here.hotline.citizen().call("120", caller="13700000402")
    await seat.wait_talking(30)
    await lost.hang_up()
