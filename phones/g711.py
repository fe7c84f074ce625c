"""G.711 A-law (ITU-T G.711): 16-bit linear samples to bytes and back, by table."""

from __future__ import annotations

from array import array
from functools import cache

import numpy as np
import numpy.typing as npt

SILENCE = 0xD5
"""The A-law byte nearest to zero."""

Samples = npt.NDArray[np.int16]


def _linear(byte: int) -> int:
    value = byte ^ 0x55
    mantissa, segment = (value & 0x0F) << 4, (value & 0x70) >> 4
    magnitude = mantissa + 8 if segment == 0 else (mantissa + 0x108) << (segment - 1)
    return magnitude if value & 0x80 else -magnitude


@cache
def _decoding() -> Samples:
    return np.array([_linear(byte) for byte in range(256)], dtype=np.int16)


@cache
def _encoding() -> npt.NDArray[np.uint8]:
    """For each of the 65536 samples, the byte whose value lies nearest."""
    levels = _decoding().astype(np.int32)
    order = np.argsort(levels)
    ordered = levels[order]
    edges = (ordered[1:] + ordered[:-1]) / 2
    return order[np.searchsorted(edges, np.arange(-32768, 32768), side="right")].astype(np.uint8)


def decode(alaw: bytes) -> array[int]:
    """A-law bytes as 16-bit samples."""
    return array("h", _decoding()[np.frombuffer(alaw, dtype=np.uint8)].tobytes())


def encode(pcm: array[int]) -> bytes:
    """16-bit samples as A-law bytes."""
    samples = np.frombuffer(pcm, dtype=np.int16).astype(np.int32)
    return _encoding()[samples + 32768].tobytes()
