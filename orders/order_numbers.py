"""The register of order numbers on the local disk: which number comes next, and which key has got which number.

One job: give each number once, dated and without gaps, whatever else is out of reach. A number is on the disk before it
is told; a crash between that and the order's first fact leaves one gap, never a number given twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

KEPT_DAYS: Final = 7
"""How long a key is known although the order itself may not have been read yet."""


class RegisterUnusable(OSError):
    """The register cannot be read or written; says what to do, in Chinese."""


@dataclass(slots=True)
class _Pages:
    day: str = ""
    serial: int = 0
    keys: dict[str, list[str]] = field(default_factory=dict)
    """Key -> [day, number]."""


class OrderNumberRegister:
    """Of one node."""

    def __init__(self, file: Path, node: str) -> None:
        self._file = file
        self._node = node
        self._pages: _Pages | None = None

    @property
    def lost(self) -> bool:
        """There is none: a new machine, or somebody has taken it away."""
        return self._pages is None and not self._file.exists()

    def number_of(self, key: str) -> str:
        """The number that this key has got; empty for a new one. Raises RegisterUnusable."""
        return self._read().keys.get(key, ["", ""])[1]

    def next(self, key: str, today: date, known: Iterable[str] = ()) -> str:
        """A new number for this key, the next of this day on the city's calendar. Raises RegisterUnusable.

        ``known``: numbers that were given as far as the ledger tells, should the register have been lost.
        """
        pages, day = self._read(), f"{today:%Y%m%d}"
        # A clock that was set back goes on with the day it had.
        day = max(day, pages.day)
        head = f"{self._node}-{day}-"
        given = [int(number.removeprefix(head)) for number in known if number.startswith(head)]
        serial = max([pages.serial if pages.day == day else 0, *given]) + 1
        number = f"{head}{serial:04}"
        oldest = f"{today - timedelta(days=KEPT_DAYS):%Y%m%d}"
        keys = {name: page for name, page in pages.keys.items() if page[0] >= oldest}
        self._write(_Pages(day, serial, {**keys, key: [day, number]}))
        return number

    def _read(self) -> _Pages:
        if self._pages is None:
            try:
                told: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
                keys = {str(key): [str(page[0]), str(page[1])] for key, page in told["keys"].items()}
                self._pages = _Pages(str(told["day"]), int(told["serial"]), keys)
            except FileNotFoundError:
                self._pages = _Pages()
            except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
                log.error("register of orders unusable", file=str(self._file), reason=str(error))
                raise RegisterUnusable(
                    f"工单号登记簿 {self._file} 读不出来（{error}）；请修复，或在确认数据库可用后把它移走，再重试"
                ) from None
        return self._pages

    def _write(self, pages: _Pages) -> None:
        text = json.dumps({"day": pages.day, "serial": pages.serial, "keys": pages.keys}, ensure_ascii=False)
        part = self._file.with_suffix(".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        except OSError as error:
            reason = f"写不进工单号登记簿 {self._file}（{error.strerror}）；请检查磁盘后重试"
            raise RegisterUnusable(reason) from None
        self._pages = pages
