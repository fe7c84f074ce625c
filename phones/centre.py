"""An emergency centre, a sub-centre or a utility: the far end of a trunk, which notes who was announced and when."""

from __future__ import annotations

from phones.phone import Behaviour, Phone, PhoneCall
from phones.sip_message import user_of


class Centre(Phone):
    """Listens on a trunk's port. Each of its ``calls`` knows ``started_at``, ``caller``, ``header(...)``, ``heard``."""

    def __init__(
        self, port: int, *, host: str = "127.0.0.1", tone_hz: float | None = 620, behaviour: Behaviour | None = None
    ) -> None:
        super().__init__(host=host, port=port, tone_hz=tone_hz, behaviour=behaviour)

    async def called(self, timeout: float = 30) -> PhoneCall:
        """The next call that reached this centre."""
        return await self.wait_ringing(timeout)


def asserted_identity(call: PhoneCall) -> str:
    """The caller's number as the switch vouches for it (RFC 3325), else as From says it."""
    return user_of(call.header("P-Asserted-Identity")) or call.caller
