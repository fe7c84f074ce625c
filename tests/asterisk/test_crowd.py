"""While more calls come than can be carried: who is refused, who never is, and how it ends by itself."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from phones.sounds import tone
from telephony.model import GlobalVar
from tests.asterisk.support.product import Product, product

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Product]:
    with tempfile.TemporaryDirectory(prefix="hl-") as home:
        async with product(Path(home)) as one:
            yield one


async def tell(running: Product, share: int, until: float) -> None:
    """What the engine tells the switch."""
    for name, value in ((GlobalVar.ADMIT, share), (GlobalVar.ADMIT_UNTIL, int(until))):
        await running.cli(f"dialplan set global {name} {value}")


async def test_ordinary_calls_are_refused_at_once_and_talks_and_emergencies_are_not(running: Product) -> None:
    centre = await running.centre("emergency-110")
    seat = await running.seat("8001", "1001")
    citizen = running.citizen()
    talking = await citizen.call("12345", sound=tone(440))
    talk = await seat.wait_talking(30)

    await tell(running, 0, time.time() + 600)
    refused = await running.citizen().call("12345")
    await refused.ended()
    assert refused.status == 503
    assert refused.ended_at is not None
    assert refused.ended_at - refused.started_at < 2
    for number in ("110", "0663110"):
        emergency = await running.citizen().call(number)
        await centre.wait_talking(30)
        await emergency.answered()
        await emergency.hang_up()
    assert talking.is_talking
    assert talk.is_talking

    await tell(running, 1000, time.time() + 600)
    admitted = await running.citizen().call("12345")
    await admitted.answered()
    await admitted.hang_up()

    await tell(running, 0, time.time() - 1)  # the engine has died or hangs: what it said lapses
    later = await running.citizen().call("12345")
    await later.answered()
    await later.hang_up()
    await talking.hang_up()
