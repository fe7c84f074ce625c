"""What is wrong in a file, by its cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LONGEST_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class CellFault:
    """One thing wrong, where somebody can find it in the file they have open."""

    sheet: str
    """Title of the sheet, or the file's name."""
    line: int
    """As the spreadsheet counts, from 1; 0 for the sheet as a whole."""
    column: str
    """Title of the column; empty for the whole line."""
    letter: str
    """The spreadsheet's own name of the column, e.g. D."""
    value: str
    reason: str
    fix: str = ""
    """Something that would work."""
    rule: str = ""

    def __str__(self) -> str:
        where = f"“{self.sheet}”" if self.sheet else "文件"
        where += f"第 {self.line} 行" if self.line else ""
        where += f"“{self.column}”" if self.column else ""
        where += f"（{self.letter}{self.line}）" if self.letter and self.line else ""
        value = self.value if len(self.value) <= LONGEST_SHOWN else f"{self.value[:LONGEST_SHOWN]}…"
        fix = f"；例如 {self.fix}" if self.fix else ""
        return where + (f" = {value!r}" if value else "") + f"：{self.reason}{fix}"


class FileInvalid(Exception):
    """The file was not taken over; carries every fault, its text lists them all in Chinese."""

    def __init__(self, faults: Iterable[CellFault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"文件有 {len(self.faults)} 处错误，什么也没有改动；请改正后重新导入：\n{lines}")

    def __reduce__(self) -> tuple[type[FileInvalid], tuple[tuple[CellFault, ...]]]:
        """Out of a process beside this one it comes whole."""
        return FileInvalid, (self.faults,)


def whole_file(reason: str, fix: str = "") -> FileInvalid:
    """The file as such cannot be read."""
    return FileInvalid([CellFault("", 0, "", "", "", reason, fix)])
