"""Session descriptions (RFC 8866) for one A-law audio stream with telephone events. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

EVENT_PAYLOAD = 101
_DIRECTIONS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_RTPMAP = re.compile(r"a=rtpmap:(\d+) telephone-event/8000", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """Where the other side wants its audio, and in which direction it flows as it sees it."""

    host: str
    port: int
    event_payload: int = EVENT_PAYLOAD
    direction: str = "sendrecv"


def describe(
    host: str, port: int, *, session: int, version: int, answer_to: RemoteMedia | None = None,
    wanted: str = "sendrecv",
) -> bytes:  # fmt: skip
    """Our offer, ``wanted`` its direction as we see it, or our answer to an offer."""
    events = answer_to.event_payload if answer_to else EVENT_PAYLOAD
    direction = _DIRECTIONS[answer_to.direction] if answer_to else wanted
    lines = (
        "v=0", f"o=- {session} {version} IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
        f"m=audio {port} RTP/AVP 8 {events}", "a=rtpmap:8 PCMA/8000", f"a=rtpmap:{events} telephone-event/8000",
        f"a=fmtp:{events} 0-16", "a=ptime:20", f"a={direction}",
    )  # fmt: skip
    return ("\r\n".join(lines) + "\r\n").encode()


def understand(body: bytes) -> RemoteMedia | None:
    """The audio stream of a description; None when there is none or it carries no A-law."""
    host, port, direction, alaw, events = "", 0, "sendrecv", False, EVENT_PAYLOAD
    audio = False
    for line in body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n"):
        if line.startswith("m="):
            fields = line[2:].split()
            audio = bool(fields) and fields[0] == "audio" and port == 0 and len(fields) > 3 and fields[1].isdigit()
            if audio:
                port, alaw = int(fields[1]), "8" in fields[3:]
        elif line.startswith("c=IN IP4 ") and (audio or not host):
            host = line[9:].split("/")[0].strip()
        elif audio and (match := _RTPMAP.match(line)):
            events = int(match[1])
        elif line.startswith("a=") and line[2:].strip() in _DIRECTIONS and (audio or port == 0):
            direction = line[2:].strip()
    return RemoteMedia(host, port, events, direction) if host and port and alaw else None
