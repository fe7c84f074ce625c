"""Leave to hear a sound: asked for once with a reason, written down, and then good for one person and one sound.

One job: the tickets. A look that cannot be written down is not had.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from aiohttp import web

from audit.model import Act
from console.access.personal_data_limit import WORDS
from console.api.sessions import People, actor_of
from console.http_json import WHO, error_response

TICKET_SECONDS: Final = 3600.0
"""How long a sound may be played after it was asked for once."""

MAX_TICKETS: Final = 5000


@dataclass(frozen=True, slots=True)
class AccessTicket:
    """Leave to hear one sound, given to one person."""

    who: str
    what: str
    at: float
    taken: bool
    """To take away, not only to hear."""


async def brake(people: People, request: web.Request, kind: str) -> None:
    """Count a look or a search of whoever asks. Raises HTTPTooManyRequests; the first time it is written down."""
    bite = people.brake.stop(kind, request[WHO].name)
    if bite is None:
        return
    if bite.first:
        act = Act("look.brake", f"{WORDS[kind]}太多，已拦下", detail={"kind": kind})
        await people.accounts.write_down(actor_of(request), act)
    no = error_response(429, bite.text, seconds=bite.seconds)
    no.headers["Retry-After"] = str(bite.seconds)
    raise no


class AccessTickets:
    """Those of the last hour, by their tickets."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._given: OrderedDict[str, AccessTicket] = OrderedDict()

    async def give(self, request: web.Request, what: str, act: Act, *, taken: bool = False) -> str:
        """A ticket for this sound, once the act is written down. Raises DatabaseError."""
        await brake(self._people, request, "look")
        await self._people.accounts.write_down(actor_of(request), act)
        ticket = token_urlsafe(18)
        self._given[ticket] = AccessTicket(request[WHO].name, what, time.monotonic(), taken)
        while len(self._given) > MAX_TICKETS:
            self._given.popitem(last=False)
        return ticket

    def require(self, request: web.Request, what: str, how: str) -> AccessTicket:
        """The look of the ticket that came. Raises HTTPForbidden; ``how``: where one is asked for."""
        look = self._given.get(request.query.get("look", ""))
        now = time.monotonic()
        if look is None or (look.who, look.what) != (request[WHO].name, what) or now - look.at > TICKET_SECONDS:
            raise error_response(403, f"请先写明原因申请（POST {how}），再凭得到的 look 听")
        return look


def within(folder: Path, name: str) -> Path | None:
    """The file of this name below the folder; None where a link leads out of it."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else None
