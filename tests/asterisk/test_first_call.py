"""A citizen's call from ring to rating, with sound both ways."""

from __future__ import annotations

import wave
from array import array
from pathlib import Path

import pytest

from ledger.model import Kind
from phones.g711 import decode
from phones.tones import similarity, tone_share
from tests.asterisk.support.product import Product, until
from tests.asterisk.support.scene import asked_to_rate, comes_to_hear

pytestmark = pytest.mark.asterisk

CITIZEN_HZ, SEAT_HZ = 440, 880


@pytest.mark.parametrize(
    ("number", "prompt", "agent"), [("12345", "greeting-12345", "1001"), ("12333", "legacy-12333-during", "1002")]
)
@pytest.mark.smoke
async def test_a_call_is_greeted_answered_rated_and_told(
    hotline: Product, number: str, prompt: str, agent: str
) -> None:
    seat = await hotline.seat("8001", agent, tone_hz=SEAT_HZ)
    call = await hotline.citizen().call(number, tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await comes_to_hear(call, SEAT_HZ)  # the agent first hears which old number it is
    await comes_to_hear(talk, CITIZEN_HZ)
    await talk.hang_up()
    await asked_to_rate(hotline, call)
    await call.send_digits("5")
    await call.ended(20)
    assert similarity(call.heard.pcm(), _prompt(hotline, prompt)) > 0.8
    await until(lambda: _ended(hotline), "the call to be told")
    (record,) = await hotline.calls()
    assert (record.number, record.agent, record.seat, record.rating_level) == (number, agent, "8001", 5)
    assert Kind.RATING_ASKED in await hotline.kinds(record.call)
    (mixed,) = hotline.plan.recordings.rglob(f"{record.call}.wav")
    assert tone_share(_wave(mixed.with_name(f"{record.call}-caller.wav")), CITIZEN_HZ) > 0.7
    assert tone_share(_wave(mixed.with_name(f"{record.call}-agent.wav")), SEAT_HZ) > 0.7


async def _ended(hotline: Product) -> bool:
    records = await hotline.calls()
    return bool(records) and records[0].ended_at is not None


def _prompt(hotline: Product, name: str) -> array[int]:
    return decode((hotline.plan.sounds / "zh-CN" / f"{name}.alaw").read_bytes())


def _wave(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))
