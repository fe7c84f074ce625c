"""An agent's phone: registers with a password, is called, dials keys such as *11."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from phones.errors import PhoneDeadline, RegistrationRefused
from phones.leg import Address, Happened, Registration
from phones.phone import Behaviour, Phone, PhoneCall
from phones.sounds import Sound

_RETRY_SECONDS = 1.0
_RENEW_SHARE = 0.6
"""Renew well before the registrar forgets us."""


class SeatPhone(Phone):
    """One registered phone. ``host`` and ``port`` are where the switch listens for seats."""

    def __init__(
        self, host: str, port: int, user: str, password: str, *, tone_hz: float | None = None,
        behaviour: Behaviour | None = None, local_host: str = "127.0.0.1", local_port: int = 0, expires: int = 60,
    ) -> None:  # fmt: skip
        super().__init__(host=local_host, port=local_port, tone_hz=tone_hz, behaviour=behaviour)
        self.user = user
        self.expires = expires
        self._password = password
        self._switch: Address = (host, port)
        self._news = asyncio.Event()
        self.registered = False

    async def __aenter__(self) -> SeatPhone:
        await self.open()
        try:
            await self.register()
        except BaseException:
            await self.close()
            raise
        return self

    async def register(self, timeout: float = 10) -> None:
        """Register and keep registered until closed. Raises RegistrationRefused or PhoneDeadline."""
        await self.open()
        core = self.core
        core.credentials = (self.user, self._password)
        if core.registration is None:
            call_id = f"{core.token()}@{core.me[0]}"
            core.registration = Registration(self.user, self._password, self._switch, call_id, core.token())
            self.spawn(self._stay_registered())
        await self._register_once(self.expires, timeout)

    async def unregister(self, timeout: float = 5) -> None:
        """Take the phone away from the switch; it stays on the network."""
        await self._register_once(0, timeout)
        self.registered = False
        self.core.registration = None

    async def call(self, keys: str, *, sound: Sound | None = None) -> PhoneCall:
        """Call a number or a feature code such as ``*11`` from this seat; returns at once."""
        who = f"<sip:{self.user}@{self._switch[0]}>"
        return await self.dial(keys, self._switch, from_header=who, sound=sound)

    async def close(self) -> None:
        """Unregister when possible, hang up, leave."""
        if self._core is not None and self.registered and not self._core.deaf:
            with suppress(PhoneDeadline, RegistrationRefused):
                await self.unregister(timeout=1)
        await super().close()

    def registration_news(self, happened: Happened) -> None:
        self.registered = happened is Happened.REGISTERED
        self._news.set()

    async def _register_once(self, expires: int, timeout: float) -> None:
        self._news.clear()
        self.act(lambda core, now: core.register(expires, now))
        await self.wait_for(self._news, "the registrar's answer", timeout)
        it = self.core.registration
        if not self.registered and it is not None:
            raise RegistrationRefused(it.status, it.phrase, self.recent())

    async def _stay_registered(self) -> None:
        while self.core.registration is not None:
            await asyncio.sleep(self.expires * _RENEW_SHARE if self.registered else _RETRY_SECONDS)
            if self.core.registration is not None:
                with suppress(PhoneDeadline, RegistrationRefused):
                    await self._register_once(self.expires, 5)
