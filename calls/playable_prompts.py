"""What can be played now: the prompts that the tables in use name, of which the switch has the sound.

One job: one named object that whoever asks holds, so that a publish is known everywhere at once; and the alarm for what
callers were to hear and did not. A bare set that several hold is replaced unseen by ``|=``; this cannot be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import structlog

from calls.registry import Calls
from ivr.prompts.catalogue import PROMPT_ID
from ivr.prompts.staging import sounds
from ledger.alarms import Alarms
from ledger.model import Kind
from queues.service import Clock
from telephony.model import CallId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 20.0
REMEMBERED_MS: Final = 600_000
"""How long the alarm stands after the switch could last not play something."""
ALARM: Final = "prompts-missing"
NAMED: Final = 5
"""At most so many prompts stand in the alarm's text."""


class Repertoire:
    """Of one node. ``in`` says whether a prompt is named by a table in use and has its sound."""

    def __init__(self, data_dir: Path, prompts: Iterable[str], calls: Calls, alarms: Alarms, clock: Clock) -> None:
        self._data_dir = data_dir
        self._wanted = frozenset(prompts)
        """Named by the version in force."""
        self._named = set(self._wanted)
        """Of earlier versions, too: their calls may still be up."""
        self._here: frozenset[str] | None = None
        """With a sound, at the last look; None when nobody could look, and everything is taken to be there."""
        self._unspoken: Mapping[str, str] = {}
        """Of the version in force, still to be spoken, with what is played instead; empty: nothing."""
        self._failed: dict[str, int] = {}
        """What the switch could not play, and when."""
        self._calls = calls
        self._alarms = alarms
        self._clock = clock

    def __contains__(self, prompt: object) -> bool:
        return prompt in self._named and prompt not in self._unspoken and (self._here is None or prompt in self._here)

    def missing(self) -> list[str]:
        """What the version in force names and nobody can hear."""
        return sorted(prompt for prompt in self._wanted if prompt not in self and prompt not in self._unspoken)

    def leave_unspoken(self, unspoken: Mapping[str, str]) -> None:
        """These are spoken later, see engine/publish_target.py; until then what stands for each is played."""
        self._unspoken = unspoken

    def heard(self, prompts: tuple[str, ...]) -> tuple[str, ...]:
        """What is played for these: the same, but for those that are not spoken yet; what stands for several, once."""
        if self._unspoken.keys().isdisjoint(prompts):
            return prompts
        found: list[str] = []
        for prompt in prompts:
            played = self._unspoken.get(prompt, prompt)
            if played and (played == prompt or played not in found):
                found.append(played)
        return tuple(found)

    async def run(self) -> None:
        """For ever: a sound that is lost is known before a caller misses it."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def take(self, prompts: Iterable[str]) -> None:
        """Another version is about to come into force, its sounds in their place."""
        self._wanted = frozenset(prompts)
        self._named.update(self._wanted)
        await self.look()

    async def look(self) -> None:
        """Which sounds are there."""
        try:
            self._here = await asyncio.to_thread(sounds, self._data_dir)
        except OSError as error:
            log.warning("sounds not looked at", reason=str(error))
        self._tell()

    def unheard(self, call: CallId, prompts: Iterable[str], why: str) -> None:
        """A caller was to hear these and did not; ``why``: missing, or the switch could not play one of them."""
        told = [prompt for prompt in prompts if PROMPT_ID.fullmatch(prompt)]
        lacking = [prompt for prompt in told if prompt not in self] or told
        self._failed.update(dict.fromkeys(lacking, self._clock()))
        log.error("prompts not heard", prompts=lacking, call=call, why=why)
        if call in self._calls.live:  # else the key of an agent's idle phone
            self._calls.record_fact(Kind.UNPLAYED, call, prompts=lacking, why=why)
        self._tell()

    def _tell(self) -> None:
        now = self._clock()
        self._failed = {prompt: at for prompt, at in self._failed.items() if now - at < REMEMBERED_MS}
        lacking = sorted({*self.missing(), *self._failed})
        if not lacking:
            self._alarms.clear(ALARM)
            return
        shown = "、".join(lacking[:NAMED]) + (f" 等 {len(lacking)} 段" if len(lacking) > NAMED else "")
        self._alarms.renew(ALARM, f"提示音放不出来，来电人听不到：{shown}；请运行 ./hotline prompts build 后再试打")
