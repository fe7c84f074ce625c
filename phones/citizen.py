"""A citizen: calls from the public network's side, with any caller number and any dialled text."""

from __future__ import annotations

from phones import sounds
from phones.leg import Address
from phones.phone import Phone, PhoneCall
from phones.sounds import Sound


class Citizen(Phone):
    """Calls through a trunk. One citizen can hold many calls at once, each on its own audio port."""

    def __init__(self, host: str, port: int, *, local_host: str = "127.0.0.1", local_port: int = 0) -> None:
        """``host`` and ``port`` are where the switch listens for trunks."""
        super().__init__(host=local_host, port=local_port)
        self._switch: Address = (host, port)

    async def call(
        self, number: str, *, caller: str | None = "13800001234", tone_hz: float | None = 440,
        sound: Sound | None = None, from_header: str | None = None, headers: tuple[tuple[str, str], ...] = (),
        uri: str = "",
    ) -> PhoneCall:  # fmt: skip
        """Call a number and return at once.

        ``number`` and ``caller`` go on the wire as they are (``{``, ``%0A``, 300 digits; only a raw line break is a
        ValueError). ``caller`` None withholds the number (RFC 3323); ``from_header`` replaces the whole From, to be
        malformed on purpose. ``sound`` is said instead of the tone; ``uri`` replaces the whole Request-URI.
        """
        await self.open()
        hidden: tuple[tuple[str, str], ...] = ()
        if from_header is None and caller is None:
            from_header = '"Anonymous" <sip:anonymous@anonymous.invalid>'
            hidden = (("Privacy", "id"),)
        elif from_header is None:
            from_header = f"<sip:{caller}@{self.address[0]}>"
        if sound is None and tone_hz:
            sound = sounds.tone(tone_hz)
        return await self.dial(
            number, self._switch, from_header=from_header, headers=(*hidden, *headers), sound=sound, uri=uri
        )
