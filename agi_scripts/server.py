"""The FastAGI server: how Asterisk's questions reach our code.

One job: let the right peers in, bound what they can cost, give each whole question to the handler, and close. It knows
no flow and no routing. A session that ends badly is simply closed: the sentinel is then missing and the dialplan goes
to its fallback, so every refusal here still ends with a human.

A connection is *half-open* until its header block is whole and a *session* from then on. The two have separate bounds,
so peers that connect and say nothing cannot keep a call out; past their bound the oldest of them is dropped, because
Asterisk sends its header at once.

Asterisk writes a header in some forty pieces with Nagle's algorithm on: every piece after the first waits until the
kernel on our side has acknowledged the one before. So whatever lies in the socket is read at once, piece by piece: only
reading keeps the acknowledgements coming. Nothing here may make the kernel wait for more (SO_RCVLOWAT did, and each
question took the 40 ms of a delayed ACK).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog

from telephony.agi_codec import AgiCodec, Closed, HungUp, Opened
from telephony.agi_session import AgiSession
from telephony.errors import AgiDeadline, AgiProtocolError, HangUp

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

Handler = Callable[[AgiSession], Awaitable[None]]

ACCEPT_BACKLOG: Final = 256
"""Waiting connections; also how many are accepted in one turn of the loop."""


@dataclass(slots=True)
class Counters:
    """What the server has seen since it started; ``half_open`` and ``in_progress`` are now."""

    accepted: int = 0
    """Connections from allowed peers."""
    refused: int = 0
    """Sessions and peers turned away: not on the list, or past a bound."""
    answered: int = 0
    """Sessions whose handler came to its end."""
    hangups: int = 0
    failed: int = 0
    """Sessions whose handler raised."""
    late: int = 0
    """Sessions, or headers, past their deadline."""
    protocol_errors: int = 0
    half_open: int = 0
    in_progress: int = 0


class FastAgiServer:
    """Serves AGI questions over TCP. Seconds are upper bounds; every one of them ends in a closed connection."""

    def __init__(
        self,
        host: str,
        port: int,
        handler: Handler,
        *,
        allow: Iterable[str] = ("127.0.0.1", "::1"),
        header_seconds: float = 2.0,
        command_seconds: float = 2.0,
        session_seconds: float = 5.0,
        max_sessions: int = 500,
        max_half_open: int = 600,
    ) -> None:
        self.counters = Counters()
        self.handler = handler
        self.allow = frozenset(allow)
        self.header_seconds = header_seconds
        self.command_seconds = command_seconds
        self.session_seconds = session_seconds
        self.max_sessions = max_sessions
        self.max_half_open = max_half_open
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._half_open: dict[_Peer, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on; the real one when 0 was asked for."""
        if self._server is None or not self._server.sockets:
            return self._port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Begins to listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Peer(self, loop), self._host, self._port, backlog=ACCEPT_BACKLOG, reuse_address=True
        )

    async def stop(self, drain_seconds: float) -> None:
        """Stops listening, drops half-open peers, lets sessions end for ``drain_seconds``, then ends the rest."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for peer in list(self._half_open):
            peer.drop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_seconds)
        if self._tasks:
            log.warning("fastagi sessions ended by stop", sessions=len(self._tasks))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)

    def joined(self, peer: _Peer) -> None:
        """A peer on the list has connected and says nothing yet."""
        self.counters.accepted += 1
        self._half_open[peer] = None
        self.counters.half_open = len(self._half_open)
        if len(self._half_open) > self.max_half_open:
            self.counters.refused += 1
            next(iter(self._half_open)).drop()

    def left_half_open(self, peer: _Peer) -> None:
        """The peer has sent its header or has gone."""
        self._half_open.pop(peer, None)
        self.counters.half_open = len(self._half_open)

    def begin(self, run: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None] | None:
        """Starts a session, or returns None when there are too many."""
        if len(self._tasks) >= self.max_sessions or self._server is None:
            self.counters.refused += 1
            return None
        task = asyncio.get_running_loop().create_task(run())
        self._tasks.add(task)
        self.counters.in_progress = len(self._tasks)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.counters.in_progress = len(self._tasks)


class _Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: FastAgiServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._codec = AgiCodec()
        self._transport: asyncio.Transport | None = None
        self._session: AgiSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every loop's transports inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        peername = transport.get_extra_info("peername")
        if peername is None or peername[0] not in self._server.allow:
            self._server.counters.refused += 1
            self.drop()
            return
        self._timer = self._loop.call_later(self._server.header_seconds, self._late)
        self._server.joined(self)

    def data_received(self, data: bytes) -> None:
        codec = self._codec
        try:
            codec.receive(data)
            while (event := codec.next_event()) is not None:
                if isinstance(event, Opened):
                    self._open(event)
                elif self._session is None:
                    continue
                elif isinstance(event, HungUp):
                    self._session.end(HangUp("the caller has gone"))
                elif not isinstance(event, Closed):
                    self._session.take(event)
        except AgiProtocolError as error:
            self._break(error)

    def eof_received(self) -> bool:
        # Asterisk closes both ways; returning False closes ours.
        self._part()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._part()

    def _part(self) -> None:
        self._codec.close()
        if self._session is None:
            self._forget()
        else:
            self._session.end(HangUp("the switch closed the session"))

    def drop(self) -> None:
        """Closes at once, whatever is on the way."""
        self._forget()
        self._codec.close()
        if self._transport is not None:
            self._transport.abort()

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._server.left_half_open(self)

    def _open(self, opened: Opened) -> None:
        assert self._transport is not None
        self._forget()
        session = AgiSession(self._codec, opened, self._transport.write, self._loop, self._server.command_seconds)
        self._task = self._server.begin(lambda: self._run(session))
        if self._task is None:
            log.warning("fastagi session refused", script=opened.script)
            self.drop()
            return
        self._session = session
        self._task.add_done_callback(self._close)
        self._timer = self._loop.call_later(self._server.session_seconds, self._late)

    def _break(self, error: AgiProtocolError) -> None:
        if self._session is None:
            self._server.counters.protocol_errors += 1
            log.warning("fastagi peer refused", why=str(error))
            self.drop()
        else:
            self._session.end(error)

    def _late(self) -> None:
        if self._session is None:
            self._server.counters.late += 1
            self.drop()
        elif self._task is not None:
            self._session.end(AgiDeadline("the session took too long"))
            self._task.cancel()

    async def _run(self, session: AgiSession) -> None:
        counters = self._server.counters
        try:
            # A question that lay in the socket while we stood still shows its end in this turn of the loop: its caller
            # has gone on without us, and must not be given a seat.
            await asyncio.sleep(0)
            session.require_peer()
            await self._server.handler(session)
            counters.answered += 1
        except HangUp:
            counters.hangups += 1
        except AgiProtocolError as error:
            counters.protocol_errors += 1
            log.warning("fastagi session broken", script=session.script, why=str(error))
        except (AgiDeadline, asyncio.CancelledError):
            counters.late += 1
            log.warning("fastagi session late", script=session.script)
        except Exception:
            counters.failed += 1
            log.exception("fastagi handler failed", script=session.script)

    def _close(self, _task: asyncio.Task[None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._codec.close()
        if self._transport is None:
            return
        if self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self._transport.close()
