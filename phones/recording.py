"""What a phone heard, on one timeline: packets in, samples out.

Packets are put where their RTP timestamps say, anchored to the clock by their arrival; what never came is
silence. Late reading (a busy machine) shifts nothing: a stretch moves on the timeline only when all
packets of the following second agree that time has passed.
"""

from __future__ import annotations

import wave
from array import array
from bisect import bisect_left
from itertools import pairwise
from pathlib import Path

from phones import g711
from phones.rtp import EVENT_DIGITS, Packet
from phones.sounds import RATE
from phones.tones import loudness

_WINDOW = 50
"""Packets, one second, whose earliest arrival tells what the network's delay was."""
_STRETCH_SAMPLES = RATE // 10
"""A timeline correction below 100 ms is jitter."""

_AUDIBLE = 0.01
"""Share of full scale: below it nobody hears anything."""


class Recording:
    """Everything one phone received in one call. Times are ``time.monotonic()`` seconds."""

    def __init__(self, began: float, *, event_payload: int = 101) -> None:
        self.began = began
        self.event_payload = event_payload
        self.digits = ""
        """Keys the other side pressed (RFC 4733)."""
        self._audio: list[tuple[float, Packet]] = []
        self._event: tuple[int, int] | None = None

    def add(self, arrived: float, packet: Packet) -> None:
        if packet.payload_type == 8:
            self._audio.append((arrived, packet))
        elif packet.payload_type == self.event_payload and len(packet.payload) >= 4:
            self._hear_key(packet)

    @property
    def packets(self) -> int:
        return len(self._audio)

    @property
    def first_at(self) -> float | None:
        """When the first audio packet came."""
        return self._audio[0][0] if self._audio else None

    @property
    def first_loud_at(self) -> float | None:
        """When the first audio packet came in which there is something to hear."""
        return next((at for at, packet in self._audio if loudness(g711.decode(packet.payload)) > _AUDIBLE), None)

    @property
    def last_at(self) -> float | None:
        return self._audio[-1][0] if self._audio else None

    def longest_gap(self, since: float, until: float) -> float:
        """The longest time in which no audio packet arrived, in seconds."""
        times = [since, *(at for at, _ in self._audio if since < at < until), until]
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def alaw(self, since: float | None = None, until: float | None = None) -> bytes:
        """The A-law bytes between two moments; by default from the first to the last packet."""
        placed = self._placed()
        if not placed:
            return b""
        start = placed[0][0] if since is None else round((since - self.began) * RATE)
        end = max(at + len(p) for at, p in placed) if until is None else round((until - self.began) * RATE)
        heard = bytearray([g711.SILENCE]) * max(0, end - start)
        for at, payload in placed:
            lo, hi = max(at, start), min(at + len(payload), end)
            if lo < hi:
                heard[lo - start : hi - start] = payload[lo - at : hi - at]
        return bytes(heard)

    def pcm(self, since: float | None = None, until: float | None = None) -> array[int]:
        """The same as 16-bit samples at 8000 Hz."""
        return g711.decode(self.alaw(since, until))

    def save(self, path: Path) -> None:
        """Write it as a .wav file for human ears."""
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(self.pcm().tobytes())

    def _hear_key(self, packet: Packet) -> None:
        mark = (packet.source, packet.timestamp)
        if mark != self._event and packet.payload[0] < len(EVENT_DIGITS):
            self._event = mark
            self.digits += EVENT_DIGITS[packet.payload[0]]

    def _placed(self) -> list[tuple[int, bytes]]:
        streams: list[list[tuple[float, Packet]]] = []
        for arrived, packet in self._audio:
            if not streams or streams[-1][-1][1].source != packet.source:
                streams.append([])
            streams[-1].append((arrived, packet))
        placed: list[tuple[int, bytes]] = []
        for stream in streams:
            placed += self._place(stream)
        return placed

    def _place(self, stream: list[tuple[float, Packet]]) -> list[tuple[int, bytes]]:
        zero = stream[0][1].timestamp
        # Signed distance, so that a late packet and a wrap of the 32 bits are both right.
        stamps = [((p.timestamp - zero + 0x80000000) & 0xFFFFFFFF) - 0x80000000 for _, p in stream]
        delays = [
            (arrived - self.began) * RATE - stamp - len(packet.payload)
            for (arrived, packet), stamp in zip(stream, stamps, strict=True)
        ]
        base = _forward_minima(delays, _WINDOW)
        anchor, placed = base[0], []
        for (_, packet), stamp, wanted in zip(stream, stamps, base, strict=True):
            if abs(wanted - anchor) > _STRETCH_SAMPLES:
                anchor = wanted
            placed.append((round(anchor) + stamp, packet.payload))
        return placed


def _forward_minima(values: list[float], width: int) -> list[float]:
    """For each place the smallest of it and the next ``width - 1`` values."""
    window: list[int] = []
    minima = [0.0] * len(values)
    for at in range(len(values) - 1, -1, -1):
        while window and values[window[-1]] >= values[at]:
            window.pop()
        window.append(at)
        # Indices fall along the list; the first one still inside the window holds the minimum.
        minima[at] = values[window[bisect_left(window, -(at + width - 1), key=lambda index: -index)]]
    return minima
