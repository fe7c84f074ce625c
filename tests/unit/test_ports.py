"""Ports of test runs side by side never meet."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from config.settings import ROOT
from tests.support.ports import FIRST_PORT, SLICE_PORTS, SLICES, Slice, free_ports, own_slice, reserved_ports

pytestmark = pytest.mark.unit

EPHEMERAL = 32768
"""From here on Linux hands out ports itself."""


def test_slices_do_not_overlap_and_lie_below_the_kernels_own_ports() -> None:
    ports = [port for number in range(SLICES) for span in (Slice(number).rtp, Slice(number).listening) for port in span]
    assert len(set(ports)) == len(ports) == SLICES * SLICE_PORTS
    assert min(ports) == FIRST_PORT
    assert max(ports) < EPHEMERAL
    assert all(Slice(number).rtp.start % 2 == 0 for number in range(SLICES))


def test_another_process_has_another_slice() -> None:
    ours = own_slice().number
    program = "from tests.support.ports import own_slice; print(own_slice().number)"
    other = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(other.stdout) != ours


def test_no_port_is_handed_out_again_soon() -> None:
    handed_out = [port for _ in range(6) for port in free_ports(50, socket.SOCK_DGRAM)]
    assert len(set(handed_out)) == 300
    assert set(handed_out) <= set(own_slice().listening)


def test_a_reserved_port_is_never_handed_out_again() -> None:
    (reserved,) = reserved_ports(1, socket.SOCK_STREAM)
    dealt = {port for _ in range(30) for port in free_ports(40, socket.SOCK_STREAM)}
    assert reserved not in dealt


def test_a_port_on_which_somebody_listens_is_passed_over() -> None:
    (port,) = free_ports(1, socket.SOCK_STREAM)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", port))
        dealt = [free for _ in range(10) for free in free_ports(39, socket.SOCK_STREAM)]
    assert port not in dealt
