"""Whether Asterisk does its work, asked in two ways, and what is kept of one that does not before it is restarted.

One job: the questions and the evidence. How often, and what follows, is setup/process/supervisor.py's.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog

from calls.switch.hung_switch import HUNG_FILE, Hung
from config.credentials import Credentials
from config.settings import Settings
from setup.process.supervisor import Watch
from telephony.ami_probe import ami_ping
from telephony.loop_call import LoopFailed, loop_call, loop_token

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

ASK_SECONDS: Final = 4.5
BEYOND_SECONDS: Final = 1.5
"""So much longer than the dialplan waits for the engine."""

EVERY_SECONDS: Final = 1.5
TRIES: Final = 3
"""Three questions in a row without an answer: 18 s. A switch that is stopped for 10 s answers the next one in time."""

CORE_SECONDS: Final = 10.0


def watch_switch(settings: Settings, secrets: Credentials) -> Watch:
    """Asterisk's watch: a loop call that does not come back means that callers are not served, whatever AMI says."""

    token = loop_token(secrets.agi_token)
    # An engine that hangs makes the dialplan wait for its answer: that must not look like a switch that hangs.
    seconds = max(ASK_SECONDS, settings.ask_seconds + BEYOND_SECONDS)

    async def probe() -> None:
        looped, pinged = await asyncio.gather(
            asyncio.to_thread(loop_call, _host(settings.bind), settings.sip_port, token, seconds),
            asyncio.to_thread(ami_ping, settings.ami_port, secrets.ami_secret, seconds),
            return_exceptions=True,
        )
        if isinstance(looped, BaseException):
            raise LoopFailed(f"{looped}; AMI: {pinged or 'answers'}")
        if isinstance(pinged, BaseException):
            log.warning("manager interface silent, calls are served", reason=str(pinged))

    async def keep(pid: int) -> None:
        evidence = settings.log_dir / f"asterisk-hung-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.txt"
        with suppress(OSError):
            evidence.write_text(await asyncio.to_thread(threads_of, pid), encoding="utf-8")
            hung = Hung(datetime.now(UTC).isoformat(), str(evidence))
            (settings.run_dir / HUNG_FILE).write_text(json.dumps(asdict(hung)), encoding="utf-8")
        await _core(pid, settings.log_dir / "asterisk-hung-core")

    return Watch(
        probe,
        every_seconds=EVERY_SECONDS,
        deadline_seconds=seconds + 2,
        failures=TRIES,
        keep=keep,
        abort=True,
    )


def threads_of(pid: int) -> str:
    """Every thread of a process: its name, state, what it waits for in the kernel, its CPU time."""
    lines = ["tid name state wchan syscall utime stime"]
    for task in sorted(Path(f"/proc/{pid}/task").glob("*"), key=lambda path: int(path.name)):
        with suppress(OSError, IndexError):
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            told = [(task / name).read_text().strip() or "-" for name in ("comm", "wchan", "syscall")]
            name, wchan, call = told
            lines.append(f"{task.name} {name} {fields[0]} {wchan} {call.split()[0]} {fields[11]} {fields[12]}")
    return "\n".join(lines) + "\n"


async def _core(pid: int, prefix: Path) -> None:
    """With gdb's gcore, if the machine has it; else the abort that follows leaves what the system lets it leave."""
    if (gcore := shutil.which("gcore")) is None:
        return
    for old in prefix.parent.glob(f"{prefix.name}.*"):
        old.unlink(missing_ok=True)  # one is enough, and they are large
    process = await asyncio.create_subprocess_exec(
        gcore, "-o", str(prefix), str(pid), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await asyncio.wait_for(process.wait(), CORE_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(process.pid, 9)
        log.warning("core file not whole", pid=pid)


def _host(bind: str) -> str:
    return "127.0.0.1" if bind == "0.0.0.0" else bind  # noqa: S104  compared, not bound
