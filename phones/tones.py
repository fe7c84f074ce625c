"""What is in the sound: which tone, which silence, which prompt. Pure functions over 16-bit samples.

Tones are found with Goertzel's algorithm (G. Goertzel, 1958), one bin of a Fourier transform per window.
Prompts are found by normalised cross-correlation of the waveform, half a second at a time: through A-law the same
recording correlates at 0.95 and more, another sentence of the same voice at about 0.4.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

RATE = 8000
_WINDOW_SECONDS = 0.05
_QUIET_LEVEL = 10 ** (-45 / 20)
"""Below -45 dB of full scale nobody hears speech on a phone."""
_CHUNK_SECONDS = 0.5
_LOOKED_AT = 5
"""So many of the prompts that seem likeliest are looked at whole."""

Floats = npt.NDArray[np.float64]


def tone_share(pcm: array[int], hz: float, rate: int = RATE, *, least: float = 0.2) -> float:
    """The share of the time, 0 to 1, in which this tone is heard.

    A window of 50 ms counts when it is audible and at least ``least`` of its power is at that frequency; 0.2 leaves
    room for three tones at once, as in a conference.
    """
    windows = _windows(pcm, rate)
    if not len(windows):
        return 0.0
    size = windows.shape[1]
    angles = 2 * math.pi * hz / rate * np.arange(size)
    amplitude = np.abs(windows @ np.exp(-1j * angles)) * 2 / size
    power = (windows**2).mean(axis=1)
    heard = (amplitude**2 / 2 >= least * power) & (power > _QUIET_LEVEL**2)
    return float(heard.mean())


def loudness(pcm: array[int]) -> float:
    """Root mean square as a share of full scale."""
    samples = _samples(pcm)
    return float(np.sqrt((samples**2).mean())) if len(samples) else 0.0


def silences(pcm: array[int], *, at_least: float = 0.2, rate: int = RATE) -> list[tuple[float, float]]:
    """Every stretch below the level of hearing: (start, length) in seconds, to 50 ms."""
    windows = _windows(pcm, rate)
    found: list[tuple[float, float]] = []
    start: int | None = None
    quiet = [*(np.sqrt((windows**2).mean(axis=1)) < _QUIET_LEVEL).tolist(), False]
    for at, is_quiet in enumerate(quiet):
        if is_quiet and start is None:
            start = at
        elif not is_quiet and start is not None:
            seconds = (at - start) * _WINDOW_SECONDS
            if seconds >= at_least:
                found.append((start * _WINDOW_SECONDS, seconds))
            start = None
    return found


def longest_silence(pcm: array[int], *, rate: int = RATE) -> float:
    """The longest stretch without sound, in seconds."""
    return max((seconds for _, seconds in silences(pcm, rate=rate)), default=0.0)


def similarity(pcm: array[int], prompt: array[int], *, rate: int = RATE) -> float:
    """How surely this prompt was heard in the recording, 0 to 1: the share of its half seconds that are found there.

    Above 0.8 it was heard whole; another sentence of the same voice stays below 0.5.
    """
    return _Heard(pcm, rate).share(_chunks(_samples(prompt), round(_CHUNK_SECONDS * rate)))


def likeliest(pcm: array[int], prompts: Mapping[str, array[int]]) -> tuple[str, float]:
    """The prompt that was heard most surely, and how surely.

    The loudest half seconds of each tell which are worth a whole look.
    """
    heard, size = _Heard(pcm, RATE), round(_CHUNK_SECONDS * RATE)
    parts = {name: _chunks(_samples(prompt), size) for name, prompt in prompts.items()}
    ranked = sorted(parts, key=lambda name: heard.share(_loudest(parts[name])), reverse=True)
    return max(((name, heard.share(parts[name])) for name in ranked[:_LOOKED_AT]), key=lambda pair: pair[1])


def _samples(pcm: array[int]) -> Floats:
    return np.frombuffer(pcm, dtype=np.int16).astype(np.float64) / 32768 if len(pcm) else np.zeros(0)


def _windows(pcm: array[int], rate: int) -> Floats:
    size = round(_WINDOW_SECONDS * rate)
    samples = _samples(pcm)
    whole = len(samples) // size
    return samples[: whole * size].reshape(whole, size)


def _chunks(samples: Floats, size: int) -> list[Floats]:
    """The audible parts of a prompt, half a second each."""
    parts = [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]
    return [part for part in parts if np.sqrt((part**2).mean()) > _QUIET_LEVEL * 2]


def _loudest(chunks: list[Floats]) -> list[Floats]:
    """One of the first half and one of the second: a prompt may have been cut off."""
    middle = (len(chunks) + 1) // 2
    return [max(half, key=lambda chunk: float((chunk**2).sum())) for half in (chunks[:middle], chunks[middle:]) if half]


class _Heard:
    """A recording, made ready for looking for many pieces in it."""

    def __init__(self, pcm: array[int], rate: int) -> None:
        samples = _samples(pcm)
        self._size = round(_CHUNK_SECONDS * rate)
        self._length = 1 << (len(samples) + self._size).bit_length()
        self._spectrum = np.fft.rfft(samples, self._length)
        sums = np.concatenate(([0.0], np.cumsum(samples**2)))
        self._energy = sums[self._size :] - sums[: -self._size]

    def share(self, chunks: list[Floats]) -> float:
        """The share of these half seconds that are in it, each surely (1) or less."""
        if not chunks or not len(self._energy):
            return 0.0
        return float(np.mean([min(1.0, max(0.0, (self._best_match(chunk) - 0.5) / 0.4)) for chunk in chunks]))

    def _best_match(self, chunk: Floats) -> float:
        """The highest normalised cross-correlation at any place."""
        products = np.fft.irfft(self._spectrum * np.conj(np.fft.rfft(chunk, self._length)), self._length)
        own = float((chunk**2).sum())
        floor = own * 1e-3
        return float((products[: len(self._energy)] / np.sqrt(np.maximum(self._energy, floor) * own)).max())
