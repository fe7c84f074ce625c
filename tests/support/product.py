"""The whole product on ports of its own: a real Asterisk, the engine beside it, phones around it.

Nothing is faked: the same preparation as ``hotline up``, the same two processes, started and killed at will.
Measurements and tests run the product by this one file.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from asterisk_conf.bundle import Asterisk, find_asterisk
from asterisk_conf.model import SwitchPlan
from cli.up import prepared
from config import disk_reserve
from config.credentials import Credentials
from config.settings import ROOT, Settings
from console.client import EngineUnreachable, Refused, call
from database.connection import open_database
from database.schema import upgrade
from engine.engine import journal_folder
from ivr.prompts import manifest
from ledger.model import Fact, Kind
from ledger.reader import calls_now, facts_now
from ledger.records import CallRecord
from ledger.store import CallFilter
from phones.centre import Centre
from phones.citizen import Citizen
from phones.seat_phone import SeatPhone
from routing.model import Snapshot, Table
from routing.publish import publish_draft
from routing.sample_table import sample_table
from routing.service import load_rows
from telephony.model import CallId
from tests.support.ports import free_ports, own_slice
from tests.support.warm import Forked, forked

START_SECONDS = 90.0
"""Generous: a crowded machine is no fault of the product. A process that ends meanwhile is told at once."""
COMMAND_SECONDS = 180.0
_TOLD_BYTES = 4000
"""So much of a log's end is shown when a start fails."""
SQLITE = "sqlite+aiosqlite:///"
_TEMPLATE: Path | None = None
PROMPTS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hotline12345" / "test-prompts"
"""Built prompts are the same for every instance: built once, copied."""


@dataclass
class Product:
    """One running instance. Ports, folder and table are its own."""

    settings: Settings
    asterisk: Asterisk
    plan: SwitchPlan
    credentials: Credentials
    switch: asyncio.subprocess.Process | None = None
    engine: asyncio.subprocess.Process | Forked | None = None
    forks: bool = False
    """Whether engines and commands are forked from a process that has loaded their modules (tests/support/warm.py)."""
    _phones: list[Any] = field(default_factory=list)

    @property
    def table(self) -> Snapshot:
        return self.plan.snapshot

    # The two processes

    async def start_switch(self) -> None:
        """Start Asterisk and wait until it takes calls."""
        with (self.settings.log_dir / "asterisk.log").open("ab") as log:
            self.switch = await asyncio.create_subprocess_exec(
                *ends_with_us(), *self.asterisk.argv, "-f", "-C", str(self.plan.home / "etc/asterisk.conf"),
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        await self._up(self._booted, "Asterisk to boot", self.switch, "asterisk.log")

    async def start_engine(self, *program: str, wait: bool = True) -> None:
        """Start the engine, or a program that is one; by default wait until it is healthy."""
        environment, output = os.environ | self.environment, self.settings.log_dir / "engine.log"
        if self.forks and not program:
            self.engine = await forked(("serve",), environment, output)
        else:
            with output.open("ab") as log:
                self.engine = await asyncio.create_subprocess_exec(
                    *ends_with_us(), sys.executable, *(program or ("-m", "cli.main", "serve")),
                    env=environment, cwd=ROOT, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip
        if wait:
            await self._up(self.healthy, "the engine to be healthy", self.engine, "engine.log")

    async def signal_engine(self, number: signal.Signals) -> None:
        """kill -9, -STOP, -CONT …; after a deadly one the process is buried."""
        assert self.engine is not None
        self.engine.send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            await self.engine.wait()
            self.engine = None

    async def kill_switch(self) -> None:
        """kill -9 of Asterisk."""
        assert self.switch is not None
        self.switch.kill()
        await self.switch.wait()

    async def stop(self) -> None:
        """Phones, engine, Asterisk; all that was started."""
        for phone in self._phones:
            with suppress(Exception):
                await phone.close()
        for process, number in ((self.engine, signal.SIGTERM), (self.switch, signal.SIGKILL)):
            if process is not None and process.returncode is None:
                with suppress(ProcessLookupError):
                    process.send_signal(signal.SIGCONT)
                    process.send_signal(number)
                try:
                    await asyncio.wait_for(process.wait(), 10)
                except TimeoutError:
                    process.kill()
                    await process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to be part of this instance."""
        told = {f"HOTLINE_{key.upper()}": str(value) for key, value in self.settings.model_dump().items()}
        return told | {"PYTHONPATH": str(ROOT)}

    # The people around it

    def citizen(self) -> Citizen:
        """Somebody with a telephone."""
        citizen = Citizen(self.settings.bind, self.settings.sip_port)
        self._phones.append(citizen)
        return citizen

    async def seat(self, user: str = "8001", agent: str | None = None, **how: Any) -> SeatPhone:
        """A registered phone; with ``agent``, somebody signed in at it and ready."""
        phone = SeatPhone(
            self.settings.bind, self.settings.seat_sip_port, user, self.credentials.seat_passwords[user], **how
        )
        self._phones.append(phone)
        await phone.register()
        if agent is not None:
            await self.sign_in(agent, user)
        return phone

    async def sign_in(self, agent: str, seat: str) -> None:
        """Sign in over the control API and wait until the seat is ready."""
        await self.ask(f"/api/agents/{agent}/sign-in", {"seat": seat})
        await until(lambda: self.seat_is(seat, "ready"), f"seat {seat} to be ready")

    async def seat_is(self, seat: str, state: str) -> bool:
        rows = (await self.ask("/api/seats"))["seats"]
        return any(row["seat"] == seat and row["state"] == state for row in rows)

    async def centre(self, trunk: str, **how: Any) -> Centre:
        """What answers behind a trunk of the table, e.g. ``emergency-110``."""
        centre = Centre(self.table.trunks[trunk].port, **how)
        self._phones.append(centre)
        await centre.open()
        return centre

    # What can be asked

    async def ask(self, path: str, body: Mapping[str, Any] | None = None, *, seconds: float = 5) -> Any:
        """The control API; ``seconds`` is how long it may take to answer."""
        given = None if body is None else dict(body)
        asked = partial(call, seconds=seconds)
        return await asyncio.to_thread(asked, self.settings.control_port, self.credentials.api_token, path, given)

    async def healthy(self) -> bool:
        try:
            return bool((await self.ask("/api/status"))["healthy"])
        except (EngineUnreachable, Refused):
            return False

    async def cli(self, command: str) -> str:
        """What ``asterisk -rx`` prints; empty while no Asterisk is there.

        Asked on its own socket: another Asterisk, started for each question, takes a hundred times as long.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self.settings.run_dir / "asterisk.ctl")
                try:
                    writer.write(f"cli quit after {command}\0".encode())
                    answer = await reader.read()
                finally:
                    writer.close()
        except OSError:
            return ""
        return answer.partition(b"\n")[2].decode("utf-8", "replace")  # its name and version come first

    async def hotline(self, *arguments: str) -> tuple[int, str]:
        """Run a ``hotline`` command of this instance: exit status and what it printed."""
        if self.forks:
            return await self._hotline_forked(arguments)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", *arguments, env=os.environ | self.environment, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            out, _ = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        finally:
            if process.returncode is None:  # else it would go on and slow down whatever comes next
                process.kill()
                await process.wait()
        return process.returncode or 0, out.decode()

    async def _hotline_forked(self, arguments: Sequence[str]) -> tuple[int, str]:
        with tempfile.TemporaryDirectory(prefix="hl-said-") as folder:
            output = Path(folder) / "output"
            process = await forked(arguments, os.environ | self.environment, output)
            try:
                status = await asyncio.wait_for(process.wait(), COMMAND_SECONDS)
            finally:
                if process.returncode is None:  # else it would go on and slow down whatever comes next
                    process.kill()
                    await process.wait()
            return status, output.read_text()

    async def calls(self, limit: int = 1000) -> list[CallRecord]:
        """The ledger, newest first, whatever the engine does."""
        database = open_database(self.settings.database_url)
        try:
            folder = journal_folder(self.settings.data_dir)
            return await calls_now(database, folder, self.settings.node, CallFilter(limit=limit))
        finally:
            await database.close()

    async def facts(self, wanted: CallId) -> list[Fact]:
        """The story of one call."""
        database = open_database(self.settings.database_url)
        try:
            return await facts_now(database, journal_folder(self.settings.data_dir), self.settings.node, wanted)
        finally:
            await database.close()

    async def kinds(self, wanted: CallId) -> list[Kind]:
        return [fact.kind for fact in await self.facts(wanted)]

    async def channels(self) -> int:
        """How many channels are up."""
        return int((await self.cli("core show channels count")).split()[0])

    async def _up(
        self, true: Callable[[], Awaitable[bool]], what: str, process: asyncio.subprocess.Process | Forked, log: str
    ) -> None:
        """Wait for a process to be of use. Raises RuntimeError with the end of its log when it ends, or never is."""

        async def up_or_ended() -> bool:
            return await true() or process.returncode is not None

        try:
            await until(up_or_ended, what)
            if process.returncode is None:
                return
            why = f"exit status {process.returncode}"
        except TimeoutError as error:
            why = str(error)
        with suppress(EngineUnreachable, Refused):
            why += f"\n{await self.ask('/api/status')}"
        end = (self.settings.log_dir / log).read_bytes()[-_TOLD_BYTES:].decode("utf-8", "replace")
        raise RuntimeError(f"{what}: {why}\n{end}")

    async def _booted(self) -> bool:
        return "fully booted" in (await self.cli("core waitfullybooted")).lower()


@asynccontextmanager
async def product(
    home: Path, *, edit: Callable[[Table], Table] = lambda table: table, started: bool = True, forks: bool = False,
    **more: Any,
) -> AsyncIterator[Product]:  # fmt: skip
    """A prepared instance in ``home`` (a short path), by default running; stopped at the end.

    ``edit`` changes the sample table before it is published; trunks get free ports first. ``forks`` starts engines and
    commands in a tenth of the time; measurements do without.
    """
    settings = Settings(**(_free_settings(home) | more))
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / disk_reserve.FILE).touch()  # a quarter of a gigabyte, in memory perhaps
    if PROMPTS.exists():
        shutil.copytree(PROMPTS, settings.data_dir, dirs_exist_ok=True)
    await upgrade_empty(settings.database_url)
    database = open_database(settings.database_url)
    try:
        await load_rows(database, edit(_own_trunks(sample_table())))
        await publish_draft(database, settings.data_dir, "测试", "测试用路由表")
    finally:
        await database.close()
    asterisk = await asyncio.to_thread(find_asterisk, lambda line: None)
    plan, secrets = await prepared(settings, asterisk, lambda line: None)
    _keep_prompts(settings.data_dir)
    running = Product(settings, asterisk, plan, secrets, forks=forks)
    try:
        if started:
            await running.start_switch()
            await running.start_engine()
        yield running
    finally:
        await running.stop()


def free_settings(home: Path, **more: Any) -> Settings:
    """Settings of an instance in ``home`` with ports of its own."""
    return Settings(**(_free_settings(home) | more))


@asynccontextmanager
async def existing(settings: Settings, *, forks: bool = False) -> AsyncIterator[Product]:
    """A running instance on a data folder that is there already, as ``hotline up`` starts it; stopped at the end."""
    settings.log_dir.mkdir(parents=True, exist_ok=True)
    if PROMPTS.exists():
        shutil.copytree(PROMPTS, settings.data_dir, dirs_exist_ok=True)
    asterisk = await asyncio.to_thread(find_asterisk, lambda line: None)
    plan, secrets = await prepared(settings, asterisk, lambda line: None)
    running = Product(settings, asterisk, plan, secrets, forks=forks)
    try:
        await running.start_switch()
        await running.start_engine()
        yield running
    finally:
        await running.stop()


def ends_with_us() -> tuple[str, ...]:
    """Before a command: the kernel ends it when we are killed and can end nothing ourselves."""
    return ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


async def until(true: Callable[[], Awaitable[bool]], what: str, seconds: float = START_SECONDS) -> None:
    """Wait for something that only asking can tell. Raises TimeoutError saying what it was."""
    try:
        async with asyncio.timeout(seconds):
            while not await true():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TimeoutError(f"waited {seconds} s for {what}") from None


async def upgrade_empty(url: str) -> None:
    """An empty database at the newest schema; SQLite's is made once in each process and copied."""
    if not url.startswith(SQLITE):
        await upgrade(url)
        return
    if _TEMPLATE is None:
        await _make_template()
    assert _TEMPLATE is not None
    shutil.copyfile(_TEMPLATE, url.removeprefix(SQLITE))


async def _make_template() -> None:
    global _TEMPLATE  # noqa: PLW0603  made once, for all products
    folder = Path(tempfile.mkdtemp(prefix="hl-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    await upgrade(f"{SQLITE}{folder / 'hotline.db'}")
    _TEMPLATE = folder / "hotline.db"


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def _own_trunks(table: Table) -> Table:
    """Every far end on a port that is free here, so that instances run side by side."""
    ports = iter(free_ports(len(table.trunks), socket.SOCK_DGRAM))
    return replace(
        table,
        trunks=tuple(replace(trunk, port=next(ports)) for trunk in table.trunks),
    )


def _free_settings(home: Path) -> dict[str, Any]:
    tcp = free_ports(6, socket.SOCK_STREAM)
    udp = free_ports(2, socket.SOCK_DGRAM)
    rtp = own_slice().rtp
    return {
        "data_dir": home,
        "control_port": tcp[0],
        "asterisk_http_port": tcp[1],
        "ami_port": tcp[2],
        "fastagi_port": tcp[3],
        "http_port": tcp[4],
        "health_port": tcp[5],
        "sip_port": udp[0],
        "seat_sip_port": udp[1],
        "rtp_start": rtp.start,
        "rtp_end": rtp.stop - 1,
        "push_local": True,  # receivers of tests listen here
        "phone_shows": "number",  # by which a test tells the callers at a phone apart
        "caller_silence_seconds": 0,  # phones of tests and measurements need not send what nobody listens to
    }


def _keep_prompts(data_dir: Path) -> None:
    """Add what was built anew to the store, each file in one step and the list of them last: others copy it now."""
    found = [path for folder in ("sounds-16k", "moh", "sounds") for path in sorted((data_dir / folder).rglob("*.*"))]
    for path in sorted(found, key=lambda path: path.name == manifest.NAME):
        kept = PROMPTS / path.relative_to(data_dir)
        if kept.exists() and kept.stat().st_size == path.stat().st_size and kept.read_bytes() == path.read_bytes():
            continue
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_name(f".{kept.name}.{os.getpid()}")
        shutil.copyfile(path, draft)
        draft.replace(kept)
