"""A version put in force where calls run: prompts built, Asterisk widened and verified, the one reference swapped.

One job: be the :class:`routing.publish.Field` of a running engine. Up to the swap everything is laid ready beside what
the old version needs: Asterisk has the queues, phones and trunks of both. Afterwards what only the old version needs is
taken away, as soon as no call lives that began under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import structlog

from asterisk_conf.bundle import Asterisk, installed_asterisk
from asterisk_conf.live import SwitchNotFollowing, bring, expressions, verify
from asterisk_conf.render import handed_over
from engine.credentials import credentials
from engine.engine import Engine
from engine.plan import switch_home, switch_plan
from engine.settings import Settings
from engine.voices import NEXT, Voices, alone, clear, said, sounds, speak
from ivr.audio import ToolMissing
from ivr.build import build
from ivr.catalogue import CatalogueFault, Prompt, catalogue
from routing.model import Snapshot
from routing.publish import PublishRefused
from telephony.errors import AmiError, AmiRefused

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

UNPLACED: Final = "prompts-unplaced"
"""The alarm for sounds that a publish could not put where the switch plays them."""
SHOWN: Final = 5
"""At most so many prompts, and what is wrong with them, stand in a refusal."""

NARROW_CHECK_SECONDS: Final = 1.0
NARROW_AT_LAST_SECONDS: Final = 3600.0
"""A call that lasts longer than this loses what only its version needs: a trunk nobody else may use any more."""


@dataclass
class LiveField:
    """Of one node."""

    settings: Settings
    engine: Engine
    _asterisk: Asterisk | None = None
    _given: Snapshot | None = None
    """While a publish is under way: what Asterisk has been given for it."""
    _wide: Snapshot | None = None
    """What Asterisk has, while that is more than the version in force needs."""
    _unread: bool = False
    """Asterisk may not have read its files as they are."""
    _bringing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _voices: Voices | None = None
    _said: tuple[Snapshot, Mapping[str, Prompt]] | None = None
    """What the version looked at last says: with ten thousand numbers it is not put together thrice."""
    _narrowing: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def version(self) -> int:
        return self.engine.snapshot.version

    async def apply(self, new: Snapshot) -> None:
        """Prompts spoken beside those in force, and the switch with what both versions need. Raises PublishRefused."""
        old = self.engine.snapshot
        await asyncio.to_thread(self._speak, old, new)
        if not _switch_differs(old, new):
            return
        if not self.engine.switch.up:
            raise PublishRefused(
                "Asterisk 没有连上，无法核实话机、中继和技能组的改动；请待其恢复（./hotline status）后再发布"
            )
        try:
            async with self._bringing:
                self._given = widened(self._wide or old, new)
                await self._bring(self._given)
            await verify(self._given, self._ask)
        except (SwitchNotFollowing, AmiError, OSError) as error:
            raise PublishRefused(f"{error}；没有发布，仍用版本 {old.version}。请看 log/asterisk.log 后再试") from error

    async def abandon(self) -> None:
        """Asterisk as it was before. A failure leaves it with more than it needs, and is logged."""
        self._voices = None
        await asyncio.to_thread(clear, self.settings.data_dir)
        if self._given is not None:
            self._given = None
            await self._give(self._wide or self.engine.snapshot)
            if self._wide is not None:
                self._narrow_later()

    async def swap(self, new: Snapshot) -> None:
        """The voices and the one reference; then who is signed in follows the new table."""
        old, voices, self._voices = self.engine.snapshot, self._voices, None
        if voices is not None:
            try:
                await asyncio.to_thread(voices.put)
            except OSError as error:
                log.error("prompts not put in their place", reason=str(error))
                wrong = f"新发布的提示音没有放到位（{error.strerror or error}）"
                self.engine.alarms.renew(UNPLACED, f"{wrong}；请检查磁盘，再运行 ./hotline prompts build")
            else:
                self.engine.alarms.clear(UNPLACED)
        await self.engine.repertoire.take(self._catalogue(new))
        self.engine.take(new)
        if self._given is None and handed_over(old) != handed_over(new):
            self._later(self._fence(replace(self._wide or new, numbers=new.numbers)))
        self._wide, self._given = self._given or self._wide, None
        if self._wide is not None:
            self._narrow_later()

    async def settle(self) -> None:
        """At a start: voices and Asterisk as the version in force needs them, whatever a crash left behind."""
        await asyncio.to_thread(self._say_all)
        if (switch_home(self.settings.data_dir) / "etc" / "asterisk.conf").exists():  # else it runs elsewhere
            await self._narrow()

    async def stop(self) -> None:
        """What is not narrowed yet is at the next start."""
        for task in self._narrowing:
            task.cancel()
        await asyncio.gather(*self._narrowing, return_exceptions=True)

    def _speak(self, old: Snapshot, new: Snapshot) -> None:
        """Lay the prompts ready that the new version says and the old one does not. Raises PublishRefused."""
        try:
            had, new_ones = (said(self.settings.data_dir, self._catalogue(table)) for table in (old, new))
            heard = _heard(self.settings.data_dir)
            missing = {
                name: prompt for name, prompt in new_ones.items() if had.get(name) != prompt or name not in heard
            }
            if missing:
                self._voices = speak(self.settings.data_dir, missing)
                for fault in self._voices.faults:
                    log.warning("prompt not as it should be", fault=fault)
                if lacking := sorted(missing.keys() - _heard(self.settings.data_dir / NEXT)):
                    faults = "；".join(self._voices.faults[:SHOWN])
                    raise PublishRefused(
                        f"有提示音没有生成，来电人会听不到：{'、'.join(lacking[:SHOWN])}（{faults}）；"
                        f"没有发布，仍用版本 {old.version}"
                    )
        except (CatalogueFault, ToolMissing, OSError) as error:
            raise PublishRefused(f"提示音生成不了：{error}；没有发布，仍用版本 {old.version}") from error

    def _catalogue(self, table: Snapshot) -> Mapping[str, Prompt]:
        if self._said is None or self._said[0] is not table:
            self._said = table, catalogue(table, self.settings.city)
        return self._said[1]

    def _say_all(self) -> None:
        """What a crash between a publish and its voices left unsaid."""
        clear(self.settings.data_dir)
        try:
            with alone(self.settings.data_dir):
                build(self.settings.data_dir, said(self.settings.data_dir, self._catalogue(self.engine.snapshot)))
        except (CatalogueFault, ToolMissing, OSError) as error:
            log.error("prompts not built", reason=str(error))

    def _narrow_later(self) -> None:
        self._later(self._narrow_when_quiet(self.engine.snapshot.version))

    async def _fence(self, table: Snapshot) -> None:
        """Only the numbers differ that a centre may hand a citizen over to. No call that begins now needs them, so a
        publish does not wait for it, and a switch that is away reads them when it starts."""
        await self._give(table)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._narrowing.add(task)
        task.add_done_callback(self._narrowing.discard)

    async def _narrow_when_quiet(self, version: int) -> None:
        """A later version, or a publish that fails meanwhile, sees to it itself."""
        loop = asyncio.get_running_loop()
        last = loop.time() + NARROW_AT_LAST_SECONDS
        while self.engine.calls.before(version) and loop.time() < last:  # noqa: ASYNC110  looked at now and then will do
            await asyncio.sleep(NARROW_CHECK_SECONDS)
        if self.engine.snapshot.version == version:
            await self._narrow()

    async def _narrow(self) -> None:
        """Only what the version in force needs; not in the middle of a publish."""
        if self._given is None and await self._give(self.engine.snapshot):
            self._wide = None

    async def _give(self, table: Snapshot) -> bool:
        """Whether Asterisk has it now; a failure is logged."""
        try:
            async with self._bringing:
                if self._given is None:
                    await self._bring(table)
                return self._given is None
        except (SwitchNotFollowing, OSError) as error:
            log.error("Asterisk left with more than the table needs", reason=str(error))
            return False

    async def _bring(self, table: Snapshot) -> None:
        if not (switch_home(self.settings.data_dir) / "etc" / "asterisk.conf").exists():
            raise SwitchNotFollowing("这台机器上没有 Asterisk 的配置；请先运行 ./hotline up")
        if self._asterisk is None:
            self._asterisk = await asyncio.to_thread(installed_asterisk)
        if self._asterisk is None:
            raise SwitchNotFollowing("这台机器上找不到 Asterisk；请运行 ./hotline doctor")
        secrets = await asyncio.to_thread(credentials, self.settings.data_dir, table.seats)
        unread, self._unread = self._unread, True
        plan = switch_plan(self.settings, secrets, table, self._asterisk)
        if await bring(plan, self._asterisk, unread=unread):
            log.info("Asterisk configuration changed", version=table.version)
        self._unread = False

    async def _ask(self, expression: str) -> str:
        try:
            return (await self.engine.switch.send("Getvar", {"Variable": expression})).get("Value") or ""
        except AmiRefused:  # no such object
            return ""


def widened(old: Snapshot, new: Snapshot) -> Snapshot:
    """The new table, and beside it the queues, phones and trunks that calls of the old one still need."""
    return replace(
        new,
        groups={**old.groups, **new.groups},
        trunks={**old.trunks, **new.trunks},
        partners={**old.partners, **new.partners},
        seats=(*new.seats, *(seat for seat in old.seats if seat not in new.seats)),
        waiting_keys={**old.waiting_keys, **new.waiting_keys},
        self_service={**old.self_service, **new.self_service},
    )


def _heard(data_dir: Path) -> frozenset[str]:
    """What has a sound; nothing where nothing was made yet."""
    try:
        return sounds(data_dir)
    except FileNotFoundError:
        return frozenset()


def _dialled(table: Snapshot) -> set[tuple[object, ...]]:
    """What of the partners is in the dialplan; their hours and names are not."""
    return {(row.id, row.key, row.trunks, row.ring_seconds) for row in table.partners.values()}


def _switch_differs(old: Snapshot, new: Snapshot) -> bool:
    """Whether Asterisk's configuration could: numbers, schedules and prompts are not in it."""
    return (
        set(expressions(old)) != set(expressions(new))
        or old.trunks != new.trunks
        or _dialled(old) != _dialled(new)
        or old.auto_answer != new.auto_answer
        or {*old.waiting_keys, *old.self_service} != {*new.waiting_keys, *new.self_service}
        or old.message != new.message
        or {row.list for row in old.callers.values()} != {row.list for row in new.callers.values()}
        or old.agents != new.agents
        or old.groups != new.groups
    )
