"""A phone's audio: one UDP port that sends a sound at 20 ms per packet and records what comes in."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import deque
from typing import Self

from phones.errors import PhoneError
from phones.recording import Recording
from phones.rtp import ALAW_PAYLOAD, Packet, event_frames, parse
from phones.sdp import RemoteMedia
from phones.sounds import FRAME, QUIET_FRAME, Sound

_STEP = 0.02
_LATE_SECONDS = 1.0
"""Later than this, packets are skipped, not sent in a burst."""


class Media(asyncio.DatagramProtocol):
    """Audio of one call. It sends nothing until it knows where to."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sound: Sound | None, *, follow: bool = False) -> None:
        self._loop = loop
        self._follow = follow
        self._sound = sound
        self._remote: RemoteMedia | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._source = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._marker = True
        self._keys: deque[tuple[bytes, bool, bool] | None] = deque()
        self._key_timestamp = 0
        self._keys_done: list[asyncio.Future[None]] = []
        self.key_released_at: float | None = None
        """When the last key went up, by the loop's clock."""
        self.heard = Recording(loop.time())
        self.host = ""
        self.port = 0
        self.sent = 0

    @classmethod
    async def open(cls, host: str, sound: Sound | None = None, *, follow: bool = False) -> Self:
        """A free even port; the odd one above it is left to RTCP, which we do not speak.

        ``follow``: send to wherever the first packet comes from, when the signalling is somebody else's.
        """
        loop = asyncio.get_running_loop()
        media = cls(loop, sound, follow=follow)
        sock = _even_socket(host)
        media.host, media.port = sock.getsockname()
        media._transport, _ = await loop.create_datagram_endpoint(lambda: media, sock=sock)
        return media

    def go_on_from(self, other: Media) -> None:
        """Number packets on from another port's, as equipment does that moves a talk and keeps its source."""
        self._source, self._sequence, self._timestamp = other._source, other._sequence, other._timestamp

    def connect(self, remote: RemoteMedia) -> None:
        """Talk to this address from now on; again after a re-INVITE."""
        self._remote = remote
        self.heard.event_payload = remote.event_payload
        if self._timer is None and self._transport is not None:
            self._due = self._loop.time()
            self._step()

    @property
    def sound(self) -> Sound | None:
        """What is being said."""
        return self._sound

    def say(self, sound: Sound | None) -> None:
        """Change what is sent; None sends no packets at all."""
        self._sound = sound
        self._marker = True

    async def press(self, digits: str, *, milliseconds: int = 100, gap_milliseconds: int = 100) -> None:
        """Press keys one after the other and return when the last is released."""
        if self._timer is None:
            raise PhoneError("keys can be pressed only during a talk")
        for digit in digits:
            self._keys.extend(event_frames(digit, milliseconds=milliseconds))
            self._keys.extend([None] * (gap_milliseconds // 20))
        done = self._loop.create_future()
        self._keys_done.append(done)
        await done

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._release_keys()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        packet = parse(data)
        if packet is not None and self._follow and self._remote is None:
            self.connect(RemoteMedia(*addr))
        if packet is not None and (self._remote is None or addr[1] == self._remote.port):
            self.heard.add(self._loop.time(), packet)

    def error_received(self, exc: Exception) -> None:
        """The other side has closed its port: SIP will tell us, if it matters."""

    def _step(self) -> None:
        now = self._loop.time()
        if now - self._due > _LATE_SECONDS:
            skipped = int((now - self._due) / _STEP)
            self._due += skipped * _STEP
            self._timestamp += skipped * FRAME
        while self._due <= now:
            self._send_frame()
            self._due += _STEP
            self._timestamp += FRAME
        self._timer = self._loop.call_at(self._due, self._step)

    def _send_frame(self) -> None:
        if self._keys:
            key = self._keys.popleft()
            if not self._keys:
                self._release_keys()
            if key is not None:
                self._send_key(*key)
                return
        if self._sound is None:
            return
        payload = next(self._sound, QUIET_FRAME)
        self._send(Packet(ALAW_PAYLOAD, self._sequence, self._timestamp, self._source, payload, self._marker))
        self._marker = False

    def _send_key(self, payload: bytes, first: bool, last: bool) -> None:
        if first:
            self._key_timestamp = self._timestamp
        events = self._remote.event_payload if self._remote else 101
        self._send(Packet(events, self._sequence, self._key_timestamp, self._source, payload, first))
        if last and not self._marker:
            self.key_released_at = self._loop.time()
        self._marker = last

    def _send(self, packet: Packet) -> None:
        remote = self._remote
        if self._transport is not None and remote is not None and remote.direction in {"sendrecv", "recvonly"}:
            self._transport.sendto(packet.encode(), (remote.host, remote.port))
            self._sequence = (self._sequence + 1) & 0xFFFF
            self.sent += 1

    def _release_keys(self) -> None:
        for done in self._keys_done:
            if not done.done():
                done.set_result(None)
        self._keys_done.clear()


def free_udp_port(host: str = "127.0.0.1") -> int:
    """A port nobody listens on right now, for a program that wants to be told its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return int(sock.getsockname()[1])


def _even_socket(host: str) -> socket.socket:
    for _ in range(100):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        try:
            sock.bind((host, 0))
        except OSError:
            sock.close()
            raise
        if sock.getsockname()[1] % 2 == 0:
            return sock
        sock.close()
    raise PhoneError(f"no free even UDP port on {host}")
