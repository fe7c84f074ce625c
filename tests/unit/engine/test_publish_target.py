"""Publishing to a running engine: Asterisk is made wide, and narrow again when nobody needs the old version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from asterisk_conf.apply import SwitchNotFollowing
from config.settings import Settings
from engine import publish_target
from engine.engine import Engine
from engine.publish_target import RunningEngineTarget
from ivr.prompts.catalogue import CatalogueFault, Prompt, catalogue
from ivr.prompts.staging import NEXT, StagedPrompts, speak_in_place, synthesise
from routing.model import Snapshot
from routing.publish import PublishRefused
from tests.support.engine_harness import TABLE
from tests.support.leaks import close_with_the_loop

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

TRUNK = "subcentre-12366"
OTHER = "emergency-122-backup"


class Field(RunningEngineTarget):
    """A running engine whose Asterisk only remembers what it was given."""

    def __init__(self, folder: Path) -> None:
        self.busy = True
        """A call is up that began under an earlier version."""
        running = SimpleNamespace(
            snapshot=TABLE,
            switch=SimpleNamespace(up=True),
            calls=SimpleNamespace(has_calls_before=lambda version: self.busy),
            repertoire=SimpleNamespace(take=self._known, leave_unspoken=self._left, look=self._look),
            alarms=SimpleNamespace(clear=lambda key: None),
        )
        running.activate = lambda new: setattr(running, "snapshot", new)
        super().__init__(Settings(data_dir=folder), cast("Engine", running))
        close_with_the_loop(self.stop)
        self.given: list[frozenset[str]] = []
        self.deaf = False

    async def _known(self, prompts: Iterable[str]) -> None:
        self.known = frozenset(prompts)

    def _left(self, unspoken: Mapping[str, str]) -> None:
        self.unspoken = unspoken

    async def _look(self) -> None:
        pass

    async def _speak(self, old: Snapshot, new: Snapshot) -> None:
        pass

    async def _bring(self, table: Snapshot) -> None:
        await asyncio.sleep(0)
        if self.deaf:
            raise SwitchNotFollowing("没有回答")
        self.given.append(frozenset(table.trunks))

    async def publishes(self, new: Snapshot) -> None:
        await self.apply(new)
        await self.swap(new)

    async def quiet(self) -> None:
        self.busy = False
        await asyncio.gather(*self._narrowing)


@pytest.fixture
def field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Field:
    async def verified(table: Snapshot, ask: object) -> None:
        pass

    monkeypatch.setattr(publish_target, "verify", verified)
    monkeypatch.setattr(publish_target, "NARROW_CHECK_SECONDS", 0)
    return Field(tmp_path)


def without(table: Snapshot, *trunks: str) -> Snapshot:
    left = {name: row for name, row in table.trunks.items() if name not in trunks}
    return replace(table, version=table.version + 1, trunks=left)


def renamed(table: Snapshot) -> Snapshot:
    """A change that Asterisk's configuration does not show."""
    return replace(table, version=table.version + 1, repeat_minutes=table.repeat_minutes + 1)


async def test_a_trunk_taken_away_is_there_until_nobody_needs_it(field: Field) -> None:
    await field.publishes(without(TABLE, TRUNK))
    assert TRUNK in field.given[-1]
    await field.quiet()
    assert TRUNK not in field.given[-1]


async def test_it_is_taken_away_although_another_version_came_meanwhile(field: Field) -> None:
    second = without(TABLE, TRUNK)
    await field.publishes(second)
    await field.publishes(renamed(second))
    assert TRUNK in field.given[-1]
    await field.quiet()
    assert TRUNK not in field.given[-1]


async def test_it_stays_through_another_publish_and_through_one_that_failed(field: Field) -> None:
    second = without(TABLE, TRUNK)
    await field.publishes(second)
    third = without(second, OTHER)
    await field.apply(third)
    assert {TRUNK, OTHER} <= field.given[-1], "calls of the first version need the one, those of the second the other"
    await field.rollback()
    assert TRUNK in field.given[-1]
    await field.quiet()
    assert TRUNK not in field.given[-1]
    assert OTHER in field.given[-1]


async def test_an_asterisk_that_does_not_follow_refuses_the_publish_and_does_not_break_what_follows(
    field: Field,
) -> None:
    field.deaf = True
    with pytest.raises(PublishRefused, match="没有回答"):
        await field.apply(without(TABLE, TRUNK))
    await field.rollback()
    await field.converge_at_start()
    assert field.version == TABLE.version


async def test_prompts_that_cannot_be_made_do_not_end_the_start(field: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> None:
        raise CatalogueFault(("城市名为空",))

    monkeypatch.setattr(publish_target, "catalogue", faulty)
    await field.converge_at_start()


async def test_what_a_centre_may_name_follows_the_table_without_the_publish_waiting_for_the_switch(
    field: Field,
) -> None:
    fewer = {number: row for number, row in TABLE.numbers.items() if number != "12333"}
    await field.publishes(replace(TABLE, version=TABLE.version + 1, numbers=fewer))
    assert field.given == []
    await field.quiet()
    assert len(field.given) == 1
    await field.publishes(renamed(field.engine.snapshot))
    await field.quiet()
    assert len(field.given) == 1


async def test_a_partner_taken_away_is_there_until_nobody_needs_it_and_its_hours_are_no_matter_of_asterisks(
    field: Field,
) -> None:
    hours = {name: replace(row, schedule="") for name, row in TABLE.partners.items()}
    await field.publishes(replace(TABLE, version=TABLE.version + 1, partners=hours))
    assert field.given == []
    left = {name: row for name, row in TABLE.partners.items() if name != "water"}
    await field.publishes(replace(TABLE, version=TABLE.version + 2, partners=left))
    assert len(field.given) == 1
    await field.quiet()
    assert len(field.given) == 2


async def test_a_prompt_that_got_no_sound_refuses_the_publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    field = Field(tmp_path)
    asked: list[str] = []

    def speak(data_dir: Path, prompts: Mapping[str, object]) -> StagedPrompts:
        asked.extend(prompts)
        folder = data_dir / NEXT / "sounds" / "zh-CN"
        folder.mkdir(parents=True)
        for prompt in prompts:
            (folder / f"{prompt}.alaw").write_bytes(b"" if prompt == "goodbye" else b"\xd5")
        return StagedPrompts(data_dir, ("zh-CN/goodbye：念不出来",))

    monkeypatch.setattr(publish_target, "synthesise", speak)
    monkeypatch.setattr(publish_target, "BESIDE", Here())
    with pytest.raises(PublishRefused, match="听不到：goodbye（zh-CN/goodbye：念不出来）"):
        await RunningEngineTarget._speak(field, TABLE, renamed(TABLE))
    assert "greeting-12345" in asked, "what has lost its sound is made again, although its words are the same"


class Here:
    """In the place of the process beside."""

    async def run(self, work: Any, *arguments: Any) -> Any:
        return work(*arguments)

    def stop(self) -> None:
        """There is none."""


class Voice:
    """In the place of the process beside: speaks when it is let, and notes what."""

    def __init__(self) -> None:
        self.spoken: list[frozenset[str]] = []
        self.may = asyncio.Event()

    async def run(self, work: Any, data_dir: Path, prompts: dict[str, Prompt]) -> Any:
        if work is speak_in_place:
            await self.may.wait()
        self.spoken.append(frozenset(prompts))
        make(data_dir / NEXT if work is synthesise else data_dir, prompts)
        return StagedPrompts(data_dir, ()) if work is synthesise else ()

    def stop(self) -> None:
        """There is none."""


def make(data_dir: Path, prompts: Iterable[str]) -> None:
    folder = data_dir / "sounds" / "zh-CN"
    folder.mkdir(parents=True, exist_ok=True)
    for prompt in prompts:
        (folder / f"{prompt}.alaw").write_bytes(b"\xd5")


class SpeakingField(Field):
    _speak = RunningEngineTarget._speak


def with_numbers(count: int) -> Snapshot:
    row = next(row for row in TABLE.numbers.values() if row.prompt)
    made = (replace(row, number=f"9{n:04}", prompt=f"legacy-9{n:04}-during", prompt_after="") for n in range(count))
    return replace(TABLE, numbers={**TABLE.numbers, **{one.number: one for one in made}})


@pytest.fixture
def speaking(field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[SpeakingField, Voice]:
    voice = Voice()
    monkeypatch.setattr(publish_target, "BESIDE", voice)
    monkeypatch.setattr(publish_target, "SPOKEN_FIRST", 10)
    monkeypatch.setattr(publish_target, "SPOKEN_AT_ONCE", 7)
    make(tmp_path, catalogue(TABLE, "揭阳"))
    return SpeakingField(tmp_path), voice


async def test_very_many_prompts_of_old_numbers_are_spoken_when_the_table_is_in_force(
    speaking: tuple[SpeakingField, Voice],
) -> None:
    field, voice = speaking
    new = with_numbers(30)
    await field.publishes(new)
    assert field.engine.snapshot is new
    assert voice.spoken == []
    assert field.unspoken["legacy-90000-during"] == new.greeting
    assert not {"greeting-12345", "no-agent"} & field.unspoken.keys()
    left = set(field.unspoken)
    voice.may.set()
    async with asyncio.timeout(20):
        assert field._speaking is not None
        await field._speaking
    assert field.unspoken == {}
    assert frozenset().union(*voice.spoken) == left


async def test_a_publish_meanwhile_is_spoken_and_forgets_what_nobody_says_any_more(
    speaking: tuple[SpeakingField, Voice],
) -> None:
    field, voice = speaking
    await field.publishes(with_numbers(30))
    await asyncio.sleep(0)
    await field.publishes(with_numbers(5))
    assert field.unspoken == {}, "five are few, and spoken first"
    assert any("legacy-90004-during" in some for some in voice.spoken)
    voice.may.set()
    async with asyncio.timeout(20):
        assert field._speaking is not None
        await field._speaking
    assert field.unspoken == {}


async def test_few_prompts_and_all_where_the_settings_say_so_are_spoken_first(
    speaking: tuple[SpeakingField, Voice],
) -> None:
    field, voice = speaking
    await field.publishes(with_numbers(3))
    assert field.unspoken == {}
    field.settings = field.settings.model_copy(update={"publish_before_prompts": False})
    await field.publishes(with_numbers(40))
    assert field.unspoken == {}
    assert {"legacy-90039-during"} <= frozenset().union(*voice.spoken)
