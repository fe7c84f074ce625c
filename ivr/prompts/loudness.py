"""How loud a prompt is, and how much to turn it up or down.

One job: samples in, levels out. It knows no file format and starts no process.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

TARGET_RMS_DBFS: Final = -20.0
"""Level that speech is brought to, measured while somebody speaks (pauses left out)."""
HIGHEST_PEAK_DBFS: Final = -3.0
"""Room left for the ripple of resampling to 8 kHz and for A-law's coarse upper steps."""
QUIETEST_RMS_DBFS: Final = -28.0
LOUDEST_RMS_DBFS: Final = -14.0
SHORTEST_SECONDS: Final = 0.3
LONGEST_SECONDS: Final = 20.0

_FULL_SCALE: Final = 32768.0
_SILENCE_DBFS: Final = -120.0
_FRAME_SECONDS: Final = 0.02
_ACTIVE_RANGE_DB: Final = 30.0
"""A 20 ms frame counts as speech when it is at most this far below the loudest one."""
_CLIPPED_RUN: Final = 3
"""So many samples in a row at full scale are a clipped wave, not a lucky peak."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """What was measured."""

    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    """While somebody speaks."""
    clipped: int
    """Places where the wave is cut off at full scale."""


def measure(samples: Samples, rate: int) -> Loudness:
    """Measure one channel of 16-bit samples at ``rate`` Hz."""
    wave = samples.astype(np.float64) / _FULL_SCALE
    peak = float(np.abs(wave).max(initial=0.0))
    return Loudness(
        seconds=round(len(samples) / rate, 3),
        peak_dbfs=_dbfs(peak),
        rms_dbfs=_dbfs(_active_rms(wave, max(1, round(rate * _FRAME_SECONDS)))),
        clipped=_clipped(samples),
    )


def gain_db(loudness: Loudness) -> float:
    """How far to turn it up (or down) to reach the target without passing the highest peak."""
    return round(min(TARGET_RMS_DBFS - loudness.rms_dbfs, HIGHEST_PEAK_DBFS - loudness.peak_dbfs), 2)


def turned(samples: Samples, gain: float) -> Samples:
    """The samples turned up or down by ``gain`` dB, held inside full scale."""
    wave = np.round(samples.astype(np.float64) * 10 ** (gain / 20))
    return np.clip(wave, -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def faults(loudness: Loudness) -> Iterator[str]:
    """What is wrong with a prompt, in Chinese, with what to do; nothing when it may be played."""
    if loudness.rms_dbfs <= _SILENCE_DBFS / 2:
        yield "没有声音，请重新录制"
        return
    if loudness.clipped:
        yield f"有 {loudness.clipped} 处削波失真，请降低录音音量后重新录制"
    if not QUIETEST_RMS_DBFS <= loudness.rms_dbfs <= LOUDEST_RMS_DBFS:
        limits = f"{QUIETEST_RMS_DBFS:.0f} 到 {LOUDEST_RMS_DBFS:.0f}"
        yield f"响度 {loudness.rms_dbfs:.1f} dBFS 不在 {limits} 之间，请重新录制"
    if not SHORTEST_SECONDS <= loudness.seconds <= LONGEST_SECONDS:
        yield f"时长 {loudness.seconds:.1f} 秒不在 {SHORTEST_SECONDS:.1f} 到 {LONGEST_SECONDS:.0f} 秒之间，请重新录制"


def _active_rms(wave: npt.NDArray[np.float64], frame: int) -> float:
    if len(wave) < frame:
        return math.sqrt(float(np.mean(wave**2))) if len(wave) else 0.0
    power = np.mean(wave[: len(wave) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    active = power[power >= power.max() * 10 ** (-_ACTIVE_RANGE_DB / 10)]
    return math.sqrt(float(active.mean()))


def _clipped(samples: Samples) -> int:
    full = (samples >= 32767) | (samples <= -32767)
    edges: npt.NDArray[Any] = np.flatnonzero(np.diff(np.concatenate(([False], full, [False])).astype(np.int8)))
    return int(np.count_nonzero(edges[1::2] - edges[::2] >= _CLIPPED_RUN))


def _dbfs(amplitude: float) -> float:
    return round(20 * math.log10(amplitude), 2) if amplitude > 10 ** (_SILENCE_DBFS / 20) else _SILENCE_DBFS
