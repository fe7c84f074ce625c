"""What a phone says: endless or finite streams of A-law, cut into frames of 20 ms."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain, repeat
from pathlib import Path

from phones import g711

RATE = 8000
FRAME = 160
"""Samples, and A-law bytes, in 20 ms."""
QUIET_FRAME = bytes([g711.SILENCE]) * FRAME

Sound = Iterator[bytes]
"""Frames of 160 A-law bytes; when it ends, the phone sends silence."""


def tone(hz: float, *, seconds: float | None = None, level: float = 0.3) -> Sound:
    """A sine tone, for ever or for so many seconds. Level is a share of full scale."""
    frames = _tone_second(round(hz), level)
    endless = chain.from_iterable(repeat(frames))
    return endless if seconds is None else _first(endless, seconds)


def quiet(seconds: float | None = None) -> Sound:
    """Silence that is sent as packets."""
    return repeat(QUIET_FRAME) if seconds is None else _first(repeat(QUIET_FRAME), seconds)


def alaw(data: bytes) -> Sound:
    """A-law bytes, e.g. a prompt; the last frame is filled up with silence."""
    for at in range(0, len(data), FRAME):
        yield data[at : at + FRAME].ljust(FRAME, bytes([g711.SILENCE]))


def file(path: Path) -> Sound:
    """An .alaw file."""
    return alaw(path.read_bytes())


def sequence(*sounds: Sound) -> Sound:
    """One after the other."""
    return chain(*sounds)


def _first(sound: Sound, seconds: float) -> Sound:
    return (frame for _, frame in zip(range(round(seconds * 50)), sound, strict=False))


@lru_cache(maxsize=64)
def _tone_second(hz: int, level: float) -> tuple[bytes, ...]:
    """One second of a whole-numbered frequency, which joins itself without a click."""
    pcm = array("h", (round(32767 * level * math.sin(2 * math.pi * hz * n / RATE)) for n in range(RATE)))
    data = g711.encode(pcm)
    return tuple(data[at : at + FRAME] for at in range(0, RATE, FRAME))
