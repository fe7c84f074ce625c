"""AMI without any I/O: bytes in, messages out; safe headers out.

One job: the framing of Asterisk's manager protocol (manager.c). It knows no socket and no meaning of a message.

A conversation begins with one banner line; then come messages, blocks of ``Name: value`` lines that end with an empty
line. A block is whole before it is decoded, so no character is lost between two chunks. What a block is is told by its
first line, because an event may hold a header ``Response`` (OriginateResponse does).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from telephony.errors import AmiProtocolError, AmiUnsafeValue
from telephony.events import Event, Headers, Response

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
"""From Asterisk; the output of one command may be long."""
MAX_LINE_BYTES: Final = 1022
"""To Asterisk, without line end; its buffer holds 1024 bytes and drops what is longer."""
MAX_HEADERS: Final = 128
"""To Asterisk; it ignores further ones."""
BANNER: Final = b"Asterisk Call Manager/"

HeadersToSend = Mapping[str, str] | Sequence[tuple[str, str]]

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9()-]{0,63}")
_UNSAFE: Final = re.compile(r"[\r\n\0]")


class AmiDecoder:
    """Bytes of one connection to messages. After an AmiProtocolError the connection is to be dropped."""

    __slots__ = ("_buffer", "_greeted")

    def __init__(self) -> None:
        self._buffer = b""
        self._greeted = False

    @property
    def buffered(self) -> int:
        return len(self._buffer)

    def receive(self, data: bytes) -> list[Event | Response]:
        """The messages that are whole now. Raises AmiProtocolError for what is no manager, or a block without end."""
        buffer = self._buffer + data
        if not self._greeted:
            banner, end, rest = buffer.partition(b"\r\n")
            if not banner.startswith(BANNER[: len(banner)]) or len(banner) > MAX_LINE_BYTES:
                raise AmiProtocolError("the peer is not Asterisk's manager")
            if not end:
                self._buffer = buffer
                return []
            if not banner.startswith(BANNER):
                raise AmiProtocolError("the peer is not Asterisk's manager")
            self._greeted, buffer = True, rest
        *blocks, self._buffer = buffer.split(b"\r\n\r\n")
        if len(self._buffer) > MAX_MESSAGE_BYTES:
            self._buffer = b""
            raise AmiProtocolError("a message without end")
        messages = map(_message, blocks)
        return [message for message in messages if message is not None]


def checked(headers: HeadersToSend) -> list[tuple[str, str]]:
    """Headers that may go on the wire, in order.

    Raises AmiUnsafeValue for CR, LF or NUL, a name that is none, a line or a number of headers past Asterisk's limits.
    """
    pairs: Iterable[tuple[str, str]] = headers.items() if isinstance(headers, Mapping) else headers
    safe = [(name, value) for name, value in pairs if _check(name, value)]
    if len(safe) > MAX_HEADERS - 2:
        raise AmiUnsafeValue(f"more than {MAX_HEADERS} headers")
    return safe


def _check(name: str, value: str) -> bool:
    if not _NAME.fullmatch(name):
        raise AmiUnsafeValue(f"not a header's name: {name!r:.80}")
    if _UNSAFE.search(value):
        raise AmiUnsafeValue(f"CR, LF or NUL in {name}")
    try:
        size = len(name) + 2 + len(value.encode())
    except UnicodeEncodeError:
        raise AmiUnsafeValue(f"{name} cannot be written as UTF-8") from None
    if size > MAX_LINE_BYTES:
        raise AmiUnsafeValue(f"{name} is longer than Asterisk's line of {MAX_LINE_BYTES} bytes")
    return True


def _message(block: bytes) -> Event | Response | None:
    values: dict[str, str | list[str]] = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            continue
        value = value.removeprefix(" ")
        if name not in values:
            values[name] = value
            continue
        known = values[name]
        if isinstance(known, list):
            known.append(value)
        else:
            values[name] = [known, value]
    match next(iter(values.items()), None):
        case ("Event", str(name)):
            return Event(name, Headers(values))
        case ("Response", _):
            return Response(Headers(values))
    return None
