"""Draining: new callers get 503, those who wait are served, 110 is reached, a restart of the engine changes nothing."""

from __future__ import annotations

import asyncio
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from phones.phone import Answer
from tests.asterisk.support.crowd import staffed
from tests.asterisk.support.product import Product, product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 1320


async def test_those_who_are_here_are_served_and_nobody_else_comes_in(home: Path) -> None:
    async with product(home, edit=staffed(1)) as hotline:
        seat = await hotline.seat("8001", "1001", tone_hz=SEAT_HZ)
        await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking()
        await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        await until(lambda: _waits(hotline), "the second caller to wait")
        assert await _ready(hotline) == 200

        status, output = await hotline.hotline("drain")
        assert status == 2
        assert "--reason" in output
        status, output = await hotline.hotline("drain", "--reason", "升级")
        assert status == 0, output
        assert "还有 2 个来电" in output
        await until(lambda: _refused(hotline), "new callers to be refused")
        assert await _ready(hotline) == 503
        shown = await hotline.ask("/api/status")
        assert shown["draining"]["reason"] == "升级"
        assert [alarm["alarm"] for alarm in shown["alarms"] if alarm["grave"]] == ["drain"]

        centre = await hotline.centre("emergency-110", tone_hz=CENTRE_HZ, behaviour=Answer(0.1))
        await hotline.citizen().call("110", tone_hz=CITIZEN_HZ)
        there = await centre.wait_talking()
        await there.hang_up()

        await hotline.signal_engine(signal.SIGKILL)
        await hotline.start_engine(wait=False)
        await until(lambda: _draining(hotline), "the engine that goes on draining")
        await until(lambda: _refused(hotline), "new callers to be refused again")
        await talk.hang_up()
        second = await seat.wait_talking()  # the one who waited
        await second.hang_up()
        status, output = await hotline.hotline("drain", "--reason", "升级", "--wait", "20")
        assert status == 0, output
        assert "还有 0 个来电" in output

        status, output = await hotline.hotline("drain", "--undo")
        assert status == 0, output
        await until(lambda: _let_in(hotline), "callers to be let in again")
        talk = await seat.wait_talking()
        await talk.hang_up()
        shown = await hotline.ask("/api/status")
        assert shown["draining"] is None
        assert "drain" not in [alarm["alarm"] for alarm in shown["alarms"]]
        assert await _ready(hotline) == 200


async def _waits(hotline: Product) -> bool:
    return bool((await hotline.ask("/api/status"))["waiting"] == 1)


async def _draining(hotline: Product) -> bool:
    try:
        return bool((await hotline.ask("/api/status"))["draining"])
    except Exception:  # not up again yet
        return False


async def _refused(hotline: Product) -> bool:
    """Whether a new caller gets 503; one who was let in hangs up."""
    call = await hotline.citizen().call("12333", tone_hz=None)
    try:
        await call.answered(2)
    except Exception:  # not answered: why is what we ask
        return call.status == 503
    await call.hang_up()
    return False


async def _let_in(hotline: Product) -> bool:
    call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
    try:
        await call.answered(10)
    except Exception:  # refused still
        return False
    return True


async def _ready(hotline: Product) -> int:
    def ask() -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{hotline.settings.health_port}/readyz") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    return await asyncio.to_thread(ask)
