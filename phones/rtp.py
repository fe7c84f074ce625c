"""RTP packets (RFC 3550) and telephone events (RFC 4733): bytes to values and back. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ALAW_PAYLOAD = 8
EVENT_DIGITS = "0123456789*#ABCD"
_HEADER = struct.Struct("!BBHII")


@dataclass(frozen=True, slots=True)
class Packet:
    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        second = self.payload_type | (0x80 if self.marker else 0)
        sequence, timestamp = self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF
        return _HEADER.pack(0x80, second, sequence, timestamp, self.source) + self.payload


def parse(data: bytes) -> Packet | None:
    """A datagram as an RTP packet; None for RTCP and for anything else."""
    if len(data) < 12 or data[0] >> 6 != 2 or 192 <= data[1] <= 223:
        return None
    first, second, sequence, timestamp, source = _HEADER.unpack_from(data)
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if start > end:
        return None
    return Packet(second & 0x7F, sequence, timestamp, source, data[start:end], bool(second & 0x80))


def event_frames(digit: str, *, milliseconds: int = 100) -> Iterator[tuple[bytes, bool, bool]]:
    """The payloads of one key press, one every 20 ms: (payload, is the first, is an end packet).

    The end is sent three times (RFC 4733 2.5.1.4) so that one lost packet does not hold the key down.
    """
    event = EVENT_DIGITS.index(digit.upper())
    steps = max(1, milliseconds // 20)
    for step in range(1, steps + 1):
        yield struct.pack("!BBH", event, 10, step * 160), step == 1, False
    for _ in range(3):
        yield struct.pack("!BBH", event, 0x80 | 10, steps * 160), False, True
