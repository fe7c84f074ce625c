"""The ports of one instance: which are free, and who holds the others.

One job: look. It keeps no port. An instance that runs holds its own ports, and that is no fault.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from config.process_identity import ProcessIdentity
from config.settings import Settings

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Port:
    """One port that the instance needs."""

    key: str
    """The setting it comes from."""
    address: str
    number: int
    protocol: str
    """``udp`` or ``tcp``."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that cannot be had."""

    port: Port
    reason: str
    """In Chinese, with what to do."""


class PortsTaken(Exception):
    """The instance cannot start. The text names every port that cannot be had and says what to do."""


def require_free(settings: Settings) -> None:
    """Raise PortsTaken unless every port is free, or held by this instance itself."""
    taken = taken_ports(settings)
    if taken:
        raise PortsTaken("\n".join(port.reason for port in taken))


def ports_of(settings: Settings) -> tuple[Port, ...]:
    """Every single port of the instance; the RTP range is not among them."""
    return (
        Port("sip_port", settings.bind, settings.sip_port, "udp"),
        Port("seat_sip_port", settings.bind, settings.seat_sip_port, "udp"),
        Port("control_port", LOOPBACK, settings.control_port, "tcp"),
        Port("http_port", settings.web_bind, settings.http_port, "tcp"),
        Port("asterisk_http_port", LOOPBACK, settings.asterisk_http_port, "tcp"),
        Port("ami_port", LOOPBACK, settings.ami_port, "tcp"),
        Port("fastagi_port", LOOPBACK, settings.fastagi_port, "tcp"),
    )


def taken_ports(settings: Settings) -> list[Taken]:
    """The ports that neither are free nor held by this instance itself."""
    refused = [(port, error) for port in ports_of(settings) if (error := _refusal(port)) is not None]
    if not refused:
        return []
    ours = set(_our_children(settings.run_dir))
    holders = {port: _holder(port) for port, error in refused if error == errno.EADDRINUSE}
    return [
        Taken(port, _reason(port, error, holders.get(port)))
        for port, error in refused
        if port not in holders or not ours & {holders[port], _group(holders[port])}
    ]


def _refusal(port: Port) -> int | None:
    """The errno of trying to listen there; None when it is free."""
    family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
    kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if port.protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT can be had
        try:
            probe.bind((port.address, port.number))
        except OSError as error:
            return error.errno
    return None


def _reason(port: Port, error: int, holder: int | None) -> str:
    where = f"{port.protocol.upper()} 端口 {port.number}（{port.key}）"
    variable = f"HOTLINE_{port.key.upper()}"
    if error == errno.EADDRINUSE:
        return f"{where}已被{_named(holder)}占用；请停止它，或用 {variable} 换一个端口"
    if error in (errno.EACCES, errno.EPERM):
        return f"{where}小于 1024，普通用户不能使用；请用 {variable} 换一个端口"
    if error == errno.EADDRNOTAVAIL:
        return f"{where}：本机没有地址 {port.address}；请改正 HOTLINE_BIND"
    return f"{where}不能使用（{os.strerror(error)}）；请用 {variable} 换一个端口"


def _holder(port: Port) -> int | None:
    """Who listens there; None when the system does not tell us."""
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind=port.protocol):
            listens = port.protocol == "udp" or connection.status == psutil.CONN_LISTEN
            if listens and connection.laddr and connection.laddr.port == port.number and connection.pid:
                return int(connection.pid)
    return None


def _named(pid: int | None) -> str:
    if pid is not None:
        with suppress(psutil.Error):
            return f"进程 {psutil.Process(pid).name()}（{pid}）"
    return "其他程序"


def _our_children(run_dir: Path) -> Iterator[int]:
    """The children that a supervisor keeps for this instance; each leads the group of its own children."""
    for path in run_dir.glob("*.child.json"):
        identity = ProcessIdentity.load(path)
        if identity is not None:
            yield identity.pid


def _group(pid: int | None) -> int | None:
    if pid is None:
        return None
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None
