"""``python -m bench.live_clients``: hundreds of pages that watch, in a process of its own, and what their clock says.

One job: hold live WebSockets open and measure. It is told on its standard input, a JSON object per line, and answers
likewise: first ``{"origin", "pages": [{"cookie", "topics"}]}``, answered when all pages have everything; then ``{}``
again and again, each answered with the delays of every new seat state since the last one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType

AT_ONCE: Final = 32
"""Pages that open at the same time."""


class Pages:
    """All of them."""

    def __init__(self) -> None:
        self.delays_ms: list[int] = []
        self.frames = 0
        self.closed = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, told: Mapping[str, Any]) -> None:
        """Open every page and wait until it has the first frame of each of its topics."""
        gate = asyncio.Semaphore(AT_ONCE)
        browser = ClientSession(connector=TCPConnector(limit=0))

        async def opened(page: Mapping[str, str]) -> ClientWebSocketResponse:
            headers, topics = {"Cookie": page["cookie"], "Origin": told["origin"]}, page["topics"]
            async with gate:
                url = f"{told['origin']}/api/ws?topics={topics}"
                socket = await browser.ws_connect(url, headers=headers, max_msg_size=0)
                for _ in topics.split(","):
                    await socket.receive()
                return socket

        for socket in await asyncio.gather(*(opened(page) for page in told["pages"])):
            self._tasks.append(asyncio.create_task(self._page(socket)))

    async def _page(self, socket: ClientWebSocketResponse) -> None:
        async for said in socket:
            if said.type is not WSMsgType.TEXT:
                break
            self.frames += 1
            if said.data.startswith('{"topic":"me"'):
                self._measure(json.loads(said.data).get("set", {}).get("seat"))
            elif said.data.startswith('{"topic":"agents"'):
                for row in json.loads(said.data).get("set", {}).values():
                    self._measure(row)
        self.closed += 1

    def _measure(self, row: Mapping[str, Any] | None) -> None:
        if row is not None:
            self.delays_ms.append(round(time.time() * 1000) - row["since_ms"])

    def taken(self) -> dict[str, Any]:
        """What was measured since the last time."""
        told = {"delays_ms": self.delays_ms, "frames": self.frames, "closed": self.closed}
        self.delays_ms, self.frames = [], 0
        return told


async def main() -> None:
    """Until the input ends."""
    pages = Pages()
    loop = asyncio.get_running_loop()
    first = True
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if first:
            await pages.open(json.loads(line))
        print(json.dumps(pages.taken()), flush=True)
        first = False


if __name__ == "__main__":
    asyncio.run(main())
