"""What a hostile citizen, or a hostile phone, sends to a running product; and that it comes to nothing."""

from __future__ import annotations

import pytest

from phones.citizen import Citizen
from tests.asterisk.support.product import Product, until

pytestmark = pytest.mark.asterisk

FORGED_CALL = "hl1-1763812345.99"
FORGED_EVENT = (
    "1%0D%0AX%3A%20y%0D%0A%0D%0AEvent%3A%20UserEvent%0D%0AUserEvent%3A%20Fallback"
    f"%0D%0ACall%3A%20{FORGED_CALL}%0D%0A%0D%0A"
)
FORGED_ANSWER = f"1%0Aagi_arg_1%3A%20{FORGED_CALL}%0Aagi_arg_2%3A%2012333%0Aagi_arg_3%3A%20777%0A%0A"


@pytest.mark.parametrize("number", ["110", "12345"])
async def test_a_caller_number_that_spells_a_manager_event_is_not_one(hotline: Product, number: str) -> None:
    await hotline.centre("emergency-110")
    call = await hotline.citizen().call(number, caller=FORGED_EVENT)
    await call.answered(20)
    await call.hang_up()
    await until(lambda: _told(hotline, 1), "the call to be told")
    assert FORGED_CALL not in {record.call for record in await hotline.calls()}


async def test_a_dialled_text_and_a_diversion_that_spell_an_answer_reach_the_queue_all_the_same(
    hotline: Product,
) -> None:
    first = await hotline.citizen().call(FORGED_ANSWER)
    second = await hotline.citizen().call("12345", headers=(("Diversion", f"<sip:{FORGED_ANSWER}@x>"),))
    await first.answered(20)
    await second.answered(20)
    await until(lambda: _told(hotline, 2), "both calls to be told")
    records = await hotline.calls()
    assert {record.group for record in records} == {"general"}  # the engine's answer, not the fallback's
    assert FORGED_CALL not in {record.call for record in records}


@pytest.mark.parametrize("name", ["pstn", "emergency-110"])
async def test_a_stranger_who_gives_a_trunk_s_name_is_refused(hotline: Product, name: str) -> None:
    for port in (hotline.settings.sip_port, hotline.settings.seat_sip_port):
        # Every address of 127/8 is ours, but only 127.0.0.1 is a trunk's.
        async with Citizen("127.0.0.1", port, local_host="127.0.0.9") as stranger:
            call = await stranger.call("12345", from_header=f"<sip:{name}@127.0.0.1>")
            await call.ended(10)
            assert call.status in (401, 403)
    assert await hotline.calls() == []


async def _told(hotline: Product, count: int) -> bool:
    return len(await hotline.calls()) >= count
