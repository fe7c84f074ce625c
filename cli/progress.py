"""A progress bar that keeps quiet while the work is short."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PATIENCE_SECONDS: Final = 2.0
"""Work longer than this shows how far it is."""


class Meter:
    """Call it with how much is done, of how much."""

    def __init__(self, title: str) -> None:
        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("")
        self._quiet_until = time.monotonic() + PATIENCE_SECONDS

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() < self._quiet_until:
            return
        self._bar.update(self._task, completed=done, total=total)
        if done < total:
            self._bar.start()

    def stop(self) -> None:
        if self._bar.live.is_started:
            self._bar.stop()


@contextmanager
def progress(title: str) -> Iterator[Meter]:
    """A meter for the work inside, gone when it ends."""
    meter = Meter(title)
    try:
        yield meter
    finally:
        meter.stop()
