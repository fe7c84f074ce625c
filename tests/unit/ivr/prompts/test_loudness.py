"""Levels: a sine has a known RMS, a pause does not count, a cut wave is seen."""

from __future__ import annotations

import numpy as np
import pytest

from ivr.prompts import loudness
from ivr.prompts.loudness import Samples

pytestmark = pytest.mark.unit

RATE = 8000


def sine(dbfs: float, seconds: float = 1.0) -> Samples:
    wave = np.sin(2 * np.pi * 440 * np.arange(int(RATE * seconds)) / RATE) * 32767 * 10 ** (dbfs / 20)
    return np.clip(np.round(wave), -32768, 32767).astype(np.int16)


def test_a_sine_is_three_decibels_below_its_peak() -> None:
    heard = loudness.measure(sine(-10), RATE)
    assert heard.seconds == 1.0
    assert heard.peak_dbfs == pytest.approx(-10, abs=0.05)
    assert heard.rms_dbfs == pytest.approx(-13.01, abs=0.05)
    assert heard.clipped == 0


def test_pauses_do_not_make_speech_quieter() -> None:
    with_pause = np.concatenate((sine(-10), np.zeros(3 * RATE, dtype=np.int16)))
    assert loudness.measure(with_pause, RATE).rms_dbfs == pytest.approx(-13.01, abs=0.05)


def test_gain_reaches_the_target_or_stops_at_the_highest_peak() -> None:
    quiet = loudness.measure(sine(-30), RATE)
    levelled = loudness.measure(loudness.turned(sine(-30), loudness.gain_db(quiet)), RATE)
    assert levelled.rms_dbfs == pytest.approx(loudness.TARGET_RMS_DBFS, abs=0.1)
    spiky = loudness.Loudness(1.0, peak_dbfs=-6.0, rms_dbfs=-30.0, clipped=0)
    assert loudness.gain_db(spiky) == pytest.approx(3.0)


def test_a_cut_wave_is_counted_where_it_is_cut() -> None:
    assert loudness.measure(sine(6, 0.1), RATE).clipped == 88
    assert list(loudness.faults(loudness.measure(sine(6), RATE)))


@pytest.mark.parametrize(
    ("samples", "word"),
    [
        (np.zeros(RATE, dtype=np.int16), "没有声音"),
        (np.zeros(0, dtype=np.int16), "没有声音"),
        (sine(-40), "响度"),
        (sine(-17, 0.1), "时长"),
        (sine(-17, 21), "时长"),
    ],
)
def test_what_must_not_be_played_is_told(samples: Samples, word: str) -> None:
    assert word in "".join(loudness.faults(loudness.measure(samples, RATE)))


def test_a_good_prompt_has_no_fault() -> None:
    assert not list(loudness.faults(loudness.measure(sine(-17, 3), RATE)))
