"""What can be played: known everywhere at once, an alarm where a sound is missing, and told of in the call's story."""

from __future__ import annotations

from pathlib import Path

import pytest

from calls.playable_prompts import ALARM, REMEMBERED_MS, Repertoire
from ivr.model import Script
from ledger.model import Kind
from tests.support.engine_harness import House, call_id, event

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]


def sound(folder: Path, *prompts: str, content: bytes = b"\xd5") -> None:
    place = folder / "sounds" / "zh-CN"
    place.mkdir(parents=True, exist_ok=True)
    for prompt in prompts:
        (place / f"{prompt}.alaw").write_bytes(content)


def repertoire(house: House, folder: Path, *prompts: str) -> Repertoire:
    return Repertoire(folder, prompts, house.calls, house.alarms, lambda: house.now)


async def test_who_holds_it_knows_at_once_what_a_publish_adds(tmp_path: Path) -> None:
    house = House()
    sound(tmp_path, "old", "new")
    held = known = repertoire(house, tmp_path, "old")
    await known.take(["new"])
    assert "new" in held
    assert "old" in held, "a call of the earlier version may still be up"
    assert ALARM not in house.alarms.standing


async def test_a_sound_that_is_missing_or_empty_is_an_alarm_until_it_is_there(tmp_path: Path) -> None:
    house = House()
    sound(tmp_path, "here")
    sound(tmp_path, "empty", content=b"")
    known = repertoire(house, tmp_path, "here", "empty", "gone")
    await known.look()
    assert known.missing() == ["empty", "gone"]
    assert "empty、gone" in house.alarms.standing[ALARM].text
    assert house.alarms.standing[ALARM].grave
    sound(tmp_path, "gone")
    await known.look()
    assert "gone" not in house.alarms.standing[ALARM].text
    sound(tmp_path, "empty")
    await known.look()
    assert house.alarms.standing == {}


async def test_a_folder_that_cannot_be_looked_at_takes_no_prompt_from_a_caller(tmp_path: Path) -> None:
    known = repertoire(House(), tmp_path / "nowhere", "named")
    await known.look()
    assert "named" in known
    assert "other" not in known


async def test_what_the_switch_could_not_play_is_in_the_story_and_in_alarm_for_a_while(tmp_path: Path) -> None:
    house = House(folder=tmp_path)
    house.desk.route(house.question(Script.ENTER, number="12345"))
    house.news.hear(event("UserEvent", UserEvent="Unplayed", Call=call_id(1), Prompts="greeting-12345&$(rm)"))
    (told,) = house.ledger.of(Kind.UNPLAYED)
    assert (told["prompts"], told["why"]) == (["greeting-12345"], "switch")
    assert "greeting-12345" in house.alarms.standing[ALARM].text
    house.now += REMEMBERED_MS
    await house.repertoire.look()
    assert ALARM not in house.alarms.standing


async def test_what_is_spoken_later_is_no_alarm_and_something_else_is_heard_once(tmp_path: Path) -> None:
    house = House()
    sound(tmp_path, "greeting", "digit")
    known = repertoire(house, tmp_path, "greeting", "digit", "legacy-1", "legacy-2", "line-1")
    known.leave_unspoken({"legacy-1": "greeting", "legacy-2": "greeting", "line-1": ""})
    await known.look()
    assert known.missing() == []
    assert ALARM not in house.alarms.standing
    assert known.heard(("legacy-1", "digit", "digit", "legacy-2")) == ("greeting", "digit", "digit")
    assert known.heard(("line-1",)) == ()
    sound(tmp_path, "legacy-1", "legacy-2", "line-1")
    await known.look()
    assert "legacy-1" not in known, "its sound may still say what the version before said"
    known.leave_unspoken({})
    assert "legacy-1" in known
    assert known.heard(("legacy-1", "line-1")) == ("legacy-1", "line-1")
