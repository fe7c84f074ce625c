"""One SIPp process (Debian's sip-tester, 3.6): in a folder of its own, bounded in time, its statistics read back."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from phones.errors import SippFailed

_SCENARIOS = Path(__file__).parent / "scenarios"
_FINISHED = {0, 1, 97, 99}
"""All calls good, some failed, ended by command, nothing to do: in each case the statistics are whole."""
_GRACE_SECONDS = 5.0
_LOG_TAIL = 2000
_PLANNED = re.compile(
    r"[-\d]+\t[:.\d]+\t[.\d]+: Call-Id: \S+, receive timeout on message \w+:\d+, jumping to label \d+\s?"
)


_MAY_BE_EMPTY = {"timed": "", "refusal": "", "refused": ""}
"""What a caller does who may be refused."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one SIPp counted."""

    created: int
    succeeded: int
    failed: int
    answered: int
    retransmissions: int
    seconds: float
    answer_seconds: tuple[float, ...]
    """From INVITE to 200 for every answered call of a caller, sorted; empty for a callee."""
    refused: int
    """Of the succeeded ones those that ended with 503, where a caller counts them."""
    refused_seconds: tuple[float, ...]
    """From INVITE to 503, sorted."""
    failures: Mapping[str, int]
    """SIPp's reasons for failed calls."""
    errors: str
    """The end of SIPp's error log."""

    def answer_share(self, share: float) -> float:
        """The answer time that ``share`` (0 to 1) of the calls did not exceed, in seconds; 0 without calls."""
        times = self.answer_seconds
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0


def scenario(name: str, **values: str) -> str:
    """A scenario of ours with its ``@places@`` filled; those of :data:`_MAY_BE_EMPTY` are empty unless given."""
    text = (_SCENARIOS / f"{name}.xml").read_text("utf-8")
    for key, value in (_MAY_BE_EMPTY | values).items():
        text = text.replace(f"@{key}@", value)
    return text


class Sipp:
    """A running SIPp. Use ``finish`` to wait for its end or ``stop`` to end it; both give the tally and tidy up."""

    def __init__(self, process: asyncio.subprocess.Process, folder: tempfile.TemporaryDirectory[str]) -> None:
        self._process = process
        self._folder = folder

    @classmethod
    async def start(cls, text: str, arguments: Sequence[str], *, rows: Sequence[Sequence[str]] = ()) -> Sipp:
        """Run a scenario's text; ``rows`` become its injection file."""
        folder = tempfile.TemporaryDirectory(prefix="sipp-")
        home = Path(folder.name)
        try:
            (home / "scenario.xml").write_text(text, "utf-8")
            if rows:
                lines = "".join(";".join(row) + ";\n" for row in rows)
                (home / "rows.csv").write_text(f"SEQUENTIAL\n{lines}", "utf-8")
            with (home / "stderr.log").open("wb") as complaints:
                process = await asyncio.create_subprocess_exec(
                    "sipp", "-sf", "scenario.xml", *(("-inf", "rows.csv") if rows else ()), *arguments,
                    "-nostdin", "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_rtt", "-rtt_freq", "1",
                    "-trace_err", "-error_file", "errors.log",
                    cwd=home, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=complaints,
                    env={**os.environ, "TERM": "dumb"},
                )  # fmt: skip
        except FileNotFoundError:
            folder.cleanup()
            raise SippFailed("SIPp is missing: install the package sip-tester") from None
        except BaseException:
            folder.cleanup()
            raise
        return cls(process, folder)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Its working folder; gone after ``finish`` or ``stop``."""
        return Path(self._folder.name)

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def finish(self, timeout: float) -> Tally:
        """Wait until its calls are done. Raises SippFailed after ``timeout`` seconds or when it crashed."""
        try:
            async with asyncio.timeout(timeout):
                await self._process.wait()
        except TimeoutError:
            raise SippFailed(f"SIPp was not done in {timeout} s\n{await self._abandon()}") from None
        except BaseException:
            await self._abandon()
            raise
        return self._tally()

    async def stop(self, *, grace: float = _GRACE_SECONDS) -> Tally:
        """No new calls, let those in progress end for ``grace`` seconds, then end the process.

        SIGUSR1 is SIPp's `q`: it leaves when its last call is over. SIGTERM ends it at once: its statistics
        are written, but the calls that are left get no BYE.
        """
        for number, seconds in ((signal.SIGUSR1, grace), (signal.SIGTERM, _GRACE_SECONDS)):
            if self.is_running:
                with suppress(ProcessLookupError):
                    self._process.send_signal(number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await self._process.wait()
        if self.is_running:
            raise SippFailed(f"SIPp did not stop\n{await self._abandon()}")
        return self._tally()

    async def abandon(self) -> None:
        """End it at once, without a tally; harmless when it has ended."""
        await self._abandon()

    def so_far(self) -> Tally:
        """What it has counted while it runs, at most a second old. Raises SippFailed before its first second."""
        return read_tally(_text(self.folder / "stat.csv"), ())

    def tail(self) -> str:
        """The end of its error log."""
        return "\n".join(filter(None, (self._read("errors.log"), self._read("stderr.log"))))[-_LOG_TAIL:]

    async def _abandon(self) -> str:
        if self.is_running:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        tail = self.tail()
        self._folder.cleanup()
        return tail

    def _read(self, name: str) -> str:
        path = self.folder / name
        # A scenario's own time limits are no errors.
        return _PLANNED.sub("", path.read_text("utf-8", "replace"))[-_LOG_TAIL:] if path.exists() else ""

    def _tally(self) -> Tally:
        try:
            code = self._process.returncode
            if code not in _FINISHED:
                raise SippFailed(f"SIPp ended with {code}\n{self.tail()}")
            return read_tally(
                _text(self.folder / "stat.csv"),
                [path.read_text("utf-8", "replace") for path in self.folder.glob("*rtt.csv")],
                self._read("errors.log"),
            )
        finally:
            self._folder.cleanup()


def read_tally(stat: str, response_times: Sequence[str], errors: str = "") -> Tally:
    """SIPp's own files as a tally. Raises SippFailed when the statistics are not there."""
    rows = [row for row in csv.DictReader(stat.splitlines(), delimiter=";") if row.get("TotalCallCreated")]
    if not rows:
        raise SippFailed(f"SIPp left no statistics\n{errors}")
    last = rows[-1]
    failures = {
        key.removesuffix("(C)"): int(value)
        for key, value in last.items()
        if key and key.startswith("Failed") and key.endswith("(C)") and key != "FailedCall(C)" and value.isdigit()
    }
    times = {
        name: tuple(
            sorted(
                float(fields[1]) / 1000
                for text in response_times
                for fields in csv.reader(text.splitlines(), delimiter=";")
                if len(fields) > 2 and fields[2] == name
            )
        )
        for name in ("answer", "refused")
    }
    return Tally(
        int(last["TotalCallCreated"]), int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]),
        _counted(last, "answered"),
        int(last["Retransmissions(C)"]), _clock(last["ElapsedTime(C)"]), times["answer"],
        _counted(last, "refused"), times["refused"], {key: count for key, count in failures.items() if count}, errors,
    )  # fmt: skip


def _counted(row: Mapping[str | None, str], counter: str) -> int:
    """A counter of the scenario's own."""
    return int(next((value for key, value in row.items() if key and key.lower().startswith(f"{counter}(c)")), "0"))


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _clock(text: str) -> float:
    """``HH:MM:SS`` or ``HH:MM:SS:micros`` as seconds."""
    hours, minutes, seconds, *micros = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds) + (int(micros[0]) / 1e6 if micros else 0.0)
