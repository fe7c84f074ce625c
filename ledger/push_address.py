"""Where data of citizens may be pushed to: https, and never to this machine itself.

One job: the judgement. An address that somebody puts into the table must not reach what listens on loopback, nor the
link's own services (169.254.0.0/16, where clouds hand out credentials). Names are judged when they are resolved.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

EXAMPLE: Final = "https://10.0.0.20/12345"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What this instance allows beyond that."""

    http: frozenset[str] = frozenset()
    """Hosts to which it may go unencrypted, as they stand in the address."""
    local: bool = False
    """This machine's own addresses, encrypted or not: the demo and tests."""


def fault(url: str, allowed: Allowed) -> str:
    """Why nothing may be pushed there, and what would do, in Chinese; empty when it may."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"网址写法不对，例如 {EXAMPLE}"
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment:
        return f"应为 https 网址，不带用户名和密码，例如 {EXAMPLE}"
    local = host == "localhost" or host.endswith(".localhost") or _is_local(host)
    if local and not allowed.local:
        return "不能是本机、链路本地、多播或未指定的地址"
    if parts.scheme == "http" and not local and host not in allowed.http:
        return f"不是 https，市民的信息会明文传输；请改用 https，确需明文的把 {host} 写进设置 push_http"
    return ""


def forbidden(address: str) -> bool:
    """Whether nothing may be pushed to this address of a host, if :attr:`Allowed.local` does not say so."""
    return _is_local(address.partition("%")[0])


def _is_local(host: str) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        # An IPv4 address can be written inside an IPv6 one in three ways.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        address = inner if inner is not None else address
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or (isinstance(address, IPv4Address) and int(address) >> 24 in (0, 255))
    )
