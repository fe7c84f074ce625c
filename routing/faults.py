"""What is wrong in a routing table, so that the person who wrote it can put it right in one go."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a fault means for publishing."""

    ERROR = "error"
    """The table cannot be published."""
    WARNING = "warning"
    """It can; somebody should know what a citizen would meet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. ``path`` is the key's path in the table, e.g. ``numbers.12333.mode``."""

    path: str
    value: str
    reason: str
    example: str = ""
    rule: str = ""
    """Stable id of the lint's rule that found it; empty for text that could not be read at all."""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        example = f"；例如 {self.example}" if self.example else ""
        return f"{self.path}{shown}：{self.reason}{example}"


class TableInvalid(Exception):
    """The routing table cannot be used; carries every fault, its text lists them all in Chinese."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"路由表有 {len(self.faults)} 处错误，请改正后重试：\n{lines}")
