"""What the log hears of requests that went wrong: of a client's fault a count, of ours the traceback, once a minute.

One job: keep the log readable whoever asks, and how often. A stranger can make neither a traceback nor a line for each
of his requests: lines are as many as there are kinds of faults and minutes.
"""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import ClientError, ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

MOST_KINDS: Final = 50
"""Different faults told in one minute; what comes on top of them is only counted."""

OF_CLIENTS: Final = (HttpProcessingError, ClientPayloadError, web.RequestPayloadError, RecursionError, UnicodeError)
"""What bytes that a client has sent can raise, whatever we do with them."""

GONE: Final = (ConnectionError, ClientError)
"""Who asked is not there any more: nobody's fault."""


def client_s(error: BaseException | None) -> bool:
    """Whether the client sent what nobody could read, or went away."""
    return isinstance(error, (*OF_CLIENTS, *GONE))


@dataclass(slots=True)
class Told:
    """What the log was told in this minute."""

    clock: Callable[[], float] = time.monotonic
    _minute: int = -1
    _counts: Counter[str] = field(default_factory=Counter)

    def bad_request(self, error: BaseException | None) -> None:
        """A client's fault: one line for each kind and minute, no traceback and nothing of what was sent."""
        kind = type(error).__name__ if error is not None else "timeout"
        if self._first(kind):
            log.info("unreadable request refused", kind=kind)

    def fault(self, error: BaseException, **where: str) -> None:
        """A fault of ours: its traceback once a minute for each place where it was raised."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        if self._first(f"{type(error).__name__} {place}"):
            log.error("request failed", exc_info=error, **where)

    def _first(self, kind: str) -> bool:
        minute = int(self.clock() // 60)
        if minute != self._minute:
            often = {kind: count for kind, count in self._counts.items() if count > 1}
            if often:
                log.info("requests went wrong in the last minute", counts=often)
            self._minute, self._counts = minute, Counter()
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = "others"
        self._counts[kind] += 1
        return self._counts[kind] == 1


TOLD: Final = Told()
"""Of this process."""
