"""What is in the sound: which tone, which silence, which prompt. Pure functions over 16-bit samples.

Tones are found with Goertzel's algorithm (G. Goertzel, 1958), one bin of a Fourier transform per window.
Prompts are found by normalised cross-correlation of the waveform, half a second at a time: through A-law the same
recording correlates at 0.95 and more, another sentence of the same voice at about 0.4.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

RATE = 8000
_WINDOW_SECONDS = 0.05
_QUIET_LEVEL = 10 ** (-45 / 20)
"""Below -45 dB of full scale nobody hears speech on a phone."""
_CHUNK_SECONDS = 0.5
_BLOCK = 1 << 14
"""Samples of one Fourier transform."""
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


def spoken(pcm: array[int], pieces: Sequence[array[int]], *, pause: float = 2.0, rate: int = RATE) -> float | None:
    """When the last of these pieces had been said, in seconds; None when one is missing.

    They are looked for one after the other, each within ``pause`` seconds of the one before, so it does no harm when a
    busy machine took a moment between two of them.
    """
    samples, end = _samples(pcm), 0
    for n, piece in enumerate(pieces):
        wanted = _trimmed(_samples(piece))
        until = len(samples) if n == 0 else end + round(pause * rate) + len(wanted)
        at = _place(samples[end:until], wanted)
        if at is None:
            return None
        end += at + len(wanted)
    return end / rate


_SAID = 0.7
"""Correlation from which a whole piece was said."""


def _place(samples: Floats, wanted: Floats) -> int | None:
    """Where this piece is said first, when it is said at all."""
    places = len(samples) - len(wanted) + 1
    if places <= 0:
        return None
    length = 1 << len(samples).bit_length()
    products = np.fft.irfft(np.fft.rfft(samples, length) * np.conj(np.fft.rfft(wanted, length)), length)[:places]
    sums = np.concatenate(([0.0], np.cumsum(samples**2)))
    energy, own = sums[len(wanted) :] - sums[:places], float((wanted**2).sum())
    matches = products / np.sqrt(np.maximum(energy, own * 1e-3) * own)
    surely = np.flatnonzero(matches >= _SAID)
    if not len(surely):
        return None
    first = int(surely[0])
    return first + int(matches[first : first + len(wanted) // 2].argmax())


def _trimmed(samples: Floats) -> Floats:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(samples) > _QUIET_LEVEL)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


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
    """A recording, made ready for looking for many pieces in it: its spectrum in overlapping blocks (overlap-save).

    Short blocks of single precision: a minute of sound must not keep the loop busy on which phones send and receive.
    """

    def __init__(self, pcm: array[int], rate: int) -> None:
        samples = _samples(pcm)
        size = round(_CHUNK_SECONDS * rate)
        self._places = _BLOCK - size + 1
        """So many places of a piece does one block tell of."""
        self._whole = len(samples) >= size
        blocks = max(1, math.ceil((len(samples) - size + 1) / self._places))
        padded = np.zeros((blocks - 1) * self._places + _BLOCK, dtype=np.float32)
        padded[: len(samples)] = samples
        self._spectra = np.fft.rfft(np.lib.stride_tricks.sliding_window_view(padded, _BLOCK)[:: self._places], axis=1)
        energy = np.full(blocks * self._places, np.inf)  # no piece begins where it would stand out at the end
        if self._whole:
            sums = np.concatenate(([0.0], np.cumsum(samples**2)))
            energy[: len(samples) - size + 1] = sums[size:] - sums[:-size]
        self._energy = energy.astype(np.float32).reshape(blocks, self._places)

    def share(self, chunks: list[Floats]) -> float:
        """The share of these half seconds that are in it, each surely (1) or less."""
        if not chunks or not self._whole:
            return 0.0
        return float(np.mean([min(1.0, max(0.0, (self._best_match(chunk) - 0.5) / 0.4)) for chunk in chunks]))

    def _best_match(self, chunk: Floats) -> float:
        """The highest normalised cross-correlation at any place."""
        spectrum = np.conj(np.fft.rfft(chunk.astype(np.float32), _BLOCK))
        products = np.fft.irfft(self._spectra * spectrum, _BLOCK, axis=1)[:, : self._places]
        own = float((chunk**2).sum())
        return float((products / np.sqrt(np.maximum(self._energy, own * 1e-3) * own)).max())
