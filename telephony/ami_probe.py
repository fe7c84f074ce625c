"""Whether the manager interface lives: a login and a Ping on a connection of its own.

One job: the second, different question to a switch that may hang. Blocking, for a thread; see loop_call.py.
"""

from __future__ import annotations

import socket
import time


class AmiSilent(Exception):
    """No Pong; the text says how far it came."""


def ami_ping(port: int, secret: str, seconds: float) -> None:
    """Raises AmiSilent when there is no answer within ``seconds``."""
    deadline = time.monotonic() + seconds
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as wire:
            login = f"Action: Login\r\nUsername: hotline\r\nSecret: {secret}\r\nEvents: off\r\n\r\n"
            wire.sendall(login.encode() + b"Action: Ping\r\n\r\nAction: Logoff\r\n\r\n")
            heard = b""
            while b"Pong" not in heard:
                wire.settimeout(max(0.05, deadline - time.monotonic()))
                piece = wire.recv(4096)
                if not piece:
                    raise AmiSilent("closed without a Pong")
                heard += piece
    except OSError as error:
        raise AmiSilent(str(error)) from None
