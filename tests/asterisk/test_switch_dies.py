"""Asterisk is killed under ``hotline up``: up again with its seats, and the ledger ends what it lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from phones.tones import tone_share
from tests.asterisk.support.crowd import callers, told, waiting
from tests.asterisk.support.product import product, until
from tests.asterisk.support.running_up import up

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ = 440, 880


@pytest.mark.smoke
async def test_a_killed_switch_is_back_with_its_seats_and_its_calls_are_told(home: Path) -> None:
    async with product(home, started=False) as hotline, up(hotline) as running:
        await running.ready()
        seat = await hotline.seat("8001", "1001", tone_hz=SEAT_HZ)
        lost = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        cut = await seat.wait_talking()
        (waiter,) = await callers(hotline, 1)
        await waiting(hotline, 1)
        old = running.pid_of("asterisk")
        began = seat.now
        os.kill(old, signal.SIGKILL)
        await running.new_pid("asterisk", old)
        await until(hotline.healthy, "the engine to be with it again")
        await until(lambda: hotline.seat_is("8001", "ready"), "the seat to be ready again")
        back = seat.now - began
        print(f"healthy, with the seat ready, {back:.1f} s after the kill")
        for gone in (cut, lost, waiter):
            await gone.hang_up(40)
        call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking()
        await asyncio.sleep(1)
        await talk.hang_up()
        await call.hang_up()
        assert tone_share(talk.heard.pcm(), CITIZEN_HZ) > 0.7
        records = await told(hotline, 3, 60)
        assert len(records) == 3
        after, patient, before = records
        assert (before.seat, before.answered_by, patient.answered_at) == ("8001", "agent", None)
        assert (after.seat, after.end_cause) == ("8001", "16")
        print([(record.end_cause, record.ended_by, record.source) for record in records])
