"""A sorted set small enough to be a list.

One job: keep keys in order. At the sizes a city has (a few thousand keys) a binary search plus a memmove in one list
costs about a microsecond and needs neither lazy deletion nor a library; bench/acd.py measures it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=tuple[Any, ...])


class SortedKeys(Generic[K]):
    """Distinct keys in rising order."""

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        self._keys: list[K] = []

    def add(self, key: K) -> None:
        at = bisect_left(self._keys, key)
        if at == len(self._keys) or self._keys[at] != key:
            self._keys.insert(at, key)

    def discard(self, key: K) -> None:
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            del self._keys[at]

    def first(self) -> K | None:
        """The smallest key, or None."""
        return self._keys[0] if self._keys else None

    def head(self, count: int) -> list[K]:
        """The first so many."""
        return self._keys[:count]

    def before(self, key: K) -> int:
        """How many keys come before this one, whether or not it is here."""
        return bisect_left(self._keys, key)

    def __contains__(self, key: K) -> bool:
        at = bisect_left(self._keys, key)
        return at < len(self._keys) and self._keys[at] == key

    def __iter__(self) -> Iterator[K]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
