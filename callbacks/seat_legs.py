"""The agent's phone, rung before the citizen's (先呼座席).

One job: ring that phone and let go of it. Who answers waits in context ``callback-agent`` of the dialplan, which ends
by itself when no citizen is being dialled for it; what all that means for the promise is callbacks/service.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

import structlog

from callbacks.model import Callback
from queues.effects import Offer
from queues.model import OfferFailure
from queues.service import Clock
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.hangup_causes import Unanswered, by_cause, by_reason
from telephony.model import ENGINE_SERIALS, CallId, Party, Var
from telephony.ring import PhoneCall, ring_phone

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LEG_SERIALS: Final = ENGINE_SERIALS
"""Serials from here up to those of callbacks (callbacks/model.py) are never the switch's own."""

CONNECT_SECONDS: Final = 10
"""How much longer than the citizen's telephone rings an agent waits for it, writing down and signalling included."""

SHOWN: Final = "回拨"
"""The name beside the citizen's number on the agent's phone, as where the citizen is dialled first."""

HANG_UP_SECONDS: Final = 0.3
"""How long the hang-up of a call may come after its outcome."""

_FAILURES: Final[Mapping[Unanswered, OfferFailure]] = {
    Unanswered.BUSY: OfferFailure.BUSY,
    Unanswered.NO_ANSWER: OfferFailure.NO_ANSWER,
    Unanswered.REJECTED: OfferFailure.REJECTED,
    Unanswered.UNREACHABLE: OfferFailure.UNREACHABLE,
}


class SeatLegs:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        clock: Clock,
        told: Callable[[Callback], str],
    ) -> None:
        """``told``: the prompts by which an agent learns what this call is, joined by ``&``."""
        self._switch = switch
        self._clock = clock
        self._told = told
        self._serials = count(LEG_SERIALS)
        self._causes: dict[CallId, str] = {}
        """Of the phones that ring: the cause of the hang-up, once there was one."""
        self._channels: dict[CallId, CallId] = {}
        """Of the same: the unique id of the phone's own channel."""

    def named(self, callback: Callback) -> CallId:
        """A name for another phone's ringing, by which it can be let go."""
        node, _, _ = callback.call.rpartition("-")
        return CallId(f"{node}-{self._clock() // 1000}.{next(self._serials)}")

    async def ring(self, leg: CallId, callback: Callback, offer: Offer, citizen_seconds: int) -> OfferFailure | None:
        """Ring the phone of this offer until it is answered (None) or not. Raises AmiError when that is not known."""
        self._causes[leg] = ""
        try:
            answered, reason = await self._called(leg, callback, offer, citizen_seconds)
            if answered:
                return None
            # The hang-up knows the cause better, and comes with the outcome; without a channel there is none.
            await asyncio.sleep(HANG_UP_SECONDS)
            cause = self._causes[leg]
        finally:
            del self._causes[leg]
        self._channels.pop(leg, None)
        return _FAILURES[by_cause(cause) if cause else by_reason(reason)]

    def rings(self, leg: CallId, channel: CallId) -> None:
        """The switch has made the channel of a phone that is to ring."""
        if leg in self._causes:
            self._channels[leg] = channel

    def channel(self, leg: CallId) -> CallId:
        """The unique id of the channel of an agent who has answered: the citizen's channel finds it by that."""
        return self._channels.pop(leg, leg)

    def hung_up(self, leg: CallId, cause: str) -> None:
        """A channel is gone, of whomever."""
        if leg in self._causes:
            self._causes[leg] = cause

    async def _called(self, leg: CallId, callback: Callback, offer: Offer, citizen_seconds: int) -> tuple[bool, int]:
        outcome = await ring_phone(
            self._switch,
            offer.seat,
            PhoneCall.CALLBACK_AGENT,
            ring_seconds=offer.ring_seconds,
            caller_id=f'"{SHOWN}" <{callback.call}>',  # the number, as far as it is shown, is the dialplan's
            variables={
                Var.CALL: callback.call,
                Var.CHANNEL: callback.call,  # of the citizen's channel only the unique id is known yet, which will do
                Var.CALLER: callback.number,
                Var.PARTY: Party.AGENT,
                Var.SEAT: offer.seat,
                Var.PROMPTS: self._told(callback),
                Var.WAIT_SECONDS: str(citizen_seconds + CONNECT_SECONDS),
            },
            ring_id=leg,
        )
        return outcome.answered, outcome.reason

    async def let_go(self, leg: CallId) -> None:
        """Stop the ringing: nobody wants this phone any more."""
        try:
            await self._switch.send("Hangup", {"Channel": leg})
        except AmiError as error:
            log.info("agent's phone not let go", error=str(error))
