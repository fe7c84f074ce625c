"""Many phones at once, by SIPp: callers at a rate or at given moments, any number of seats or a centre behind one port.

SIPp 3.6 answers MD5 challenges only; a registrar that also offers SHA-256 is one it cannot register at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from phones.errors import SippFailed
from phones.media import free_udp_port
from phones.sipp import Sipp, Tally, scenario

_SILENT = ("[media_port]", "")
_CALLERS = 500
"""Different caller numbers in one run, 13800000000 upwards."""
_LONG_MS = 3_600_000
_CREATED_PER_SECOND = 200
"""How fast SIPp makes ready callers who each wait for their own moment."""
_PAUSE = """\
  <nop><action>
    <assignstr assign_to="text" value="[field{field}]"/><todouble assign_to="ms" variable="text"/>
  </action></nop>
  <pause variable="ms"{then}/>
"""
"""A pause of its own for every call, in ms, from the injection file."""
_BYE = '  <recv request="BYE" timeout="{ms}" ontimeout="hang-up"/>\n'
_REFUSAL = '  <recv response="503" optional="true" rtd="refused" next="refused" timeout="{ms}"/>\n'
_REFUSED = """\
  <label id="refused"/>
  <send counter="refused" next="end">
    <![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]>
  </send>
"""
"""A call that is refused by 503 is counted as such, and is no failure."""
HANG_UP = ' ontimeout="hang-up"'
"""What a caller's scenario does at the end of its talk."""


@dataclass(frozen=True, slots=True)
class CallerLoad:
    """Citizens who call one number, at a steady rate or each at a moment of its own."""

    host: str
    port: int
    number: str = "12345"
    rate: float = 5.0
    """New calls per second."""
    seconds: float = 10.0
    at_once: int = 1000
    """Never more calls than this at the same time."""
    hang_up_after: float | None = None
    """Seconds of talk; None: the other side hangs up."""
    patience: float = 60.0
    """Longest wait for an answer, and for the other side's hang-up, s."""
    audio: Path | None = None
    """An .alaw file that every caller says, again and again; None sends no packets."""
    may_be_refused: bool = False
    """A 503 is an ending that is counted, not a failed call."""
    local_host: str = "127.0.0.1"
    arrivals: Sequence[float] = ()
    """When each calls, rising, s after ``start`` is done; instead of ``rate`` and ``seconds``."""

    async def run(self) -> Tally:
        """Make all calls and wait for the last to end. Raises SippFailed when SIPp itself fails."""
        sipp = await self.start()
        return await sipp.finish(self._seconds + 2 * self.patience + 10)

    async def start(self) -> Sipp:
        """Begin, and let the caller of this method decide when to stop."""
        talk = self.patience if self.hang_up_after is None else self.hang_up_after
        # Without a time to hang up, a far end that never does is a failed call.
        then = "" if self.hang_up_after is None else HANG_UP
        port, audio = _audio(self.audio)
        text = scenario(
            "caller", answer_ms=_ms(self.patience), talk_ms=_ms(talk), then=then, audio_port=port, audio=audio,
            before=_PAUSE.format(field=1, then="") if self.arrivals else "",
            timed='  <nop start_rtd="refused"/>\n' if self.may_be_refused else "",
            refusal=_REFUSAL.format(ms=_ms(self.patience)) if self.may_be_refused else "",
            refused=_REFUSED if self.may_be_refused else "",
        )  # fmt: skip
        calls = len(self.arrivals) or max(1, round(self.rate * self.seconds))
        rows = [(str(13_800_000_000 + n), *self._pause(n)) for n in range(len(self.arrivals) or min(calls, _CALLERS))]
        rate = ("-r", str(round(self.rate * 10)), "-rp", "10s") if self.rate < 10 else ("-r", str(round(self.rate)))
        if self.arrivals:
            rate = ("-r", str(_CREATED_PER_SECOND))
        arguments = (
            f"{self.host}:{self.port}", "-s", self.number, "-i", self.local_host, "-mi", self.local_host,
            "-p", str(free_udp_port(self.local_host)), *rate,
            "-m", str(calls), "-l", str(self.at_once), "-timeout", f"{round(self._seconds + 2 * self.patience + 5)}s",
        )  # fmt: skip
        return await Sipp.start(text, arguments, rows=rows)

    @property
    def _lead(self) -> float:
        """Seconds until all who wait for their moment have been made ready."""
        return len(self.arrivals) / _CREATED_PER_SECOND

    @property
    def _seconds(self) -> float:
        return self._lead + self.arrivals[-1] if self.arrivals else self.seconds

    def _pause(self, number: int) -> tuple[str, ...]:
        """How long a caller who has a moment of its own waits for it, ms."""
        if not self.arrivals:
            return ()
        return (_ms(self._lead + self.arrivals[number] - number / _CREATED_PER_SECOND),)


class CalleeLoad:
    """Seats (``users``: user to password) or, without users, a centre: all calls answered behind one port."""

    def __init__(
        self, host: str, port: int, *, local_port: int, users: Mapping[str, str] | None = None, ring: float = 0.1,
        talk: float | None = None, talks: Sequence[float] = (), expires: int = 3600, audio: Path | None = None,
        local_host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        """Answers after ``ring`` s; hangs up after ``talk`` s, or never (None); with ``talks``, after each in turn."""
        self._peer = f"{host}:{port}"
        self._local = ("-i", local_host, "-mi", local_host, "-p", str(local_port))
        self._users = dict(users or {})
        self._ring = ring
        self._talk = talk
        self._talks = talks
        self._expires = expires
        self._audio = audio
        self._sipp: Sipp | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._sipp is not None:
            await self._sipp.abandon()

    async def start(self) -> None:
        """Register everybody, then listen. Raises SippFailed when somebody could not register."""
        if self._users:
            try:
                await self._register(self._expires)
            except SippFailed:
                # A REGISTER that was sent twice is challenged twice, and SIPp takes that for a failed call: once more.
                await self._register(self._expires)
        port, audio = _audio(self._audio)
        talk = str(_LONG_MS) if self._talk is None else _ms(self._talk)
        then = _PAUSE.format(field=0, then=' next="hang-up"') if self._talks else _BYE.format(ms=talk)
        text = scenario("callee", ring_ms=_ms(self._ring), talk=then, audio_port=port, audio=audio)
        rows = [(_ms(seconds),) for seconds in self._talks]
        self._sipp = await Sipp.start(text, (self._peer, *self._local, "-aa"), rows=rows)

    def answered(self) -> int:
        """How many calls were answered so far, at most a second old."""
        if self._sipp is None:
            raise SippFailed("not started")
        return self._sipp.so_far().answered

    async def stop(self) -> Tally:
        """Answer nobody any more and tell what was answered; users are unregistered."""
        if self._sipp is None:
            raise SippFailed("not started")
        sipp, self._sipp = self._sipp, None
        tally = await sipp.stop()
        if self._users:
            await self._register(0)
        return tally

    async def _register(self, expires: int) -> None:
        rows = [
            (user, f"[authentication username={user} password={password}]") for user, password in self._users.items()
        ]
        arguments = (self._peer, *self._local, "-m", str(len(rows)), "-r", "20", "-timeout", "30s")
        sipp = await Sipp.start(scenario("register", expires=str(expires)), arguments, rows=rows)
        tally = await sipp.finish(40)
        if tally.succeeded < len(rows):
            missing = len(rows) - tally.succeeded
            why = ", ".join(f"{name} {count}" for name, count in tally.failures.items())
            raise SippFailed(f"{missing} of {len(rows)} users could not register\n{why}\n{tally.errors}")


def _ms(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _audio(path: Path | None) -> tuple[str, str]:
    """What stands in the scenario's SDP and after its ACK."""
    if path is None:
        return _SILENT
    play = f'  <nop><action><exec rtp_stream="{path},-1,8,PCMA/8000"/></action></nop>\n'
    return "[rtpstream_audio_port]", play
