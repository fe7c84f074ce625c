"""A call from this machine to its own switch and back, without sound: proof that signalling and dialplan live.

One job: one INVITE without a body, its answer, its ACK. An OPTIONS would not do: a switch whose dialplan hangs answers
it. Blocking, for a thread: what has come is read even when the whole machine was asleep past the deadline.
"""

from __future__ import annotations

import hashlib
import secrets
import socket
import time
from typing import Final

LOOP_NAME: Final = "hotline-loop"
LOOP_HEADER: Final = "X-Hotline-Loop"

ENGINE_ANSWERS: Final = 486
"""How the dialplan's ``loop`` refuses when the engine has answered it."""
ENGINE_AWAY: Final = 480
"""The same without the engine: the switch lives."""

AGAIN_SECONDS: Final = 0.5
"""Between two copies of the INVITE until anything is heard (RFC 3261, T1)."""


class LoopFailed(Exception):
    """The switch did not take the call to its dialplan and back; the text says what came instead."""


def loop_token(agi_token: str) -> str:
    """The secret by which the switch knows our loop call; it stands in SIP, so it is not the other secret itself."""
    return hashlib.sha256(b"loop " + agi_token.encode()).hexdigest()[:40]


def loop_call(host: str, port: int, token: str, seconds: float) -> int:
    """486 or 480, see above. Raises LoopFailed after ``seconds``, or for any other answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect((host, port))
        ours = "{}:{}".format(*wire.getsockname())
        call, branch = secrets.token_hex(8), secrets.token_hex(8)

        def request(method: str, to_tag: str = "") -> bytes:
            return (
                f"{method} sip:loop@{host}:{port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {ours};rport;branch=z9hG4bK{branch}\r\n"
                f"From: <sip:{LOOP_NAME}@{ours}>;tag={call}\r\n"
                f"To: <sip:loop@{host}:{port}>{to_tag}\r\n"
                f"Call-ID: {call}\r\nCSeq: 1 {method}\r\nContact: <sip:{LOOP_NAME}@{ours}>\r\n"
                f"Max-Forwards: 70\r\n{LOOP_HEADER}: {token}\r\nContent-Length: 0\r\n\r\n"
            ).encode()

        deadline = time.monotonic() + seconds
        heard = False
        wire.settimeout(min(AGAIN_SECONDS, seconds))
        while True:
            try:
                if not heard:
                    wire.send(request("INVITE"))
                reply = wire.recv(4096).decode("utf-8", "replace")
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise LoopFailed(f"no final answer within {seconds:g} s") from None
                continue
            except OSError as error:
                raise LoopFailed(f"nobody at {host}:{port} ({error.strerror})") from None
            head, *lines = reply.split("\r\n")
            status = int(head.split(" ")[1]) if head.startswith("SIP/2.0 ") and head[8:11].isdigit() else 0
            if not status or call not in reply:
                continue
            heard = True
            if status < 200:
                continue
            to = next((line for line in lines if line.lower().startswith(("to:", "t:"))), "")
            tag = to.partition(";tag=")[2].partition(";")[0]
            wire.send(request("ACK", f";tag={tag}" if tag else ""))
            if status in (ENGINE_ANSWERS, ENGINE_AWAY):
                return status
            raise LoopFailed(f"refused with {head[8:80]}")
