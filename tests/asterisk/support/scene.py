"""One product for a whole test module, left by every test as it was found: nobody signed in, no channel up."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from ledger.model import Fact, Kind
from ledger.records import CallRecord
from phones.centre import Centre
from phones.g711 import decode
from phones.phone import Answer, PhoneCall
from phones.seat_phone import SeatPhone
from phones.tones import similarity, tone_share
from routing.calendar import CITY
from routing.model import Agent, Group, LegacyNumber, Schedule, Table
from telephony.model import GroupId
from tests.asterisk.support.product import ROUND_THE_CLOCK, Product, product
from tests.support.patience import PATIENCE

RATE = 8000
"""Samples a second."""
ALL_WEEK = frozenset(range(1, 8))
ALWAYS = Schedule("always", "全天", ROUND_THE_CLOCK, ROUND_THE_CLOCK)
NEVER = Schedule("never", "从不", ())


ASK_SECONDS = 0.2
"""Pause between two looks into the ledger: each opens the database, and two cores carry a whole hotline."""


async def until(true: Callable[[], Awaitable[bool]], what: str, seconds: float = 20) -> None:
    """Wait for something that only asking can tell. Raises TimeoutError saying what it was."""
    try:
        async with asyncio.timeout(seconds * PATIENCE):
            while not await true():
                await asyncio.sleep(ASK_SECONDS)
    except TimeoutError:
        raise TimeoutError(f"waited {seconds} s for {what}") from None


def today() -> date:
    """Today on the city's clock."""
    return datetime.now(UTC).astimezone(CITY).date()


def day(offset: int) -> date:
    return today() + timedelta(days=offset)


def rows(table: Table, changes: dict[str, dict[str, Any]]) -> Table:
    """Edit legacy numbers: number to changed fields."""
    return replace(table, numbers=tuple(replace(row, **changes.get(row.number, {})) for row in table.numbers))


def number_row(table: Table, number: str) -> LegacyNumber:
    return next(row for row in table.numbers if row.number == number)


def with_groups(table: Table, *, ring_seconds: int = 20, wrap_up_seconds: int = 0) -> Table:
    """Every group rings and rests like this."""
    groups = tuple(Group(group.id, group.name, ring_seconds, wrap_up_seconds) for group in table.groups)
    return replace(table, groups=groups)


def with_agents(table: Table, groups: Mapping[str, tuple[str, ...]]) -> Table:
    """Only these agents, in these groups."""
    agents = tuple(Agent(agent, f"座席{agent}", tuple(map(GroupId, names))) for agent, names in groups.items())
    return replace(table, agents=agents)


def with_schedules(table: Table, *schedules: Schedule) -> Table:
    """Add schedules, or replace those of the same id."""
    ids = {schedule.id for schedule in schedules}
    kept = tuple(schedule for schedule in table.schedules if schedule.id not in ids)
    return replace(table, schedules=(*kept, *schedules))


@dataclass
class Scene:
    """The product with what tests ask again and again."""

    hotline: Product
    day: str = ""
    """What the module says of today."""
    _prompts: dict[str, array[int]] = field(default_factory=dict)

    # Sound

    def prompt(self, name: str) -> array[int]:
        """A built prompt as samples."""
        if name not in self._prompts:
            self._prompts[name] = decode((self.hotline.plan.sounds / "zh-CN" / f"{name}.alaw").read_bytes())
        return self._prompts[name]

    def heard(self, call: PhoneCall, prompt: str, since: float | None = None, until: float | None = None) -> float:
        """How surely this prompt was heard."""
        return similarity(call.heard.pcm(since, until), self.prompt(prompt))

    def likeliest(self, call: PhoneCall, prompts: Iterable[str]) -> str:
        """The prompt that was heard; empty when none was."""
        pcm = call.heard.pcm()
        shares = {name: similarity(pcm, self.prompt(name)) for name in prompts}
        best = max(shares, key=lambda name: shares[name])
        return best if shares[best] > 0.75 else ""

    # People

    async def agent(self, agent: str, seat: str, hz: float = 880, **how: Any) -> SeatPhone:
        """Somebody at a seat, with a voice of its own; ready, or already rung for somebody who waits."""
        phone = await self.hotline.seat(seat, tone_hz=hz, **how)
        await self.hotline.ask(f"/api/agents/{agent}/sign-in", {"seat": seat})
        await until(lambda: self._on_duty(seat), f"seat {seat} to be on duty")
        return phone

    async def _on_duty(self, seat: str) -> bool:
        return await self.state(seat) in ("ready", "reserved", "ringing", "talking")

    async def far_end(self, trunk: str, *, noticed: bool = True, **how: Any) -> Centre:
        """A centre or sub-centre at its trunk; the switch has found it by OPTIONS when ``noticed``."""
        centre = await self.hotline.centre(trunk, **how)
        if noticed:
            await self.notice(trunk, "Avail")
        return centre

    async def notice(self, *trunks_and_state: str) -> None:
        """Let the switch ask these trunks now, not at its next turn, whether they are Avail or Unavail."""
        *trunks, state = trunks_and_state
        for trunk in trunks:
            await self.hotline.cli(f"pjsip qualify {trunk}")

        async def noticed() -> bool:
            shown = [await self.hotline.cli(f"pjsip show aor {trunk}") for trunk in trunks]
            return all(f" {state} " in text for text in shown)

        await until(noticed, f"{trunks} to be {state}")

    async def state(self, seat: str) -> str:
        found = (await self.hotline.ask("/api/seats"))["seats"]
        return next((str(row["state"]) for row in found if row["seat"] == seat), "")

    async def seat_becomes(self, seat: str, state: str, seconds: float = 20) -> None:
        await until(lambda: self.hotline.seat_is(seat, state), f"seat {seat} to be {state}", seconds)

    # Ledger

    async def record(self, caller: str) -> CallRecord | None:
        """What the ledger says of the latest call of this caller."""
        return next((record for record in await self.hotline.calls() if record.caller == caller), None)

    async def told(
        self, caller: str, true: Callable[[CallRecord], bool] = lambda record: record.ended_at is not None,
        seconds: float = 20,
    ) -> CallRecord:  # fmt: skip
        """The caller's record, once the ledger says so; by default once the call has ended."""
        found: list[CallRecord] = []

        async def said() -> bool:
            record = await self.record(caller)
            if record is not None and true(record):
                found.append(record)
            return bool(found)

        try:
            await until(said, f"the ledger to tell of {caller}", seconds)
        except TimeoutError:
            raise TimeoutError(f"the ledger does not tell that of {caller}: {await self.record(caller)}") from None
        return found[0]

    async def story(self, caller: str) -> list[Fact]:
        """All facts of this caller's latest call."""
        record = await self.record(caller)
        return [] if record is None else await self.hotline.facts(record.call)

    async def fact(self, caller: str, kind: Kind, seconds: float = 20, **data: Any) -> Fact:
        """The first such fact of this caller's call, once it is told."""
        found: list[Fact] = []

        async def said() -> bool:
            for fact in await self.story(caller):
                if fact.kind is kind and all(fact.data.get(key) == value for key, value in data.items()):
                    found.append(fact)
                    return True
            return False

        try:
            await until(said, f"{kind} {data} of {caller}", seconds)
        except TimeoutError:
            story = [(str(fact.kind), dict(fact.data)) for fact in await self.story(caller)]
            raise TimeoutError(f"no {kind} {data} of {caller}: {story}") from None
        return found[0]

    # Rest

    async def quiet(self) -> None:
        """No channel is left. Raises TimeoutError naming those that are."""
        try:
            await until(self._no_channels, "all channels to end", 15)
        except TimeoutError:
            raise TimeoutError(await self.hotline.cli("core show channels concise")) from None

    async def _no_channels(self) -> bool:
        return await self.hotline.channels() == 0

    async def clear(self) -> None:
        """Everybody goes home. Raises when a call stays behind."""
        for phone in self.hotline._phones:
            with suppress(Exception):
                await phone.close()
        self.hotline._phones.clear()
        if self.hotline.engine is None:
            await self.hotline.start_engine()
        await self.quiet()
        for row in (await self.hotline.ask("/api/agents"))["agents"]:
            if row["seat"] is not None:
                await self.hotline.ask(f"/api/agents/{row['agent']}/sign-out", {})
        await until(self._all_signed_out, "everybody to sign out")

    async def _all_signed_out(self) -> bool:
        return all(row["seat"] is None for row in (await self.hotline.ask("/api/agents"))["agents"])


@asynccontextmanager
async def scene(edit: Callable[[Table], Table], **settings: Any) -> AsyncIterator[Scene]:
    """A running product with the edited sample table, for a whole module."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home, edit=edit, **settings) as running:
            yield Scene(running)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def soon(true: Callable[[], bool], what: str, seconds: float = 20) -> None:
    """Wait for something that is known here. ``true`` is asked in a thread: looking for a prompt in a long recording
    takes tens of milliseconds, and meanwhile every phone of the test would be silent and deaf.
    """

    async def asked() -> bool:
        return await asyncio.to_thread(true)

    await until(asked, what, seconds)


async def all_of(*work: Awaitable[Any]) -> list[Any]:
    """Everything at once; the first fault is raised when all have ended, so that nothing is left running."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return list(results)


def hears(call: PhoneCall, hz: float, since: float, until: float) -> float:
    """The share of this time in which the tone was heard."""
    return tone_share(call.heard.pcm(since, until), hz)


async def comes_to_hear(call: PhoneCall, hz: float, seconds: float = 20) -> None:
    """This phone hears the tone, for a whole second."""

    def for_a_second() -> bool:
        now = monotonic()
        return hears(call, hz, now - 1.2, now - 0.2) > 0.8

    await soon(for_a_second, f"{hz} Hz to be heard in the call of {call.caller}", seconds)


HEARD_SHARE = 0.7
"""Of a second: somebody who does not hear the other has none of it, and a conference drops frames on a busy machine.
How smooth sound is, is measured by tests beside which nothing runs (tests/asterisk/test_engine_dies.py)."""


async def hear_each_other(*parties: tuple[PhoneCall, float], seconds: float = 10) -> None:
    """Every party hears each of the others, for a whole second."""
    missing = [""]

    def all_hear() -> bool:
        now = monotonic()
        missing[:] = [
            f"{listener.caller} at {own} Hz does not hear {hz} Hz"
            for listener, own in parties
            for _, hz in parties
            if hz != own and hears(listener, hz, now - 1.2, now - 0.2) < HEARD_SHARE
        ]
        return not missing

    try:
        await soon(all_hear, "all to hear each other", seconds)
    except TimeoutError:
        raise AssertionError(missing) from None


async def asked_to_rate(product: Product, call: PhoneCall, seconds: float = 30) -> None:
    """Wait until the caller hears the question for a rating begin: a key that is pressed earlier is lost."""
    question = decode((product.plan.sounds / "zh-CN" / "rating-ask.alaw").read_bytes())[: RATE // 2]
    await soon(lambda: similarity(call.heard.pcm(), question) > 0.75, f"{call.caller} to be asked to rate", seconds)


async def states(here: Scene, caller: str) -> list[str]:
    return [str(fact.data["state"]) for fact in await here.story(caller) if fact.kind is Kind.TRANSFER]


LONGER_THAN_A_DROP = 2.0
"""A centre that hangs up sooner after its answer has dropped the call, and the next trunk is tried."""

BRIEFLY = Answer(after=0.1, hang_up_after=1.5)
"""An agent who says a word and hangs up."""


async def begins(here: Scene, call: PhoneCall, prompt: str, since: float | None = None) -> None:
    """Wait until the first half second of this prompt was heard in the call. Raises TimeoutError telling what was."""
    beginning = here.prompt(prompt)[: RATE // 2]

    def heard() -> bool:
        return similarity(call.heard.pcm(since), beginning) > 0.8

    try:
        await soon(heard, f"{prompt} to begin", 25)
    except TimeoutError as error:
        story = [(str(fact.kind), dict(fact.data)) for fact in await here.story(call.caller)]
        prompts = [path.stem for path in (here.hotline.plan.sounds / "zh-CN").glob("*.alaw")]
        whole = await asyncio.to_thread(here.likeliest, call, prompts) or "no prompt"
        raise TimeoutError(f"{error}; heard {call.heard.packets} packets, {whole} whole; {story}") from None
