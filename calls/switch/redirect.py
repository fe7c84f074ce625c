"""A caller who talks, or is somewhere on the way, brought to a seat's phone."""

from __future__ import annotations

import asyncio

from telephony.ami_link import AmiLink
from telephony.model import SeatId, Var


async def redirect_to_seat(switch: AmiLink, channel: str, seat: SeatId, ring_seconds: int) -> None:
    """Redirect the caller's channel to ring there; who is not answered waits on, at its age. Raises AmiError."""
    ring = {"Channel": channel, "Variable": Var.RING_SECONDS, "Value": str(ring_seconds)}
    where = {"Channel": channel, "Context": "connect", "Exten": seat, "Priority": "1"}
    await asyncio.gather(switch.send("Setvar", ring), switch.send("Redirect", where))
