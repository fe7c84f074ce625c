"""What the manager link tells: events and responses, with names that cannot be mistyped in silence.

One job: read access to the headers of one AMI message. It knows no wire and no meaning of any event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

UNSET: Final = "(null)"
"""How Asterisk's Status action writes a variable that is not set."""


class Headers(Mapping[str, str]):
    """Headers of one message. Names are compared without case; a missing one is a KeyError, or None from ``get``.

    A name that comes several times reads as its first value: what Asterisk wrote first cannot be changed by a line
    that came in with some text. :meth:`all` gives every value.
    """

    __slots__ = ("_folded", "_values")

    def __init__(self, values: dict[str, str | list[str]]) -> None:
        self._values = values
        self._folded: dict[str, str] | None = None

    def __getitem__(self, name: str) -> str:
        try:
            value = self._values[name]
        except KeyError:
            value = self._values[self._spelt(name)]
        return value if isinstance(value, str) else value[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        # Values may be somebody's number: names only.
        return f"Headers({', '.join(self._values)})"

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order; empty when there is none."""
        try:
            value = self._values[self._spelt(name)]
        except KeyError:
            return ()
        return (value,) if isinstance(value, str) else tuple(value)

    def _spelt(self, name: str) -> str:
        if self._folded is None:
            self._folded = {key.lower(): key for key in reversed(self._values)}
        return self._folded[name.lower()]


@dataclass(frozen=True, slots=True)
class Event:
    """One AMI event."""

    name: str
    headers: Headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    def get(self, name: str) -> str | None:
        """A header's value, or None when the event does not have it."""
        return self.headers.get(name)

    @property
    def variables(self) -> dict[str, str]:
        """Channel variables it carries (``ChanVariable`` of events, ``Variable`` of Status); unset ones are absent."""
        lines = (*self.headers.all("ChanVariable"), *self.headers.all("Variable"))
        pairs = (line.partition("=") for line in lines)
        return {name: value for name, equals, value in pairs if equals and value != UNSET}


@dataclass(frozen=True, slots=True)
class Response:
    """Asterisk's answer to an action that it did not refuse."""

    headers: Headers

    def __getitem__(self, name: str) -> str:
        return self.headers[name]

    def get(self, name: str) -> str | None:
        """A header's value, or None when the response does not have it."""
        return self.headers.get(name)

    @property
    def message(self) -> str:
        """Asterisk's own words, in English; empty when it said nothing."""
        return self.headers.get("Message") or ""

    @property
    def output(self) -> tuple[str, ...]:
        """Lines that a Command printed."""
        return self.headers.all("Output")


@dataclass(frozen=True, slots=True)
class OriginateOutcome:
    """How an asynchronous Originate ended."""

    answered: bool
    reason: int
    """0 no such place, 1 no answer or hung up, 3 ringing timed out, 4 answered, 5 busy, 8 congested (AST_CONTROL_*)."""
    channel: str
    """Name of the new channel, or what was to be dialled when there is none."""
    unique_id: str | None
    """None when no channel came to be."""
