"""Everything that the engine rings by itself: phones of ours, and numbers on the public network.

One job: the one form of such a call. An Originate of a SIP channel obeys a redirect (3xx) of whoever is called, and
dials what it names through any trunk; so what is originated is always a Local channel into ``ring-phone`` or
``ring-out`` of the dialplan, whose Dial ignores redirects. :class:`telephony.ami_link.AmiLink` refuses everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from telephony.errors import AmiUnsafeValue
from telephony.model import EMERGENCY_NUMBERS, SEAT_ID, VARIABLE_VALUE, CallId, SeatId, Var
from telephony.subscribers import may_be_dialled

if TYPE_CHECKING:  # the link itself asks this module what may be originated
    from telephony.ami_link import AmiLink
    from telephony.events import OriginateOutcome


class PhoneCall(StrEnum):
    """What a phone of ours is rung for; the extension in ``ring-phone``."""

    CALLBACK_AGENT = "callback-agent"
    CALL_OUT_AGENT = "call-out-agent"
    MESSAGE_PLAY = "message-play"
    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"
    DRILL_110 = "exercise-110"
    DRILL_119 = "exercise-119"
    DRILL_120 = "exercise-120"
    DRILL_122 = "exercise-122"

    @property
    def place(self) -> str:
        """Where who answers goes on: ``context,extension``."""
        if self in (PhoneCall.LISTEN, PhoneCall.WHISPER, PhoneCall.BARGE):
            return f"spy,{self}"
        if self.startswith(_DRILL):
            return f"drill,{self.removeprefix(_DRILL)}"
        return f"{self},s"


class NumberCall(StrEnum):
    """What a number outside is rung for; the extension in ``ring-out``, and a word of the channel's name."""

    CALLBACK = "callback"
    ORDER = "order"
    CALL_OUT = "call-out"


_DRILL: Final = "exercise-"
"""Not ``drill-``, which is how trunks are named that drills dial."""

ORIGINATED: Final = re.compile(
    rf"Local/(?:{'|'.join(PhoneCall)})@ring-phone/n|Local/(?:{'|'.join(NumberCall)})@ring-out/n"
    r"|Local/[0-9A-Za-z]{1,20}@page-password/n"
    rf"|Local/(?:{'|'.join(EMERGENCY_NUMBERS)}|[4-9][0-9]{{2}})@reach/n"
    r"|PJSIP/[0-9A-Za-z_-]{1,40}/sip:\+?[0-9]{3,20}@[0-9A-Za-z.:\[\]-]{1,80}"
)
"""Every channel that may be originated. The last: the third leg of a one-key transfer, to an emergency centre or by a
partner's key, begun for an agent (transfers/commands.py); the Dials of ``reach`` ignore redirects too. And a citizen
who is called back, on the carrier's trunk: see :func:`ring_out`."""

CALLED_BACK: Final = f"Local/{NumberCall.CALLBACK}@ring-out-"
"""How the name of the channel begins that stands for a citizen whom we call back."""


def drill(target: str) -> PhoneCall:
    """A phone is rung for a drill of this centre. Raises ValueError for another number."""
    if target not in EMERGENCY_NUMBERS:
        raise ValueError(f"no emergency number: {target!r:.20}")
    return PhoneCall(f"{_DRILL}{target}")


async def ring_phone(
    switch: AmiLink,
    seat: SeatId,
    purpose: PhoneCall,
    *,
    ring_seconds: float = 30,
    caller_id: str = "",
    variables: Mapping[str, str] | None = None,
    ring_id: str = "",
) -> OriginateOutcome:
    """Ring a phone of ours; who answers goes on at ``purpose.place`` with these variables. Waits for the outcome.

    ``ring_id`` is the unique id of what rings, by which it can be let go; the phone's own channel has another, told by
    UserEvent ``RingPhone`` before it rings. Raises AmiError.
    """
    told = {Var.RING: _checked(SEAT_ID, seat)} | ({Var.RING_ID: ring_id} if ring_id else {}) | dict(variables or {})
    return await switch.originate(
        f"Local/{purpose}@ring-phone/n",
        context="rung",
        exten="done",
        ring_seconds=ring_seconds,
        caller_id=caller_id,
        variables={f"__{name}": value for name, value in told.items()},
        channel_id=ring_id,
    )


async def start_phone(
    switch: AmiLink,
    seat: SeatId,
    purpose: PhoneCall,
    *,
    ring_seconds: float = 30,
    caller_id: str,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Begin to ring a phone of ours as :func:`ring_phone` does, and leave it to itself. Raises AmiError."""
    told = {Var.RING: _checked(SEAT_ID, seat)} | dict(variables or {})
    headers = {
        "Channel": f"Local/{purpose}@ring-phone/n", "Context": "rung", "Exten": "done", "Priority": "1",
        "Async": "true", "CallerID": caller_id, "Timeout": str(round(ring_seconds * 1000)),
        "Variable": ",".join(f"__{name}={_checked(VARIABLE_VALUE, value)}" for name, value in told.items()),
    }  # fmt: skip
    await switch.send("Originate", headers)


async def ring_out(
    switch: AmiLink,
    number: str,
    trunk: str,
    purpose: NumberCall,
    *,
    address: str = "",
    context: str,
    exten: str,
    ring_seconds: float,
    caller_id: str,
    variables: Mapping[str, str],
    channel_id: CallId,
) -> OriginateOutcome:
    """Ring a number through a trunk to the public network; the channel ``channel_id`` stands for who answers, and goes
    on at ``context``, ``exten``. Waits for the outcome. Raises AmiError, also for a number that is never dialled.

    A citizen who is called back talks on the trunk's own channel, at the carrier's ``address`` (host:port): nothing is
    heard through a Local channel once its first bridge has ended (Asterisk 22.10.1), no question for a rating and no
    conference with 110. What a redirect of it makes the switch dial is hung up by the fence
    (calls/switch/leg_fence.py).
    """
    if not may_be_dialled(number):
        raise AmiUnsafeValue(f"not a number that is dialled outside: {len(number)} characters")
    through = f"PJSIP/{trunk}/sip:{number}@{address}" if address else f"Local/{purpose}@ring-out/n"
    return await switch.originate(
        through,
        context=context,
        exten=exten,
        ring_seconds=ring_seconds,
        caller_id=caller_id,
        variables={Var.RING: number, Var.TRUNK: trunk, **variables},
        channel_id=channel_id,
    )


def _checked(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise AmiUnsafeValue(f"nothing that can be rung: {value!r:.40}")
    return value
