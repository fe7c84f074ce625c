"""A version put in force where calls run: prompts built, Asterisk widened and verified, the one reference swapped.

One job: be the :class:`routing.publish.PublishTarget` of a running engine. Up to the swap everything is laid ready
beside what the old version needs: Asterisk has the queues, phones and trunks of both. Afterwards what only the old
version needs is taken away, as soon as no call lives that began under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import structlog

from asterisk_conf.apply import SwitchNotFollowing, bring, expressions, verify
from asterisk_conf.bundle import Asterisk, installed_asterisk
from asterisk_conf.plan import switch_home, switch_plan
from asterisk_conf.render import handed_over
from config.credentials import credentials
from config.settings import Settings
from config.tasks import run_supervised
from engine.engine import Engine
from ivr.prompts.audio import ToolMissing
from ivr.prompts.build import due
from ivr.prompts.catalogue import CatalogueFault, Kind, Prompt, catalogue, is_whisper
from ivr.prompts.staging import (
    NEXT,
    StagedPrompts,
    current_wordings,
    discard_staged,
    sounds,
    speak_in_place,
    synthesise,
)
from routing.beside import BESIDE
from routing.model import Snapshot
from routing.publish import PublishRefused
from telephony.errors import AmiError, AmiRefused

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

UNPLACED: Final = "prompts-unplaced"
"""The alarm for sounds that a publish could not put where the switch plays them."""
SHOWN: Final = 5
"""At most so many prompts, and what is wrong with them, stand in a refusal."""

SPOKEN_FIRST: Final = 500
"""So many new prompts of old numbers are spoken before the version is in force: some ten seconds on two cores."""
SPOKEN_AT_ONCE: Final = 200

NARROW_CHECK_SECONDS: Final = 1.0
NARROW_AT_LAST_SECONDS: Final = 3600.0
"""A call that lasts longer than this loses what only its version needs: a trunk nobody else may use any more."""


@dataclass
class RunningEngineTarget:
    """Of one node."""

    settings: Settings
    engine: Engine
    _asterisk: Asterisk | None = None
    _applied: Snapshot | None = None
    """While a publish is under way: what Asterisk has been given for it."""
    _superset: Snapshot | None = None
    """What Asterisk has, while that is more than the version in force needs."""
    _reload_pending: bool = False
    """Asterisk may not have read its files as they are."""
    _config_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _voices: StagedPrompts | None = None
    _said: tuple[Snapshot, Mapping[str, Prompt]] | None = None
    """What the version looked at last says: with ten thousand numbers it is not put together thrice."""
    _narrowing: set[asyncio.Task[None]] = field(default_factory=set)
    _later_voices: Mapping[str, Prompt] = field(default_factory=dict)
    """Of the version being published: what is to be spoken when it is in force."""
    _unspoken: Mapping[str, Prompt] = field(default_factory=dict)
    """The same of the version in force; looked at anew by whoever speaks them."""
    _speaking: asyncio.Task[None] | None = None

    @property
    def version(self) -> int:
        return self.engine.snapshot.version

    async def apply(self, new: Snapshot) -> None:
        """Prompts spoken beside those in force, and the switch with what both versions need. Raises PublishRefused."""
        old = self.engine.snapshot
        await self._speak(old, new)
        if not _switch_differs(old, new):
            return
        if not self.engine.switch.up:
            raise PublishRefused(
                "Asterisk 没有连上，无法核实话机、线路和技能组的改动；请待其恢复（./hotline status）后再发布"
            )
        try:
            async with self._config_lock:
                self._applied = superset_of(self._superset or old, new)
                await self._bring(self._applied)
            await verify(self._applied, self._ask)
        except (SwitchNotFollowing, AmiError, OSError) as error:
            raise PublishRefused(f"{error}；没有发布，仍用版本 {old.version}。请看 log/asterisk.log 后再试") from error

    async def rollback(self) -> None:
        """Asterisk as it was before. A failure leaves it with more than it needs, and is logged."""
        self._voices, self._later_voices = None, {}
        await asyncio.to_thread(discard_staged, self.settings.data_dir)
        if self._applied is not None:
            self._applied = None
            await self._apply(self._superset or self.engine.snapshot)
            if self._superset is not None:
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
        self._leave(self._later_voices, new.greeting)
        self._later_voices = {}
        await self.engine.repertoire.take(self._catalogue(new))
        self.engine.activate(new)
        self._speak_on()
        if self._applied is None and handed_over(old) != handed_over(new):
            self._later(self._update_transfer_targets(replace(self._superset or new, numbers=new.numbers)))
        self._superset, self._applied = self._applied or self._superset, None
        if self._superset is not None:
            self._narrow_later()

    async def converge_at_start(self) -> None:
        """At a start: voices and Asterisk as the version in force needs them, whatever a crash left behind."""
        await self._say_all()
        if (switch_home(self.settings.data_dir) / "etc" / "asterisk.conf").exists():  # else it runs elsewhere
            await self._remove_obsolete()

    async def stop(self) -> None:
        """What is not narrowed or spoken yet is at the next start."""
        tasks = [*self._narrowing, *([self._speaking] if self._speaking else [])]
        for task in tasks:
            task.cancel()
        BESIDE.stop()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _speak(self, old: Snapshot, new: Snapshot) -> None:
        """Lay the prompts ready that the new version says and the old one does not. Raises PublishRefused.

        Very many of old numbers are left for later, if the settings allow that.
        """
        try:
            missing = await asyncio.to_thread(self._missing, old, new)
            now, self._later_voices = self._in_turn(missing)
            if now:
                self._voices = await BESIDE.run(synthesise, self.settings.data_dir, now)
                for fault in self._voices.faults:
                    log.warning("prompt not as it should be", fault=fault)
                there = await asyncio.to_thread(_heard, self.settings.data_dir / NEXT)
                if lacking := sorted(now.keys() - there):
                    faults = "；".join(self._voices.faults[:SHOWN])
                    raise PublishRefused(
                        f"有提示音没有生成，来电人会听不到：{'、'.join(lacking[:SHOWN])}（{faults}）；"
                        f"没有发布，仍用版本 {old.version}"
                    )
        except (CatalogueFault, ToolMissing, OSError, BrokenProcessPool) as error:
            raise PublishRefused(f"提示音生成不了：{error}；没有发布，仍用版本 {old.version}") from error

    def _missing(self, old: Snapshot, new: Snapshot) -> Mapping[str, Prompt]:
        had, wanted = (current_wordings(self.settings.data_dir, self._catalogue(table)) for table in (old, new))
        heard = _heard(self.settings.data_dir) - self._unspoken.keys()
        return {name: prompt for name, prompt in wanted.items() if had.get(name) != prompt or name not in heard}

    def _in_turn(self, missing: Mapping[str, Prompt]) -> tuple[Mapping[str, Prompt], Mapping[str, Prompt]]:
        """What is to be spoken before the version is in force, and what may be spoken later."""
        later = {name: prompt for name, prompt in missing.items() if of_number(prompt)}
        if not self.settings.publish_before_prompts or len(later) <= SPOKEN_FIRST:
            return missing, {}
        return {name: prompt for name, prompt in missing.items() if name not in later}, later

    def _catalogue(self, table: Snapshot) -> Mapping[str, Prompt]:
        if self._said is None or self._said[0] is not table:
            self._said = table, catalogue(table, self.settings.city)
        return self._said[1]

    async def _say_all(self) -> None:
        """At a start: what is not spoken yet, because a crash came between or the prompts are very many."""
        folder, table = self.settings.data_dir, self.engine.snapshot
        try:
            await asyncio.to_thread(discard_staged, folder)
            wanted = current_wordings(folder, await asyncio.to_thread(self._catalogue, table))
            names = await asyncio.to_thread(due, folder, wanted)
            now, later = self._in_turn({name: wanted[name] for name in names if name in wanted})
            self._leave(later, table.greeting)
            if names:
                await BESIDE.run(speak_in_place, folder, now)
        except (CatalogueFault, ToolMissing, OSError, BrokenProcessPool) as error:
            log.error("prompts not built", reason=str(error))
        self._speak_on()

    def _leave(self, unspoken: Mapping[str, Prompt], greeting: str) -> None:
        """To be spoken later; until then callers hear the greeting, and agents nothing."""
        self._unspoken = unspoken
        self.engine.repertoire.leave_unspoken(
            {name: greeting if prompt.kind is Kind.TRANSITION else "" for name, prompt in unspoken.items()}
        )

    def _speak_on(self) -> None:
        """Begin to speak what is left, unless somebody does."""
        if self._unspoken and (self._speaking is None or self._speaking.done()):
            self._speaking = run_supervised("prompts of old numbers", self._speak_the_rest)

    async def _speak_the_rest(self) -> None:
        """Some at a time, each heard as soon as it is there. A publish meanwhile changes what is left."""
        while self._unspoken:
            some = dict(islice(self._unspoken.items(), SPOKEN_AT_ONCE))
            for fault in await BESIDE.run(speak_in_place, self.settings.data_dir, some):
                log.warning("prompt not as it should be", fault=fault)
            await self.engine.repertoire.look()
            left = {name: prompt for name, prompt in self._unspoken.items() if some.get(name) != prompt}
            self._leave(left, self.engine.snapshot.greeting)
            log.info("prompts of old numbers spoken", now=len(some), left=len(left))

    def _narrow_later(self) -> None:
        self._later(self._narrow_when_quiet(self.engine.snapshot.version))

    async def _update_transfer_targets(self, table: Snapshot) -> None:
        """Only the numbers differ that a centre may hand a citizen over to. No call that begins now needs them, so a
        publish does not wait for it, and a switch that is away reads them when it starts."""
        await self._apply(table)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._narrowing.add(task)
        task.add_done_callback(self._narrowing.discard)

    async def _narrow_when_quiet(self, version: int) -> None:
        """A later version, or a publish that fails meanwhile, sees to it itself."""
        loop = asyncio.get_running_loop()
        last = loop.time() + NARROW_AT_LAST_SECONDS
        while self.engine.calls.has_calls_before(version) and loop.time() < last:  # noqa: ASYNC110  looked at now and then will do
            await asyncio.sleep(NARROW_CHECK_SECONDS)
        if self.engine.snapshot.version == version:
            await self._remove_obsolete()

    async def _remove_obsolete(self) -> None:
        """Only what the version in force needs; not in the middle of a publish."""
        if self._applied is None and await self._apply(self.engine.snapshot):
            self._superset = None

    async def _apply(self, table: Snapshot) -> bool:
        """Whether Asterisk has it now; a failure is logged."""
        try:
            async with self._config_lock:
                if self._applied is None:
                    await self._bring(table)
                return self._applied is None
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
        unread, self._reload_pending = self._reload_pending, True
        plan = switch_plan(self.settings, secrets, table, self._asterisk)
        if await bring(plan, self._asterisk, unread=unread):
            log.info("Asterisk configuration changed", version=table.version)
        self._reload_pending = False

    async def _ask(self, expression: str) -> str:
        try:
            return (await self.engine.switch.send("Getvar", {"Variable": expression})).get("Value") or ""
        except AmiRefused:  # no such object
            return ""


def of_number(prompt: Prompt) -> bool:
    """Whether only callers of one old number, or who answers them, hear it: there may be ten thousand of these."""
    return prompt.kind is Kind.TRANSITION or is_whisper(prompt.id)


def superset_of(old: Snapshot, new: Snapshot) -> Snapshot:
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
