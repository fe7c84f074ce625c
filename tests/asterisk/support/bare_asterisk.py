"""A bare Asterisk started from a folder of configuration files: no engine, no generated dialplan.

For tests that are about Asterisk or about the phones alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from asterisk_conf.bundle import Asterisk

START_SECONDS = 30
STOP_SECONDS = 10
_FOLDERS = ("etc", "run", "log", "db", "spool", "lib", "share", "keys", "agi-bin")


@dataclass(slots=True)
class BareAsterisk:
    """One running switch. ``cli`` asks it something."""

    program: Asterisk
    home: Path
    process: asyncio.subprocess.Process

    async def cli(self, command: str) -> str:
        """What ``asterisk -rx`` prints."""
        config = str(self.home / "etc/asterisk.conf")
        asked = await asyncio.create_subprocess_exec(
            *self.program.argv, "-C", config, "-rx", command,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(START_SECONDS):
                out, _ = await asked.communicate()
        except BaseException:
            with suppress(ProcessLookupError):
                asked.kill()
            await asked.wait()
            raise
        return out.decode("utf-8", "replace")

    def log(self, lines: int = 40) -> str:
        """The end of its log, for a failing test's text."""
        path = self.home / "log/full"
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:]) if path.exists() else "no log"


@asynccontextmanager
async def bare_asterisk(
    program: Asterisk, home: Path, files: Mapping[str, str], modules: Sequence[str]
) -> AsyncIterator[BareAsterisk]:
    """Start one with ``files`` (name in etc to text) and exactly these modules; stop it at the end."""
    for folder in _FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "share/documentation").symlink_to(program.data_dir / "documentation")
    # The path of Asterisk's control socket may have 107 bytes at most: say so before it fails obscurely.
    if len(str(home / "run/asterisk.ctl")) > 100:
        raise ValueError(f"too long a path for a control socket: {home}")
    load = "".join(f"load = {module}.so\n" for module in modules)
    written = {
        "asterisk.conf": _directories(program, home),
        "modules.conf": f"[modules]\nautoload = no\n{load}",
        "logger.conf": "[general]\n[logfiles]\nfull = notice,warning,error,verbose(3)\n",
        **files,
    }
    for name, text in written.items():
        (home / "etc" / name).write_text(text, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *program.argv, "-f", "-C", str(home / "etc/asterisk.conf"),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    switch = BareAsterisk(program, home, process)
    try:
        await _booted(switch)
        yield switch
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def _directories(program: Asterisk, home: Path) -> str:
    places = {
        "astetcdir": home / "etc", "astmoddir": program.modules_dir, "astvarlibdir": home / "lib",
        "astdbdir": home / "db", "astkeydir": home / "keys", "astdatadir": home / "share",
        "astagidir": home / "agi-bin", "astspooldir": home / "spool", "astrundir": home / "run",
        "astlogdir": home / "log",
    }  # fmt: skip
    lines = "".join(f"{key} => {value}\n" for key, value in places.items())
    return f"[directories]\n{lines}\n[options]\nhideconnect = yes\nlive_dangerously = no\n"


async def _booted(switch: BareAsterisk) -> None:
    async with asyncio.timeout(START_SECONDS):
        while "fully booted" not in await switch.cli("core waitfullybooted"):
            if switch.process.returncode is not None:
                raise RuntimeError(f"Asterisk did not start:\n{switch.log()}")
            await asyncio.sleep(0.1)
