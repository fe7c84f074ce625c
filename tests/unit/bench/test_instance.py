"""An instance's ports are its own."""

from __future__ import annotations

import socket

import pytest

from bench.instance import FREE_PORTS, free_ports

pytestmark = pytest.mark.unit


def test_no_port_is_handed_out_again_soon() -> None:
    rounds = len(FREE_PORTS) // 100
    handed_out = [port for _ in range(rounds) for port in free_ports(50, socket.SOCK_DGRAM)]
    assert len(set(handed_out)) == 50 * rounds
