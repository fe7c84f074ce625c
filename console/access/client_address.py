"""Where a request comes from: the peer, or what proxies that we trust say of it.

One job: read ``X-Forwarded-For``. Only what a trusted proxy has appended counts: from the right, the first address that
is no trusted proxy's. Whatever a stranger writes in front of it is his own word for himself.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

Network = IPv4Network | IPv6Network

HEADER: Final = "X-Forwarded-For"
MOST_HOPS: Final = 20

ADDRESS: Final = web.RequestKey("address", str)
"""Set by the browsers' listener."""


def networks(told: str) -> tuple[Network, ...]:
    """Addresses and networks, separated by blanks. Raises ValueError."""
    return tuple(ip_network(one) for one in told.split())


def address_of(request: web.Request) -> str:
    """Who is at the other end, for counting tries and for the record; empty when nobody knows."""
    return request.get(ADDRESS) or request.remote or ""


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The client's address. ``forwarded``: the header's values in their order."""
    here = _address(peer)
    if here is None or not _in(here, trusted):
        return peer
    hops = [one.strip() for value in forwarded for one in value.split(",")][-MOST_HOPS:]
    for hop in reversed(hops):
        found = _address(hop)
        if found is None:
            break
        here = found
        if not _in(found, trusted):
            break
    return str(here)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Also with a port, as some proxies write it: ``192.0.2.1:4711``, ``[2001:db8::1]:4711``."""
    plain = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        found = ip_address(plain)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _in(address: IPv4Address | IPv6Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
