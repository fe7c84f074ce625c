"""The script Asterisk runs itself when the engine does not answer: which prompt, which group, from the table on disk.

One job: one answer within two seconds, or none. The dialplan has set its defaults before it asks, so whatever goes
wrong here, the caller reaches the duty seats. It knows no engine, no database and no network; it starts once per call,
so it imports little. The only file that imports pyst2, whose faults are closed in :class:`Agi`.

Called as ``last_resort.py SNAPSHOT NUMBER`` with the AGI conversation on standard input and output.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

if __name__ == "__main__":
    # Run by its path: the rooms are found from the project's root, not from this folder.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from asterisk.agi import AGI, AGIException, AGIHangup

from routing.model import CallFacts
from routing.overflow import overflow_text
from routing.rules import decide
from routing.snapshot import load_snapshot
from telephony.model import GROUP_ID, VARIABLE_VALUE, Var

DEADLINE_SECONDS: Final = 2
"""Then the kernel ends the script (SIGALRM), even one that hangs in a read from a dead disk."""
DEFAULT_GROUP: Final = "duty"
DEFAULT_PROMPT: Final = "greeting-12345"
DONE: Final = "last-resort"

PROMPT_ID: Final = re.compile(r"[a-z0-9-]{1,64}")
MAX_LINE_CHARS: Final = 8192
MAX_LINES: Final = 512


def answer(snapshot: Path, number: str, now: datetime) -> tuple[Mapping[str, str], str]:
    """The channel variables for this call, sentinel last, and the kind of trouble met on the way (empty: none)."""
    try:
        decision = decide(CallFacts(number), load_snapshot(snapshot), now)
    except Exception as error:
        # Its text may hold the number: the kind is enough to act on.
        return {Var.GROUP: DEFAULT_GROUP, Var.PROMPTS: DEFAULT_PROMPT, Var.DONE: DONE}, type(error).__name__
    prompts = [prompt for prompt in decision.prompts if PROMPT_ID.fullmatch(prompt)]
    return {
        Var.GROUP: decision.group if GROUP_ID.fullmatch(decision.group) else DEFAULT_GROUP,
        Var.PROMPTS: "&".join(prompts) or DEFAULT_PROMPT,
        Var.OVERFLOW: overflow_text(decision.overflow),
        Var.VERSION: str(decision.version),
        Var.DONE: DONE,
    }, ""


class Agi(AGI):  # type: ignore[misc]  # pyst2 ships no types
    """pyst2's AGI that ends when the peer ends, keeps quiet, and sends nothing that it cannot quote.

    pyst2 0.5.1 takes HANGUP and the end of the stream for a bad number (ValueError), reads for ever when the stream
    ends inside a 520, writes every line, numbers included, to standard error, and quotes without escaping.
    """

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        super().__init__(stdin=_Lines(stdin), stdout=stdout, stderr=_Nowhere())

    def set_many(self, variables: Mapping[str, str]) -> None:
        """Sets channel variables in one round trip. Raises ValueError for a value that could be read as syntax."""
        for name, value in variables.items():
            if not VARIABLE_VALUE.fullmatch(value):
                raise ValueError(f"{name} may not be written to the channel")
        self.appexec("MSet", ",".join(f"{name}={value}" for name, value in variables.items()))

    def _quote(self, string: object) -> str:
        text = str(string)
        if any(char in text for char in "\r\n\0"):
            raise ValueError("a command is one line")
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Lines:
    """Standard input whose end, and the caller's, are endings; bounded, so that no peer keeps us reading."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._left = MAX_LINES

    def readline(self) -> str:
        self._left -= 1
        line = self._stream.readline(MAX_LINE_CHARS)
        if not line.endswith("\n") or line == "HANGUP\n" or self._left < 0:
            raise AGIHangup("the conversation is over")
        return line


class _Nowhere:
    """Where pyst2 may write what it likes."""

    def write(self, _text: str) -> None:
        return None


def converse(stdin: IO[str], stdout: IO[str], snapshot: Path, number: str) -> None:
    """One whole conversation. Never raises: without our answer the dialplan's defaults stand."""
    try:
        agi = Agi(stdin, stdout)
        variables, trouble = answer(snapshot, number, datetime.now(UTC))
        if trouble:
            agi.verbose(f"last-resort: no routing table ({trouble})", 1)
        agi.set_many(variables)
    except (AGIException, ValueError, OSError):
        return


def main(arguments: list[str]) -> None:
    """Entry point of the wrapper that Asterisk runs."""
    signal.alarm(DEADLINE_SECONDS)
    snapshot, number = (*arguments, "", "")[:2]
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    converse(sys.stdin, sys.stdout, Path(snapshot), number)


if __name__ == "__main__":
    main(sys.argv[1:])
