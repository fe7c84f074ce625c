"""The AGI conversation without any I/O: bytes in, events out; commands in, bytes out.

One job: the grammar of AGI as Asterisk 22 speaks it (res_agi.c). It knows no socket, no clock and no flow.

Theory of operation. Asterisk opens with a block of ``agi_*: value`` lines closed by an empty line; from then on we
send one command and it answers with one reply, and ``HANGUP`` may come at any time that no command is open as well as
before the reply of an open one. Each line is first *classified* (:class:`TrunkFigures`), then looked up together with
the state in :data:`TRANSITIONS`; a pair that the table lacks is an :exc:`AgiProtocolError`. A reply that spans lines
(``520-`` up to ``520 End``, or a variable whose value holds newlines) collects in ``USAGE`` and ``VALUE``.

::

    state    input        next       why
    HEADER   END          IDLE       the block is whole: Opened
    IDLE     COMMAND      BUSY       we sent a command
    IDLE     HANGUP       IDLE       the caller has gone: HungUp
    BUSY     HANGUP       BUSY       the same; the reply still comes
    BUSY     INFO         BUSY       100 Trying
    BUSY     REPLY        IDLE       the answer
    BUSY     USAGE_BEGIN  USAGE      520- usage text follows
    USAGE    TEXT         USAGE
    USAGE    USAGE_END    IDLE       the answer
    BUSY     VALUE_BEGIN  VALUE      200 result=1 (first line of several
    VALUE    TEXT         VALUE
    VALUE    VALUE_END    IDLE       the answer
    any      EOF          CLOSED

Two lines cannot be told apart on the wire: a value whose inner line ends with ``)`` looks whole. The rest of it is then
a line that nobody asked for, hence a protocol error and never somebody else's answer; read outside text through
``URIENCODE``, which has no newlines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from telephony.errors import AgiProtocolError

MAX_HEADER_BYTES: Final = 16 * 1024
MAX_HEADER_LINES: Final = 256
MAX_ARGS: Final = 128
"""Both for the arguments a script is given and for those of one command (MAX_ARGS in res_agi.c)."""
MAX_COMMAND_BYTES: Final = 8191
"""With its newline; Asterisk splits a longer line and reads the tail as a new command."""
MAX_REPLY_BYTES: Final = 64 * 1024

_FORBIDDEN: Final = re.compile(r"[\r\n\0]")
_VERB: Final = re.compile(r"[A-Z][A-Z ]*[A-Z]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:*#+-]+")
_ARGUMENT: Final = re.compile(r"agi_arg_(\d{1,3})")
_RESULT: Final = re.compile(r"200 result=(-?[0-9A-Za-z*#]*)(?: \((.*)\))?(?: [a-z0-9_]+=[^\s)]*)*\s*", re.DOTALL)
_OPEN_VALUE: Final = re.compile(rb"200 result=-?[0-9]* \(")
_CLOSED_VALUE: Final = re.compile(rb"\)(?: [a-z0-9_]+=[^\s)]*)*\s*$")


class State(Enum):
    """Where the conversation is."""

    HEADER = "header"
    IDLE = "idle"
    BUSY = "busy"
    USAGE = "usage"
    VALUE = "value"
    CLOSED = "closed"


class Line(Enum):
    """What came in (or, for COMMAND, went out)."""

    END = "end of the header block"
    COMMAND = "command sent"
    INFO = "100"
    REPLY = "complete reply"
    USAGE_BEGIN = "520-"
    USAGE_END = "520 End"
    VALUE_BEGIN = "open value"
    VALUE_END = "end of value"
    TEXT = "text in between"
    HANGUP = "HANGUP"
    EOF = "end of stream"
    NONSENSE = "not AGI"


TRANSITIONS: Final[Mapping[tuple[State, Line], State]] = MappingProxyType(
    {
        (State.HEADER, Line.END): State.IDLE,
        (State.IDLE, Line.COMMAND): State.BUSY,
        (State.IDLE, Line.HANGUP): State.IDLE,
        (State.BUSY, Line.HANGUP): State.BUSY,
        (State.BUSY, Line.INFO): State.BUSY,
        (State.BUSY, Line.REPLY): State.IDLE,
        (State.BUSY, Line.USAGE_BEGIN): State.USAGE,
        (State.USAGE, Line.TEXT): State.USAGE,
        (State.USAGE, Line.USAGE_END): State.IDLE,
        (State.BUSY, Line.VALUE_BEGIN): State.VALUE,
        (State.VALUE, Line.TEXT): State.VALUE,
        (State.VALUE, Line.VALUE_END): State.IDLE,
        **{(state, Line.EOF): State.CLOSED for state in State},
    }
)


@dataclass(frozen=True, slots=True)
class Opened:
    """The header block is whole: who asks, and what."""

    script: str
    """Path of the AGI URL, without the leading slash."""
    env: Mapping[str, str]
    """``agi_*`` lines without the arguments. The first of two equal keys counts: what Asterisk writes before the
    caller's own texts cannot be changed by a newline in them."""
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to the open command."""

    code: int
    """200, 510, 511 or 520."""
    result: str
    """Text after ``result=``; empty unless the code is 200."""
    value: str | None
    """Text in the brackets after the result, if there are any."""
    text: str
    """The reply as it came, lines joined by newlines."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller has gone. Commands for a dead channel still work."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer ended the stream."""


Event = Opened | Reply | HungUp | Closed


class AgiCodec:
    """One conversation: feed :meth:`receive`, drain :meth:`next_event` until None, write what :meth:`command` gives.

    After an :exc:`AgiProtocolError` the codec is closed: the connection is to be dropped.
    """

    __slots__ = ("_buffer", "_lines", "_size", "state")

    def __init__(self) -> None:
        self.state = State.HEADER
        self._buffer = bytearray()
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def buffered(self) -> int:
        """Bytes held: those not looked at yet and those of a reply that is not whole."""
        return len(self._buffer) + self._size

    def receive(self, data: bytes) -> None:
        """Takes in what the peer sent; an empty chunk is nothing."""
        if self.state is not State.CLOSED:
            self._buffer += data

    def receive_eof(self) -> Closed | None:
        """The peer ended its side. None when the conversation was over already."""
        if self.state is State.CLOSED:
            return None
        self.close()
        return Closed()

    def close(self) -> None:
        """Ends the conversation from our side and lets go of what is buffered."""
        self.state = State.CLOSED
        self._buffer.clear()
        self._lines.clear()
        self._size = 0

    def next_event(self) -> Event | None:
        """The next event in what was received, or None when more bytes are needed.

        Raises AgiProtocolError when the peer does not speak AGI or goes past a limit.
        """
        if self.state is State.CLOSED:
            return None
        if self.state is State.HEADER:
            return self._next_header()
        while (end := self._buffer.find(b"\n")) >= 0:
            self._check_size(end)
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            event = self._take_line(line)
            if event is not None:
                return event
        self._check_size(len(self._buffer))
        return None

    def command(self, verb: str, *args: str) -> bytes:
        """The bytes of one command; every argument that needs it is quoted.

        Raises AgiProtocolError for CR, LF or NUL, a line over :data:`MAX_COMMAND_BYTES`, or a command out of turn. None
        of these harms the conversation: nothing is to be sent.
        """
        if not _VERB.fullmatch(verb):
            raise AgiProtocolError("a verb is upper-case words")
        if len(args) + verb.count(" ") + 1 > MAX_ARGS:
            raise AgiProtocolError("more arguments than Asterisk takes")
        line = " ".join((verb, *map(quoted, args))).encode() + b"\n"
        if len(line) > MAX_COMMAND_BYTES:
            raise AgiProtocolError("command longer than Asterisk's line")
        if (following := TRANSITIONS.get((self.state, Line.COMMAND))) is None:
            raise AgiProtocolError(f"no command may be sent while {self.state.value}")
        self.state = following
        return line

    def _broken(self, why: str) -> AgiProtocolError:
        self.close()
        return AgiProtocolError(why)

    def _check_size(self, line_bytes: int) -> None:
        if self._size + line_bytes >= MAX_REPLY_BYTES:
            raise self._broken("reply too long")

    def _move(self, line: Line) -> None:
        following = TRANSITIONS.get((self.state, line))
        if following is None:
            raise self._broken(f"{line.value} while {self.state.value}")
        self.state = following

    def _next_header(self) -> Opened | None:
        if not b"agi_".startswith(self._buffer[:4]):
            raise self._broken("the peer does not speak AGI")
        end = self._buffer.find(b"\n\n", 0, MAX_HEADER_BYTES)
        if end < 0:
            if len(self._buffer) >= MAX_HEADER_BYTES:
                raise self._broken("header block too long")
            return None
        lines = self._buffer[:end].decode("utf-8", "replace").split("\n")
        del self._buffer[: end + 2]
        try:
            opened = _opened(lines)
        except AgiProtocolError:
            self.close()
            raise
        self._move(Line.END)
        return opened

    def _take_line(self, line: bytes) -> Event | None:
        kind = _classified(self.state, line)
        self._move(kind)
        if kind is Line.HANGUP:
            return HungUp()
        if kind is Line.INFO:
            return None
        if kind is Line.REPLY and not self._lines:
            return self._reply(line)
        self._size += len(line) + 1
        self._lines.append(line)
        if self.state is not State.IDLE:
            return None
        whole = b"\n".join(self._lines)
        self._lines.clear()
        self._size = 0
        return self._reply(whole)

    def _reply(self, whole: bytes) -> Reply:
        text = whole.decode("utf-8", "replace")
        code = int(whole[:3])
        if code != 200:
            return Reply(code, "", None, text)
        match = _RESULT.fullmatch(text)
        if match is None:
            raise self._broken("200 without a result")
        return Reply(code, match[1], match[2], text)


def quoted(argument: str) -> str:
    """One argument as Asterisk's parser reads it back. Raises AgiProtocolError for CR, LF and NUL."""
    if _FORBIDDEN.search(argument):
        raise AgiProtocolError("CR, LF or NUL in a command")
    if _PLAIN.fullmatch(argument):
        return argument
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise AgiProtocolError("a command must be encodable as UTF-8") from None
    return '"' + argument.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _classified(state: State, line: bytes) -> Line:
    if state is State.USAGE:
        return Line.USAGE_END if line.startswith(b"520 ") else Line.TEXT
    if state is State.VALUE:
        return Line.VALUE_END if _CLOSED_VALUE.search(line) else Line.TEXT
    start = line[:4]
    if start == b"200 ":
        if _OPEN_VALUE.match(line) and not _CLOSED_VALUE.search(line):
            return Line.VALUE_BEGIN
        return Line.REPLY
    if line == b"HANGUP":
        return Line.HANGUP
    if start in (b"510 ", b"511 ", b"520 "):
        return Line.REPLY
    if start == b"520-":
        return Line.USAGE_BEGIN
    if start == b"100 ":
        return Line.INFO
    return Line.NONSENSE


def _opened(lines: list[str]) -> Opened:
    """Reads the block. Lines that are not ``agi_*: value`` can only come from a newline in some value: passed over.

    An argument given twice is refused, because arguments come after the caller's own texts and the first one could be
    forged.
    """
    if len(lines) > MAX_HEADER_LINES:
        raise AgiProtocolError("too many header lines")
    env: dict[str, str] = {}
    numbered: dict[int, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon or not key.startswith("agi_"):
            continue
        if argument := _ARGUMENT.fullmatch(key):
            number = int(argument[1])
            if number in numbered:
                raise AgiProtocolError("an argument is given twice")
            numbered[number] = value.removeprefix(" ")
        elif key not in env:
            env[key] = value.strip()
    if len(numbered) > MAX_ARGS or sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise AgiProtocolError("arguments are not numbered from 1")
    args = tuple(numbered[number] for number in range(1, len(numbered) + 1))
    return Opened(_script(env), MappingProxyType(env), args)


def _script(env: Mapping[str, str]) -> str:
    if "agi_network_script" in env:
        return env["agi_network_script"].partition("?")[0].strip("/")
    try:
        return urlsplit(env.get("agi_request", "")).path.strip("/")
    except ValueError:
        raise AgiProtocolError("agi_request is not a URL") from None
