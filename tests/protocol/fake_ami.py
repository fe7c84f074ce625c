"""A small scripted manager on loopback: it greets, lets the right secret in, answers pings, and records the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

SECRET = "right"
Headers = dict[str, str]


class FakeAmi:
    """Set ``on[action]`` to answer an action; what it gets is the connection and the action's headers."""

    def __init__(self) -> None:
        self.actions: list[Headers] = []
        """Every action but Login and Ping, in order, over all connections."""
        self.raw: list[bytes] = []
        self.connections: list[Connection] = []
        self.logins = 0
        self.on: dict[str, Callable[[Connection, Headers], None]] = {"Ping": Connection.pong}
        self.booted = True
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Like an Asterisk that is killed: no goodbye."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for connection in self.connections:
            connection.transport.abort()
        self.connections.clear()

    @property
    def connection(self) -> Connection:
        """The latest one."""
        return self.connections[-1]


class Connection(asyncio.Protocol):
    transport: asyncio.Transport

    def __init__(self, fake: FakeAmi) -> None:
        self.fake = fake
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.fake.connections.append(self)
        self.transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def data_received(self, data: bytes) -> None:
        self.fake.raw.append(data)
        *blocks, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for block in blocks:
            pairs = [line.partition(": ") for line in block.decode().split("\r\n")]
            action = {name: value for name, _, value in pairs}
            if action["Action"] == "Login":
                self._login(action)
                continue
            if action["Action"] != "Ping":
                self.fake.actions.append(action)
            answer = self.fake.on.get(action["Action"])
            if answer is not None:
                answer(self, action)

    def _login(self, action: Headers) -> None:
        self.fake.logins += 1
        if action.get("Secret") != SECRET:
            self.respond(action, "Error", Message="Authentication failed")
            self.transport.close()
            return
        self.respond(action, "Success", Message="Authentication accepted")
        if self.fake.booted:
            self.event("FullyBooted", Status="Fully Booted")

    def pong(self, action: Headers) -> None:
        self.respond(action, "Success", Ping="Pong")

    def respond(self, action: Headers, response: str = "Success", **headers: str) -> None:
        self.say({"Response": response, "ActionID": action["ActionID"], **headers})

    def event(self, name: str, **headers: str) -> None:
        self.say({"Event": name, **headers})

    def say(self, headers: Headers) -> None:
        self.transport.write("".join(f"{k}: {v}\r\n" for k, v in headers.items()).encode() + b"\r\n")
