"""One citizen's call with SIPp's signalling and our audio: the demo's caller, and a witness independent of our own SIP.

SIPp plays its scenario to the end; the audio port in its SDP is ours, so we say, hear and press keys.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from typing import Self

from phones import sounds
from phones.errors import CallFailed, PhoneDeadline
from phones.load import HANG_UP
from phones.media import Media, free_udp_port
from phones.recording import Recording
from phones.sip_message import request
from phones.sipp import Sipp, scenario
from phones.sounds import Sound

_POLL_SECONDS = 0.05
_FINAL = re.compile(r"^SIP/2\.0 ([2-6]\d\d) ([^\r\n]*)\r?\n(?:[^\r\n]+\r?\n)*?CSeq: *1 INVITE\r?$", re.MULTILINE)
_BYE = re.compile(r"message (sent|received)[^\n]*\n\s*BYE ", re.IGNORECASE)


class SippCall:
    """One call made by SIPp. Times are ``time.monotonic()`` seconds."""

    def __init__(self, sipp: Sipp, media: Media, call_id: str, signalling: tuple[str, int], longest: float) -> None:
        loop = asyncio.get_running_loop()
        self._call_id = call_id
        self._signalling = signalling
        self._sipp = sipp
        self._media = media
        self._talks = asyncio.Event()
        self._over = asyncio.Event()
        self.started_at = loop.time()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.status = 0
        """The final SIP status of the INVITE; 0 while there is none."""
        self.phrase = ""
        self.ended_by_us = False
        self._watch = loop.create_task(self._follow(longest))

    @property
    def heard(self) -> Recording:
        return self._media.heard

    async def answered(self, timeout: float = 30) -> Self:
        """Wait until the call is answered. Raises CallFailed when it ends first."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + timeout
        while not self._talks.is_set():
            if self._over.is_set():
                raise CallFailed(self.status, self.phrase)
            if loop.time() > give_up:
                raise PhoneDeadline(f"the call was not answered in {timeout} s\n{self._sipp.tail()}")
            await asyncio.sleep(_POLL_SECONDS)
        return self

    async def ended(self, timeout: float = 60) -> Self:
        """Wait until the call is over. Raises SippFailed when SIPp itself failed."""
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._watch)
        except TimeoutError:
            raise PhoneDeadline(f"the call did not end in {timeout} s\n{self._sipp.tail()}") from None
        return self

    async def hang_up(self, timeout: float = 10) -> Self:
        """End the call now."""
        if not self._over.is_set():
            self.ended_by_us = True
            self._ask_to_hang_up()
        return await self.ended(timeout)

    async def send_digits(self, digits: str, *, timeout: float = 30) -> None:
        """Press keys (RFC 4733)."""
        async with asyncio.timeout(timeout):
            await self._media.press(digits)

    def say(self, sound: Sound | None) -> None:
        self._media.say(sound)

    async def close(self) -> None:
        """End everything at once; harmless when the call is over."""
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        await self._sipp.abandon()
        self._media.close()

    def _ask_to_hang_up(self) -> None:
        """The scenario takes a MESSAGE with its Call-ID as this wish; SIPp has no command for it."""
        headers = (("Via", "SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKwish"), ("From", "<sip:us@127.0.0.1>;tag=1"),
                   ("To", "<sip:sipp@127.0.0.1>"), ("Call-ID", self._call_id), ("CSeq", "1 MESSAGE"))  # fmt: skip
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(request("MESSAGE", "sip:sipp@127.0.0.1", headers).encode(), self._signalling)

    async def _follow(self, longest: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._sipp.is_running and loop.time() < self.started_at + longest:
                await asyncio.sleep(_POLL_SECONDS)
                self._read()
            self._read()
            if self._sipp.is_running:
                await self._sipp.stop()
            else:
                await self._sipp.finish(1)
        finally:
            self.ended_at = loop.time()
            self._media.close()
            self._over.set()

    def _read(self) -> None:
        path = self._sipp.folder / "messages.log"
        text = path.read_text("utf-8", "replace") if path.exists() else ""
        final = _FINAL.search(text)
        if final is not None and not self.status:
            self.status, self.phrase = int(final[1]), final[2]
            if self.status < 300:
                self.answered_at = asyncio.get_running_loop().time()
                self._talks.set()
        bye = _BYE.search(text)
        if bye is not None:
            self.ended_by_us = bye[1].lower() == "sent"


class SippCitizen:
    """Calls through a trunk with SIPp. ``host`` and ``port`` are where the switch listens for trunks."""

    def __init__(self, host: str, port: int, *, local_host: str = "127.0.0.1") -> None:
        self._switch = f"{host}:{port}"
        self._local_host = local_host
        self._calls: list[SippCall] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for call in self._calls:
            await call.close()

    async def call(
        self, number: str, *, caller: str = "13800001234", tone_hz: float | None = 440, sound: Sound | None = None,
        patience: float = 60, longest: float = 300,
    ) -> SippCall:  # fmt: skip
        """Call and return at once. Waits ``patience`` s for an answer, hangs up after ``longest`` s of talk."""
        voice = sound or (sounds.tone(tone_hz) if tone_hz else sounds.quiet())
        media = await Media.open(self._local_host, voice, follow=True)
        text = scenario(
            "caller", answer_ms=str(round(patience * 1000)), talk_ms=str(round(longest * 1000)), then=HANG_UP,
            audio_port=str(media.port), audio="", before="",
        )  # fmt: skip
        call_id = secrets.token_hex(12)
        port = free_udp_port(self._local_host)
        arguments = (
            self._switch, "-s", number, "-i", self._local_host, "-mi", self._local_host,
            "-p", str(port), "-cid_str", call_id, "-m", "1", "-r", "1",
            "-trace_msg", "-message_file", "messages.log",
        )  # fmt: skip
        try:
            sipp = await Sipp.start(text, arguments, rows=[(caller,)])
        except BaseException:
            media.close()
            raise
        call = SippCall(sipp, media, call_id, (self._local_host, port), patience + longest + 10)
        self._calls.append(call)
        return call
