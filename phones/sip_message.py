"""SIP messages (RFC 3261 section 7): bytes to message and back. Knows no socket, no dialog, no time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from phones.errors import MalformedSip

_COMPACT = {
    "i": "call-id", "m": "contact", "e": "content-encoding", "l": "content-length", "c": "content-type", "f": "from",
    "s": "subject", "k": "supported", "t": "to", "v": "via", "o": "event", "r": "refer-to",
}  # fmt: skip
_REQUEST = re.compile(r"([A-Z]+) (.*) SIP/2\.0")
_RESPONSE = re.compile(r"SIP/2\.0 (\d{3}) ?(.*)")
_TAG = re.compile(r";\s*tag=([^;>\s]+)", re.IGNORECASE)
_BRANCH = re.compile(r";\s*branch=([^;,\s]+)", re.IGNORECASE)
_URI = re.compile(r"<([^>]*)>")
_FOLD = re.compile(r"\r\n[ \t]+")
_USER = re.compile(r"sips?:([^@>;]*)@", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Message:
    """One request or response. Header names keep their case; look-ups ignore it."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def method(self) -> str:
        """The request's method; of a response, the method it answers."""
        match = _REQUEST.fullmatch(self.start)
        return match[1] if match else self.header("CSeq").partition(" ")[2].strip().upper()

    @property
    def uri(self) -> str:
        match = _REQUEST.fullmatch(self.start)
        return match[2] if match else ""

    @property
    def status(self) -> int:
        """The status code of a response, 0 for a request."""
        match = _RESPONSE.fullmatch(self.start)
        return int(match[1]) if match else 0

    @property
    def phrase(self) -> str:
        match = _RESPONSE.fullmatch(self.start)
        return match[2] if match else ""

    def header(self, name: str) -> str:
        """The first header of that name, or an empty string."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]

    @property
    def call_id(self) -> str:
        return self.header("Call-ID")

    @property
    def cseq(self) -> int:
        digits = self.header("CSeq").split(" ")[0]
        return int(digits) if digits.isdigit() else 0

    @property
    def branch(self) -> str:
        match = _BRANCH.search(self.header("Via"))
        return match[1] if match else ""

    @property
    def from_tag(self) -> str:
        return tag_of(self.header("From"))

    @property
    def to_tag(self) -> str:
        return tag_of(self.header("To"))

    def encode(self) -> bytes:
        """The bytes for the wire, with Content-Length."""
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers), f"Content-Length: {len(self.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + self.body


def parse(data: bytes) -> Message:
    """One datagram as a message. Raises MalformedSip."""
    head, found, rest = data.partition(b"\r\n\r\n")
    text = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8", "surrogateescape"))
    start, *lines = text.split("\r\n")
    if not found or not (_REQUEST.fullmatch(start) or _RESPONSE.fullmatch(start)):
        raise MalformedSip(f"not a SIP message: {data[:60]!r}")
    headers = []
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            raise MalformedSip(f"not a header: {line[:60]!r}")
        key = key.strip()
        headers.append((_COMPACT.get(key.lower(), key), value.strip()))
    message = Message(start, tuple(h for h in headers if h[0].lower() != "content-length"), rest)
    if not message.call_id or not message.cseq:
        raise MalformedSip(f"no Call-ID or CSeq: {start[:60]!r}")
    return message


def request(method: str, uri: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> Message:
    """A request. Line breaks in anything outside the body would forge headers: ValueError. A folded header is none."""
    message = Message(f"{method} {uri} SIP/2.0", tuple(headers), body)
    for text in (message.start, *(part for header in message.headers for part in header)):
        if any(ch in _FOLD.sub(" ", text) for ch in "\r\n\0"):
            raise ValueError(f"a line break cannot be sent inside a SIP header: {text[:80]!r}")
    return message


def response(to: Message, status: int, phrase: str, headers: Iterable[tuple[str, str]] = (), body: bytes = b"",
             *, to_tag: str = "") -> Message:  # fmt: skip
    """The response to a request: Via, From, To, Call-ID, CSeq and Record-Route are copied (RFC 3261 8.2.6)."""
    copied = []
    for key, value in to.headers:
        if key.lower() in {"via", "from", "to", "call-id", "cseq", "record-route"}:
            if key.lower() == "to" and to_tag and not tag_of(value):
                value = f"{value};tag={to_tag}"  # noqa: PLW2901 - the copy differs in this one place
            copied.append((key, value))
    return Message(f"SIP/2.0 {status} {phrase}", (*copied, *headers), body)


def tag_of(header: str) -> str:
    """The tag of a From or To header."""
    match = _TAG.search(header[header.rfind(">") + 1 :])
    return match[1] if match else ""


def uri_of(header: str) -> str:
    """The URI of a Contact, From or To header."""
    match = _URI.search(header)
    return match[1] if match else header.partition(";")[0].strip()


def user_of(header: str) -> str:
    """The user part of the URI in a header, or an empty string."""
    match = _USER.search(header)
    return match[1] if match else ""


PHRASES = {
    100: "Trying", 180: "Ringing", 183: "Session Progress",
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 480: "Temporarily Unavailable", 481: "Call Does Not Exist",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 500: "Server Internal Error",
    503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip
