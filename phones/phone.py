"""A phone on the network: the SIP core on a UDP socket, with audio on every call. The base of citizen, seat and centre.

Everything that waits has a deadline and raises PhoneDeadline with the last SIP messages in its text.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, ClassVar, Self

from phones import sounds
from phones.core import Core
from phones.errors import CallFailed, PhoneDeadline
from phones.leg import Address, Happened, Leg, LegState
from phones.media import Media
from phones.recording import Recording
from phones.sip_message import Message, user_of
from phones.sounds import Sound

_LAST_WORDS_SECONDS = 2.0
"""How long a closing phone waits for its BYE to be acknowledged."""


class PhoneCall:
    """One call as this phone sees it. Times are ``time.monotonic()`` seconds."""

    def __init__(self, phone: Phone, leg: Leg, media: Media) -> None:
        self._phone = phone
        self._leg = leg
        self._media = media
        self._rings = asyncio.Event()
        self._talks = asyncio.Event()
        self._over = asyncio.Event()
        self._changed = asyncio.Event()
        self._told = asyncio.Event()
        self.started_at = phone.now
        """The INVITE left, or arrived."""
        self.ringing_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None

    @property
    def heard(self) -> Recording:
        return self._media.heard

    @property
    def key_released_at(self) -> float | None:
        """When the last key pressed here went up."""
        return self._media.key_released_at

    @property
    def sip_call_id(self) -> str:
        return self._leg.call_id

    @property
    def status(self) -> int:
        """The final SIP status of the INVITE; below 200 while there is none."""
        return self._leg.status

    @property
    def phrase(self) -> str:
        return self._leg.phrase

    @property
    def reason(self) -> str:
        """The Reason header of what ended the call, e.g. ``Q.850;cause=16``; often empty."""
        return self._leg.reason

    @property
    def ended_by_us(self) -> bool:
        return self._leg.ended_by_us

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    @property
    def is_talking(self) -> bool:
        return self._leg.state is LegState.TALKING

    @property
    def caller(self) -> str:
        """The user part of the INVITE's From."""
        return user_of(self._leg.invite.header("From"))

    @property
    def dialled(self) -> str:
        """The user part of the INVITE's request URI."""
        return user_of(f"<{self._leg.invite.uri}>")

    def header(self, name: str) -> str:
        """A header of the INVITE, e.g. ``P-Asserted-Identity``; empty when absent."""
        return self._leg.invite.header(name)

    def headers(self) -> tuple[tuple[str, str], ...]:
        return self._leg.invite.headers

    async def ringing(self, timeout: float = 10) -> Self:
        """Wait until the other side rings (or has answered)."""
        await self._happen(self._rings, "ring", timeout)
        return self

    async def answered(self, timeout: float = 30) -> Self:
        """Wait until the call is answered. Raises CallFailed when it ends first."""
        await self._happen(self._talks, "be answered", timeout)
        return self

    async def ended(self, timeout: float = 60) -> Self:
        """Wait until the call is over, for whatever reason."""
        await self._phone.wait_for(self._over, "the call to end", timeout)
        return self

    async def hang_up(self, timeout: float = 10) -> Self:
        """BYE, CANCEL or refuse, whatever fits now; returns when the call is over here."""
        self._phone.act(lambda core, now: core.hang_up(self._leg, now))
        return await self.ended(timeout)

    async def change(self, wanted: str, timeout: float = 10) -> int:
        """A re-INVITE: ``sendonly`` or ``inactive`` to hold, ``sendrecv`` to be back. Its final status."""
        self._changed.clear()
        self._phone.act(lambda core, now: core.change(self._leg, wanted, self._media.port, now))
        await self._phone.wait_for(self._changed, "the re-INVITE to be answered", timeout)
        return self._leg.changed

    async def move(self, timeout: float = 10) -> int:
        """A re-INVITE to another audio port of ours, as a call that is moved inside a centre; its final status.

        What is heard from now on is a recording of its own.
        """
        old = self._media
        self._media = await Media.open(old.host, old.sound)
        old.say(None)  # else the other side may take the old port for the one that talks
        self._media.go_on_from(old)
        status = await self.change("sendrecv", timeout)
        if self._leg.media is not None:
            self._media.connect(self._leg.media)
        old.close()
        return status

    async def refer(self, target: str, *, headers: tuple[tuple[str, str], ...] = (), timeout: float = 10) -> str:
        """A REFER to this URI, and what became of it: the status of its refusal, or what was told of it at last."""
        self._told.clear()
        self._phone.act(lambda core, now: core.refer(self._leg, f"<{target}>", now, headers))
        async with asyncio.timeout(timeout * Phone.patience):
            while not (self._leg.referred >= 300 or (self._leg.became and self._final)):
                await self._told.wait()
                self._told.clear()
        return str(self._leg.referred) if self._leg.referred >= 300 else self._leg.became.split()[1]

    async def ask(
        self, method: str, *, headers: tuple[tuple[str, str], ...] = (), body: str = "", timeout: float = 10
    ) -> Message:
        """Any other request inside the talk, and its final response. Raises PhoneDeadline when none comes."""
        return await self._phone.ask(method, leg=self._leg, headers=headers, body=body, timeout=timeout)

    async def repeat(self, timeout: float = 10) -> Message:
        """Our INVITE once more by another path, and the final response to that."""
        return await self._phone.answer_to(
            lambda core, now, told: core.repeat(self._leg, now, told), "the second INVITE", timeout
        )

    @property
    def _final(self) -> bool:
        return not self._leg.became.startswith("SIP/2.0 1")

    @property
    def dialog(self) -> tuple[str, str, str]:
        """What a Replaces names it by, as the other side sees it: Call-ID, its tag, ours."""
        return self._leg.call_id, self._leg.remote.partition("tag=")[2].partition(";")[0], self._leg.local_tag

    async def send_digits(self, digits: str, *, timeout: float = 30) -> None:
        """Press keys (RFC 4733): ``0-9*#A-D``, 100 ms each with 100 ms between them."""
        async with asyncio.timeout(timeout):
            await self._media.press(digits)

    def say(self, sound: Sound | None) -> None:
        """Send another sound from now on; None sends no packets."""
        self._media.say(sound)

    def accept(self) -> None:
        """Answer an incoming call now, whatever the phone's behaviour is."""
        self._phone.act(lambda core, now: core.accept(self._leg, self._media.port, now))

    def refuse(self, status: int = 486, contact: str = "") -> None:
        self._phone.act(lambda core, now: core.refuse(self._leg, status, now, contact))

    def ring(self) -> None:
        self._phone.act(lambda core, now: core.ring(self._leg, now))

    def progress(self) -> None:
        """Speak before the answer."""
        self._phone.act(lambda core, now: core.progress(self._leg, self._media.port, now))

    async def _happen(self, event: asyncio.Event, what: str, timeout: float) -> None:
        waits = [asyncio.ensure_future(e.wait()) for e in (event, self._over)]
        try:
            await asyncio.wait(waits, timeout=timeout * Phone.patience, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if event.is_set():
            return
        if self._over.is_set():
            raise CallFailed(self.status, f"{self.phrase} {self.reason}".strip(), self._phone.recent())
        raise PhoneDeadline(f"the call did not {what} in {timeout} s\n{self._phone.recent()}")

    def note(self, happened: Happened) -> None:
        """The core's news about this leg; called by the phone."""
        now = self._phone.now
        if happened is Happened.RINGING:
            self.ringing_at = now
            self._rings.set()
        elif happened is Happened.ANSWERED:
            self.answered_at = now
            self._rings.set()
            self._talks.set()
        elif happened is Happened.MEDIA and self._leg.media is not None:
            early = self._leg.state is not LegState.TALKING and not self._leg.outgoing
            if not early:
                self._media.connect(self._leg.media)
        elif happened is Happened.CHANGED:
            self._changed.set()
        elif happened is Happened.REFERRED:
            self._told.set()
        elif happened is Happened.ENDED:
            self.ended_at = now
            self._media.close()
            self._over.set()


@dataclass(frozen=True, slots=True)
class Answer:
    """Ring, answer after so many seconds, and hang up by itself after so many more (None: never)."""

    after: float = 0.1
    hang_up_after: float | None = None
    mute: bool = False
    """Sends no packets at all, as a line that carries no sound."""


@dataclass(frozen=True, slots=True)
class RingForEver:
    """Nobody at the phone."""


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """A line that speaks before the answer (183 with a description) and never answers."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """486 busy, 480 unavailable, 603 declined, 503 broken, … after ringing so long (0: at once)."""

    status: int = 486
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Redirect:
    """Says at once that the call should go elsewhere (RFC 3261, 21.3)."""

    contact: str
    """The Contact header's whole value."""
    status: int = 302


Behaviour = Answer | RingForEver | EarlyMedia | Refuse | Redirect


class Phone(asyncio.DatagramProtocol):
    """One UDP address that calls and is called."""

    patience: ClassVar[float] = 1.0
    """How many times its deadline a phone waits before it gives up: tests on a busy machine set more."""

    def __init__(
        self, *, host: str = "127.0.0.1", port: int = 0, tone_hz: float | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:  # fmt: skip
        """``tone_hz`` None says nothing but sends packets, as a quiet room does."""
        self._address: Address = (host, port)
        self._transport: asyncio.DatagramTransport | None = None
        self._core: Core | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._by_leg: dict[str, PhoneCall] = {}
        self._ringing: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self.voice: Callable[[], Sound | None] = lambda: sounds.tone(tone_hz) if tone_hz else sounds.quiet()
        """Makes what is said in the next call."""
        self.behaviour: Behaviour = behaviour or Answer()
        self.behaves: Callable[[PhoneCall], Behaviour] = lambda _: self.behaviour
        """What is done with one call; by default what is done with all."""
        self.calls: list[PhoneCall] = []
        """Every call of this phone, oldest first."""

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def open(self) -> None:
        if self._transport is None:
            loop = asyncio.get_running_loop()
            self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=self._address)
            self._core = Core(self._transport.get_extra_info("sockname")[:2])

    async def close(self) -> None:
        """Hang up everything and leave the network; bounded in time."""
        if self._transport is None:
            return
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in list(self._by_leg.values()):
            self.act(lambda core, now, leg=call._leg: core.hang_up(leg, now))  # type: ignore[misc]  # noqa: SLF001
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                while self.core.next_tick is not None and not self.core.deaf:  # noqa: ASYNC110 - the core has no events
                    await asyncio.sleep(0.01)
        for call in list(self._by_leg.values()):
            call.note(Happened.ENDED)
        if self._timer is not None:
            self._timer.cancel()
        self._transport.close()
        self._transport = self._core = self._timer = None

    @property
    def now(self) -> float:
        """The clock of the event loop."""
        return monotonic()

    @property
    def core(self) -> Core:
        assert self._core is not None, "open the phone first"
        return self._core

    @property
    def address(self) -> Address:
        return self.core.me

    @property
    def talk(self) -> PhoneCall:
        """The latest call."""
        return self.calls[-1]

    @property
    def heard(self) -> Recording:
        """What was heard in the latest call."""
        return self.talk.heard

    def play_dead(self, dead: bool = True) -> None:
        """A phone that lost power answers nothing at all, not even OPTIONS."""
        self.core.deaf = dead

    async def wait_ringing(self, timeout: float = 30) -> PhoneCall:
        """The next incoming call that nobody has waited for yet."""
        try:
            async with asyncio.timeout(timeout * self.patience):
                return await self._ringing.get()
        except TimeoutError:
            raise PhoneDeadline(f"nobody called in {timeout} s\n{self.recent()}") from None

    async def wait_talking(self, timeout: float = 30) -> PhoneCall:
        """The next incoming call, answered."""
        began = self.now
        call = await self.wait_ringing(timeout)
        return await call.answered(max(0.0, timeout - (self.now - began) / self.patience))

    async def hang_up(self) -> None:
        """End the latest call."""
        await self.talk.hang_up()

    async def send_digits(self, digits: str) -> None:
        await self.talk.send_digits(digits)

    async def dial(
        self, number: str, peer: Address, *, from_header: str, headers: tuple[tuple[str, str], ...] = (),
        sound: Sound | None = None, uri: str = "",
    ) -> PhoneCall:  # fmt: skip
        """Send an INVITE to ``uri``, else to ``number``, byte for byte the user part of the request URI."""
        await self.open()
        media = await Media.open(self._address[0], sound if sound is not None else self.voice())
        host = peer[0] if peer[1] == 5060 else f"{peer[0]}:{peer[1]}"
        address = uri or f"sip:{number}@{host}"
        try:
            leg = self.core.invite(
                address, peer, from_header=from_header, to_header=f"<{address}>",
                media_port=media.port, now=self.now, headers=headers,
            )  # fmt: skip
        except ValueError:
            media.close()
            raise
        call = PhoneCall(self, leg, media)
        self._keep(call, leg)
        self._flush()
        return call

    async def ask(
        self, method: str, uri: str = "", peer: Address | None = None, *, leg: Leg | None = None,
        headers: tuple[tuple[str, str], ...] = (), body: str = "", timeout: float = 10,
    ) -> Message:  # fmt: skip
        """Any request (inside ``leg``, if given) and its final response. Raises PhoneDeadline when none comes."""
        await self.open()
        return await self.answer_to(
            lambda core, now, told: core.ask(
                method, now, told, leg=leg, uri=uri, peer=peer, headers=headers, body=body.encode()
            ),
            method,
            timeout,
        )

    async def answer_to(
        self, deed: Callable[[Core, float, Callable[[Message], None]], None], what: str, timeout: float
    ) -> Message:
        """Let the core send something, and wait for what it tells of the answer."""
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()

        def told(got: Message) -> None:
            if not answer.done():
                answer.set_result(got)

        self.act(lambda core, now: deed(core, now, told))
        try:
            async with asyncio.timeout(timeout * self.patience):
                return await answer
        except TimeoutError:
            raise PhoneDeadline(f"{what} was not answered in {timeout} s\n{self.recent()}") from None

    def act(self, deed: Callable[[Core, float], None]) -> None:
        """Let the core do something and send what comes of it."""
        if self._core is not None:
            deed(self._core, self.now)
            self._flush()

    async def wait_for(self, event: asyncio.Event, what: str, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout * self.patience):
                await event.wait()
        except TimeoutError:
            raise PhoneDeadline(f"waited {timeout} s for {what}\n{self.recent()}") from None

    def recent(self) -> str:
        """The last SIP messages, for an error's text."""
        return "\n".join(self.core.trace) if self._core else ""

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.act(lambda core, now: core.receive(data, addr, now))

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: the retransmissions and their limit deal with it."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the phone until it closes."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def registration_news(self, happened: Happened) -> None:
        """For phones that register."""

    def _keep(self, call: PhoneCall, leg: Leg) -> None:
        self._by_leg[leg.call_id] = call
        self.calls.append(call)

    def _flush(self) -> None:
        core = self.core
        while core.events or core.outbox:
            while core.outbox:
                data, peer = core.outbox.popleft()
                if self._transport is not None and not core.deaf:
                    self._transport.sendto(data, peer)
            if core.events:
                self._tell(*core.events.popleft())
        self._set_timer()

    def _tell(self, happened: Happened, leg: Leg | None) -> None:
        if leg is None:
            self.registration_news(happened)
        elif happened is Happened.INCOMING:
            self.spawn(self._receive_call(leg))
        elif (call := self._by_leg.get(leg.call_id)) is not None:
            call.note(happened)
            if happened is Happened.ENDED:
                del self._by_leg[leg.call_id]
                self.core.forget(leg)

    def _set_timer(self) -> None:
        due = self.core.next_tick
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if due is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(due, loop.time() + 0.01), self.act, Core.tick)

    async def _receive_call(self, leg: Leg) -> None:
        arrived = self.now
        media = await Media.open(self._address[0], self.voice())
        call = PhoneCall(self, leg, media)
        call.started_at = call.ringing_at = arrived
        self._keep(call, leg)
        self._ringing.put_nowait(call)
        if leg.state is LegState.ENDED:  # cancelled before the port was open
            call.note(Happened.ENDED)
            del self._by_leg[leg.call_id]
            return
        await self._behave(call)

    async def _behave(self, call: PhoneCall) -> None:
        behaviour = self.behaves(call)
        if isinstance(behaviour, EarlyMedia):
            call.progress()
            return
        if isinstance(behaviour, Redirect):
            call.refuse(behaviour.status, behaviour.contact)
            return
        if not isinstance(behaviour, Refuse) or behaviour.after > 0:
            call.ring()
        if isinstance(behaviour, RingForEver):
            return
        await asyncio.sleep(behaviour.after)
        if isinstance(behaviour, Refuse):
            call.refuse(behaviour.status)
            return
        if behaviour.mute:
            call.say(None)
        call.accept()
        if behaviour.hang_up_after is not None and call.is_talking:
            await asyncio.sleep(behaviour.hang_up_after)
            await call.hang_up()
