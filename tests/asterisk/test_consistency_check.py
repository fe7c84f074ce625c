"""News of the switch that never arrive: the engine looks what is, mends its picture, counts and raises an alarm."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ledger.model import Kind
from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LOST = ("Hangup", "DialBegin", "DialEnd", "DeviceStateChange")
NO_PROMPT = "12320"
SEAT = "8001"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def deaf() -> AsyncIterator[Product]:
    """A hotline whose switch keeps the most important events to itself."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    async with product(home, edit=with_groups, started=False, wait_slice_seconds=60) as running:
        config = running.plan.home / "etc/manager.conf"
        told = config.read_text(encoding="utf-8")
        kept = re.sub(
            rf"^eventfilter\(action\(include\),name\((?:{'|'.join(LOST)})\)\) =\n", "", told, flags=re.MULTILINE
        )
        assert told.count("\n") - kept.count("\n") == len(LOST)
        config.write_text(kept, encoding="utf-8")
        await running.start_switch()
        await running.start_engine()
        yield running
    shutil.rmtree(home, ignore_errors=True)


async def test_a_waiting_caller_who_is_gone_unheard_stands_in_no_line(deaf: Product) -> None:
    here = Scene(deaf)
    call = await deaf.citizen().call(NO_PROMPT, caller="13600009101")
    await here.fact("13600009101", Kind.WAITING)
    await call.hang_up()

    async def nobody_waits() -> bool:
        return not (await deaf.ask("/api/queues"))["calls"]

    await until(nobody_waits, "the line to be empty")
    assert (await here.told("13600009101")).ended_at is not None


async def test_what_no_event_told_is_seen_on_the_switch_and_mended(deaf: Product) -> None:
    here = Scene(deaf)
    seat = await deaf.seat(SEAT)
    await deaf.ask("/api/agents/1001/sign-in", {"seat": SEAT})
    await here.seat_becomes(SEAT, "ready")  # its contact, of which no event told
    call = await deaf.citizen().call(NO_PROMPT, caller="13600009001")
    await seat.wait_talking(20)
    await here.seat_becomes(SEAT, "talking")
    assert deaf.settings.node in (await here.fact("13600009001", Kind.ANSWERED, seat=SEAT)).call
    await call.hang_up()
    await here.seat_becomes(SEAT, "ready")
    await here.told("13600009001")
    waiting = await deaf.citizen().call(NO_PROMPT, caller="13600009002")
    again = await seat.wait_talking(20)
    assert again.caller == "13600009002", "the seat that was stuck is offered the next call"
    status = await deaf.ask("/api/status")
    assert status["healed"] >= 3
    (alarm,) = [alarm for alarm in status["alarms"] if alarm["alarm"] == "healed"]
    assert not alarm["grave"], "it is to be looked at, but calls go well"
    await waiting.hang_up()
