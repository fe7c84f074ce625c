"""A reference receiver: how a centre takes in what 12345 pushes to it. Run: python docs/receiver.py KEY PORT.

One job: show the four checks that every receiver needs, in their order. It keeps what it took in memory.
Terms and fields: docs/centre-data.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

WINDOW_SECONDS: Final = 300
"""A signature older than this, or from so far ahead, is refused."""


class Receiver:
    """Takes signed messages, each in effect once."""

    def __init__(self, secret: str, now: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._now = now
        self._seen: dict[str, float] = {}
        """Signatures of the last minutes: the very same request is never taken twice."""
        self.taken: dict[str, dict[str, Any]] = {}
        """By idempotency key, in the order in which they came."""
        self.drills: dict[str, dict[str, Any]] = {}
        """Drills (演练), kept apart: nobody is sent out for one."""

    async def handle(self, request: web.Request) -> web.Response:
        """Check the time, the signature, the repetition, the key; then take it."""
        body = await request.read()
        key = request.headers.get("Idempotency-Key", "")
        stamp = request.headers.get("X-Hotline-Timestamp", "")
        signed = request.headers.get("X-Hotline-Signature", "")
        now = self._now()
        if not (stamp.isascii() and stamp.isdigit()) or abs(now - int(stamp)) > WINDOW_SECONDS:
            return web.json_response({"error": "stale"}, status=401)
        told = f"{stamp}.{key}.".encode("utf-8", "surrogateescape") + body
        right = "v1=" + hmac.new(self._secret, told, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(right.encode(), signed.encode("utf-8", "surrogateescape")):
            return web.json_response({"error": "forged"}, status=401)
        self._seen = {one: at for one, at in self._seen.items() if now - at <= 2 * WINDOW_SECONDS}
        if signed in self._seen:
            return web.json_response({"error": "replayed"}, status=409)
        self._seen[signed] = now
        if key in self.taken or key in self.drills:
            return web.json_response({"taken": False, "why": "known"})
        message = json.loads(body)
        kept = self.drills if message.get("drill") is True else self.taken
        kept[key] = message
        return web.json_response({"taken": True})


def application(receiver: Receiver) -> web.Application:
    """The receiver as an aiohttp application."""
    app = web.Application()
    app.router.add_post("/", receiver.handle)
    return app


if __name__ == "__main__":
    web.run_app(application(Receiver(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]))
