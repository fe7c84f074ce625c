"""Telling systemd that we are ready, that we live, and that we stop (sd_notify(3)).

One job: datagrams to ``$NOTIFY_SOCKET``. Without a service manager nothing happens.
"""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Final

import structlog

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

BEATS: Final = 4
"""So many signs of life in the time after which systemd gives us up."""


def notify(told: str) -> bool:
    """Send ``READY=1`` and the like; whether anybody was there to be told."""
    place = os.environ.get("NOTIFY_SOCKET", "")
    if not place:
        return False
    address = f"\0{place[1:]}" if place.startswith("@") else place
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as wire:
            wire.sendto(told.encode(), address)
    except OSError as error:
        log.warning("service manager not told", told=told, error=str(error))
        return False
    return True


def watchdog_seconds() -> float | None:
    """After how many silent seconds systemd gives this process up; None when it does not."""
    told, whose = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not told.isdecimal() or int(told) == 0 or (whose and whose != str(os.getpid())):
        return None
    return int(told) / 1e6


async def beat() -> None:
    """Signs of life for as long as the event loop turns; returns at once when nobody wants any."""
    seconds = watchdog_seconds()
    while seconds is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(seconds / BEATS)
