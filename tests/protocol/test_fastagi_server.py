"""The FastAGI server against real sockets: good calls, and every kind of peer that is none."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from statistics import median

import pytest
import uvloop

from agi_scripts.server import FastAgiServer, Handler
from telephony.agi_session import AgiSession
from telephony.errors import AgiCommandError, AgiDeadline, AgiProtocolError, HangUp

pytestmark = pytest.mark.protocol

HEADER = b"agi_network: yes\nagi_network_script: enter\nagi_uniqueid: n1-1.0\nagi_arg_1: 12345\n\n"
Serve = Callable[..., Awaitable[FastAgiServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[FastAgiServer] = []

    async def start(handler: Handler, **limits: object) -> FastAgiServer:
        server = FastAgiServer("127.0.0.1", 0, handler, **limits)  # type: ignore[arg-type]
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop(0)
        assert (server.counters.in_progress, server.counters.half_open) == (0, 0)


class Switch:
    """Asterisk's side of one session."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, server: FastAgiServer, data: bytes = HEADER) -> Switch:
        switch = cls(*await asyncio.open_connection("127.0.0.1", server.port))
        switch.writer.write(data)
        return switch

    async def line(self) -> bytes:
        return await self.reader.readline()

    async def reply(self, data: bytes) -> None:
        self.writer.write(data + b"\n")
        await self.writer.drain()

    async def gone(self) -> bool:
        """The server closed without a word."""
        try:
            rest = await self.reader.read()
        except ConnectionError:
            rest = b""
        self.writer.close()
        return rest == b""


async def enter(session: AgiSession) -> None:
    await session.set_many({"HL_NEXT": "greet", "HL_PROMPTS": "a/b&c", "HL_DONE": session.script})


async def call(server: FastAgiServer) -> bytes:
    return await call_with(server, HEADER)


async def call_with(server: FastAgiServer, header: bytes) -> bytes:
    switch = await Switch.connect(server, header)
    line = await switch.line()
    if line:
        await switch.reply(b"200 result=0")
    assert await switch.gone()
    return line


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


ANSWER = b'EXEC MSet "HL_NEXT=greet,HL_PROMPTS=a/b&c,HL_DONE=enter"\n'


async def test_a_question_is_answered_in_one_round_trip(serve: Serve) -> None:
    asked: list[AgiSession] = []

    async def handler(session: AgiSession) -> None:
        asked.append(session)
        await enter(session)

    server = await serve(handler)
    assert await call(server) == ANSWER
    (session,) = asked
    assert (session.script, session.args, session.env["agi_uniqueid"]) == ("enter", ("12345",), "n1-1.0")
    await until(lambda: server.counters.in_progress == 0)
    assert (server.counters.accepted, server.counters.answered) == (1, 1)


async def test_a_header_may_come_byte_by_byte(serve: Serve) -> None:
    server = await serve(enter)
    switch = await Switch.connect(server, b"")
    for i in range(len(HEADER)):
        switch.writer.write(HEADER[i : i + 1])
        await switch.writer.drain()
    assert await switch.line() == ANSWER
    await switch.reply(b"200 result=0")
    assert await switch.gone()


ACK_DELAY_MS = 40
"""Linux's shortest delayed ACK: what every question took when the server let the kernel hold one back."""


def ask_in_pieces(port: int) -> float:
    """One question as Asterisk asks it: a blocking socket with Nagle's algorithm on, one write for each header line.
    Ms until the answer is there."""
    lines = [
        b"agi_network: yes\n",
        b"agi_network_script: enter\n",
        *(b"agi_%02d: something here\n" % n for n in range(30)),
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as asker:
        begun = time.perf_counter()
        for line in (*lines, b"agi_arg_1: 12345\n", b"\n"):
            asker.sendall(line)
        assert asker.recv(1000) == ANSWER
        taken = (time.perf_counter() - begun) * 1000
        asker.sendall(b"200 result=0\n")
        assert asker.recv(1000) == b""
    return taken


@pytest.mark.parametrize("loop", [asyncio.run, uvloop.run])
def test_no_acknowledgement_is_held_back_from_a_header_in_small_pieces(loop: Callable[..., list[float]]) -> None:
    async def ask_twenty_times() -> list[float]:
        server = FastAgiServer("127.0.0.1", 0, enter)
        await server.start()
        try:
            return [await asyncio.to_thread(ask_in_pieces, server.port) for _ in range(20)]
        finally:
            await server.stop(0)

    assert median(loop(ask_twenty_times())) < ACK_DELAY_MS / 4


async def test_variables_are_read_uri_encoded(serve: Serve) -> None:
    read: list[str] = []

    async def handler(session: AgiSession) -> None:
        read.extend(await session.get_many("HL_CALLER", "CALLERID(name)"))
        read.append(await session.get("HL_KEY"))

    server = await serve(handler)
    switch = await Switch.connect(server)
    assert await switch.line() == b'GET FULL VARIABLE "${URIENCODE(${HL_CALLER})}|${URIENCODE(${CALLERID(name)})}"\n'
    await switch.reply(b"200 result=1 (%E5%BC%A0%0A%29|a%7Cb)")
    assert await switch.line() == b'GET FULL VARIABLE "${URIENCODE(${HL_KEY})}"\n'
    await switch.reply(b"200 result=1 ()")
    assert await switch.gone()
    assert read == ["张\n)", "a|b", ""]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HL_X": "a,HL_Y=b"},
        {"HL_X": 'a"b'},
        {"HL_X": "${CHANNEL}"},
        {"HL_X": "a\nEXEC System rm"},
        {"HL_X": "a\r"},
        {"HL_X": "张"},
        {"HL_X": "a;b"},
        {"HL X": "a"},
        {"HL_X=1,Y": "a"},
        {"HL_X\n": "a"},
        {"CHANNEL(language)": "a"},
        {f"HL_{n}": "a" for n in range(65)},
        {f"HL_{n}": "a" * 200 for n in range(50)},
    ],
)
async def test_unsafe_variables_never_reach_the_wire(serve: Serve, variables: dict[str, str]) -> None:
    async def handler(session: AgiSession) -> None:
        with pytest.raises(AgiProtocolError):
            await session.set_many(variables)

    server = await serve(handler)
    assert await call(server) == b""
    assert server.counters.answered == 1


@pytest.mark.parametrize("name", ["", "A}", "A B", "SHELL(ls ${X})", "A\n", "1"])
async def test_unsafe_names_are_not_read(serve: Serve, name: str) -> None:
    async def handler(session: AgiSession) -> None:
        with pytest.raises(AgiProtocolError):
            await session.get(name)

    server = await serve(handler)
    assert await call(server) == b""
    assert server.counters.answered == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"510 Invalid or unknown command", AgiCommandError),
        (b"520-Usage\ntext\n520 End of proper usage.", AgiCommandError),
        (b"200 result=-2", AgiCommandError),
        (b"511 dead", HangUp),
        (b"200 result=-1", HangUp),
        (b"nonsense", AgiProtocolError),
    ],
)
async def test_what_asterisk_refuses_is_raised(serve: Serve, reply: bytes, error: type[Exception]) -> None:
    raised: list[Exception] = []

    async def handler(session: AgiSession) -> None:
        try:
            await enter(session)
        except Exception as caught:
            raised.append(caught)
            raise

    server = await serve(handler)
    switch = await Switch.connect(server)
    await switch.line()
    await switch.reply(reply)
    assert await switch.gone()
    assert [type(caught) for caught in raised] == [error]


async def test_after_a_refused_command_the_session_goes_on(serve: Serve) -> None:
    async def handler(session: AgiSession) -> None:
        with pytest.raises(AgiCommandError):
            await session.command("EXEC", "NoSuchThing")
        await enter(session)

    server = await serve(handler)
    switch = await Switch.connect(server)
    await switch.line()
    await switch.reply(b"520-Usage\n200 result=0\n520 End")
    assert await switch.line() == ANSWER
    await switch.reply(b"200 result=0")
    assert await switch.gone()


@pytest.mark.parametrize("ending", [b"HANGUP\n511 dead\n", b""])
async def test_hanging_up_is_an_ending_and_not_an_error(serve: Serve, ending: bytes) -> None:
    async def handler(session: AgiSession) -> None:
        while True:
            await session.command("ANSWER")

    server = await serve(handler)
    switch = await Switch.connect(server)
    await switch.line()
    if ending:
        await switch.reply(ending)
    else:
        switch.writer.close()
    await until(lambda: server.counters.hangups == 1)
    assert server.counters.failed == 0
    switch.writer.close()


async def test_a_reply_after_hangup_still_counts_and_the_next_command_does_not_go_out(serve: Serve) -> None:
    seen: list[str] = []

    async def handler(session: AgiSession) -> None:
        seen.append((await session.command("ANSWER")).result)
        seen.append(str(session.hung_up))
        await session.command("ANSWER")

    server = await serve(handler)
    switch = await Switch.connect(server)
    await switch.line()
    await switch.reply(b"HANGUP\n200 result=0")
    assert await switch.gone()
    assert seen == ["0", "True"]
    assert server.counters.hangups == 1


async def test_a_failing_handler_is_counted_and_closes_the_session(serve: Serve) -> None:
    async def handler(session: AgiSession) -> None:
        raise RuntimeError(session.script)

    server = await serve(handler)
    assert await call(server) == b""
    assert server.counters.failed == 1


async def test_a_switch_that_does_not_reply_is_given_up(serve: Serve) -> None:
    raised: list[Exception] = []

    async def handler(session: AgiSession) -> None:
        try:
            await enter(session)
        except AgiDeadline as late:
            raised.append(late)
            raise

    server = await serve(handler, command_seconds=0.05)
    switch = await Switch.connect(server)
    await switch.line()
    assert await switch.gone()
    assert len(raised) == 1
    assert server.counters.late == 1


async def test_a_handler_that_does_not_end_is_ended(serve: Serve) -> None:
    async def handler(session: AgiSession) -> None:
        await asyncio.Event().wait()

    server = await serve(handler, session_seconds=0.05)
    assert await call(server) == b""
    assert server.counters.late == 1


async def test_half_open_peers_are_dropped_at_their_deadline(serve: Serve) -> None:
    server = await serve(enter, header_seconds=0.05)
    for data in (b"", b"agi_network: yes\n"):
        assert await (await Switch.connect(server, data)).gone()
    assert server.counters.late == 2


async def test_five_hundred_half_open_peers_leave_room_for_calls(serve: Serve) -> None:
    server = await serve(enter, max_sessions=2, max_half_open=100, header_seconds=60)
    peers = [await Switch.connect(server, b"agi_network: yes\n") for _ in range(500)]
    await until(lambda: server.counters.refused == 400)
    for _ in range(5):
        assert await call(server) == ANSWER
    assert server.counters.half_open <= 100
    for peer in peers:
        peer.writer.close()


async def test_a_thousand_connect_and_close(serve: Serve) -> None:
    server = await serve(enter)
    for n in range(1000):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.close()
        if n % 100 == 0:
            assert await call(server) == ANSWER
    await until(lambda: server.counters.half_open == 0)
    assert server.counters.answered == 10


async def test_random_bytes_and_a_megabyte_of_header_are_refused(serve: Serve) -> None:
    server = await serve(enter)
    dice = random.Random(12345)
    junk = [dice.randbytes(dice.randrange(1, 5000)) for _ in range(50)]
    for data in [*junk, b"agi_x: " + b"y" * 1_000_000, HEADER + b"more\n"]:
        switch = await Switch.connect(server, data)
        await switch.gone()
    assert server.counters.answered == 0
    assert server.counters.protocol_errors == len(junk) + 2
    assert await call(server) == ANSWER


async def test_a_question_whose_asker_has_gone_is_not_put_to_the_handler(serve: Serve) -> None:
    asked = []

    async def handler(session: AgiSession) -> None:
        asked.append(session.script)

    server = await serve(handler)
    peer = socket.create_connection(("127.0.0.1", server.port))  # all of it waits in the socket, as after a SIGSTOP
    peer.sendall(HEADER)
    peer.close()
    await until(lambda: server.counters.hangups == 1)
    assert asked == []


async def test_words_out_of_turn_end_the_session(serve: Serve) -> None:
    async def handler(session: AgiSession) -> None:
        await session.command("ANSWER")

    server = await serve(handler)
    switch = await Switch.connect(server)
    await switch.line()
    await switch.reply(b"200 result=0\n200 result=0\n200 result=0")
    assert await switch.gone()


async def test_too_many_sessions_are_closed_at_once(serve: Serve) -> None:
    going_on = asyncio.Event()

    async def handler(session: AgiSession) -> None:
        await going_on.wait()
        await enter(session)

    server = await serve(handler, max_sessions=2)
    first = [await Switch.connect(server) for _ in range(2)]
    await until(lambda: server.counters.in_progress == 2)
    assert await (await Switch.connect(server)).gone()
    assert server.counters.refused == 1
    going_on.set()
    for switch in first:
        assert await switch.line() == ANSWER
        await switch.reply(b"200 result=0")
        assert await switch.gone()


async def test_a_peer_that_is_not_on_the_list_is_refused(serve: Serve) -> None:
    server = await serve(enter, allow=("192.0.2.1",))
    assert await call(server) == b""
    assert (server.counters.refused, server.counters.accepted) == (1, 0)


async def test_stopping_lets_sessions_end_and_takes_no_new_ones(serve: Serve) -> None:
    server = await serve(enter)
    port = server.port
    switch = await Switch.connect(server)
    idle = await Switch.connect(server, b"")
    await switch.line()
    await until(lambda: server.counters.half_open == 1)
    stopping = asyncio.ensure_future(server.stop(20))
    assert await idle.gone()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await switch.reply(b"200 result=0")
    await stopping
    assert await switch.gone()
    assert server.counters.answered == 1


async def test_stopping_ends_what_does_not_end(serve: Serve) -> None:
    async def handler(session: AgiSession) -> None:
        await asyncio.Event().wait()

    server = await serve(handler)
    switch = await Switch.connect(server)
    await until(lambda: server.counters.in_progress == 1)
    await server.stop(0.01)
    assert await switch.gone()
