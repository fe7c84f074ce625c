"""A release waits for a second person, or for its hour; what others publish meanwhile is kept, or told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.model import Actor
from audit.rules import verify
from audit.store import entries
from database.connection import Database
from routing.draft import Edit
from routing.model import Snapshot, Table
from routing.publish import Publisher, PublishRefused, ensure_published, plain_lint_context
from routing.releases import TRANSITIONS, Happening, Overtaken, Release, ReleaseRefused, State, after, rebased
from routing.sample_table import sample_table
from routing.service import edit_draft, latest
from routing.tables import Refused, Tables, moment

pytestmark = pytest.mark.unit

ZHANG, LI = Actor("张三", "试"), Actor("李四", "试")


class Clock:
    """Time, as the test has it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class House:
    """Tables of one database, with an hour that the test sets."""

    def __init__(self, database: Database, folder: Path, *, approval: bool = False) -> None:
        self.clock = Clock()
        self.database = database
        self.tables = Tables(Publisher(database, folder, plain_lint_context, clock=self.clock), approval=approval)

    async def edit(self, number: str, **fields: object) -> None:
        await edit_draft(self.database, [Edit(("numbers", number), fields)], by="张三")

    async def published(self) -> Snapshot:
        found = await latest(self.database)
        assert found is not None
        return found

    async def release(self) -> Mapping[str, Any]:
        newest: Mapping[str, Any] = (await self.tables.releases())["releases"][0]
        return newest


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> House:
    await ensure_published(database, tmp_path)
    return House(database, tmp_path)


@pytest.fixture
async def two_persons(database: Database, tmp_path: Path) -> House:
    await ensure_published(database, tmp_path)
    return House(database, tmp_path, approval=True)


async def test_a_release_is_published_at_its_hour_and_not_before(house: House) -> None:
    await house.edit("12315", note="定时")
    hour = house.clock.now + timedelta(hours=2)
    told = await house.tables.publish(ZHANG, "夜里切换", at=hour)
    assert told["release"]["state"] == "ready"
    await house.edit("12315", note="之后又改")  # what was asked for stays what it was
    await house.tables.follow()
    assert (await house.published()).version == 1
    house.clock.now = hour
    await house.tables.follow()
    published = await house.published()
    assert (published.version, published.numbers["12315"].note) == (2, "定时")
    assert (await house.release())["version"] == 2
    await house.tables.follow()
    assert (await house.published()).version == 2


async def test_with_approval_nothing_goes_live_without_a_second_person(two_persons: House) -> None:
    house = two_persons
    await house.edit("12315", note="待批")
    told = await house.tables.publish(ZHANG, "试行")
    number = told["release"]["id"]
    await house.tables.follow()
    assert (await house.published()).version == 1
    with pytest.raises(Refused, match="张三 自己提出的，须由另一人批准"):
        await house.tables.decide(number, Happening.APPROVED, ZHANG)
    done = await house.tables.decide(number, Happening.APPROVED, LI)
    assert (done["state"], done["version"], done["decided_by"]) == ("published", 2, "李四")
    assert (await house.published()).numbers["12315"].note == "待批"
    async with house.database.reading() as session:
        told_all = await entries(session)
    assert verify(told_all, ()) == ()
    assert [entry.act.action for entry in told_all][-3:] == [
        "routing.release.asked", "routing.release.approved", "routing.publish",
    ]  # fmt: skip


async def test_what_was_rejected_or_cancelled_stays_unpublished(two_persons: House) -> None:
    house = two_persons
    await house.edit("12315", note="待批")
    for happening in (Happening.REJECTED, Happening.CANCELLED):
        number = (await house.tables.publish(ZHANG, "试行"))["release"]["id"]
        assert (await house.tables.decide(number, happening, LI))["state"] == str(happening)
        with pytest.raises(Refused, match="不能再改"):
            await house.tables.decide(number, Happening.APPROVED, LI)
    await house.tables.follow()
    assert (await house.published()).version == 1


async def test_a_rollback_waits_for_nobody(two_persons: House) -> None:
    house = two_persons
    await house.edit("12315", note="改错")
    number = (await house.tables.publish(ZHANG, "试行"))["release"]["id"]
    await house.tables.decide(number, Happening.APPROVED, LI)
    assert (await house.tables.rollback(1, ZHANG, "退回"))["version"] == 3


async def test_what_others_published_meanwhile_is_kept(house: House) -> None:
    await house.edit("12315", note="定时")
    await house.tables.publish(ZHANG, "夜里切换", at=house.clock.now + timedelta(hours=2))
    await house.tables.discard(LI)
    await house.edit("12333", note="先行")
    await house.tables.publish(LI, "先行")
    house.clock.now += timedelta(hours=2)
    await house.tables.follow()
    numbers = (await house.published()).numbers
    assert (numbers["12315"].note, numbers["12333"].note) == ("定时", "先行")


async def test_a_row_that_others_published_otherwise_fails_the_release_and_says_so(house: House) -> None:
    await house.edit("12315", note="定时")
    await house.tables.publish(ZHANG, "夜里切换", at=house.clock.now + timedelta(hours=2))
    await house.edit("12315", note="先行")
    await house.tables.publish(LI, "先行")
    house.clock.now += timedelta(hours=2)
    await house.tables.follow()
    assert (await house.published()).numbers["12315"].note == "先行"
    assert (await house.release())["state"] == "failed"
    assert "也改了 12315" in (await house.release())["trouble"]


@pytest.mark.parametrize(("text", "says"), [("明天", "不是时间"), ("2020-01-01T00:00", "已经过去")])
async def test_an_hour_that_cannot_be_is_told(house: House, text: str, says: str) -> None:
    await house.edit("12315", note="x")
    with pytest.raises(Refused, match=says):
        await house.tables.publish(ZHANG, "试", at=moment(text))


async def test_a_release_without_changes_or_reason_is_refused(two_persons: House) -> None:
    with pytest.raises(Refused, match="不必发布"):
        await two_persons.tables.publish(ZHANG, "试")
    await two_persons.edit("12315", note="x")
    with pytest.raises(Refused, match="原因"):
        await two_persons.tables.publish(ZHANG, " ")


async def test_a_version_published_elsewhere_is_taken_up(database: Database, tmp_path: Path) -> None:
    first = await ensure_published(database, tmp_path)

    class Field:
        version = first.version

        async def apply(self, new: Snapshot) -> None:
            if new.version == 2:
                raise PublishRefused("还不行")

        async def rollback(self) -> None:
            pass

        async def swap(self, new: Snapshot) -> None:
            self.version = new.version

    field = Field()
    here = Publisher(database, tmp_path, plain_lint_context, field)
    elsewhere = House(database, tmp_path / "elsewhere")
    await elsewhere.edit("12315", note="别处")
    await elsewhere.tables.publish(ZHANG, "别处")
    with pytest.raises(PublishRefused, match="还不行"):
        await here.catch_up()
    assert field.version == 1
    await elsewhere.edit("12315", note="别处再改")
    await elsewhere.tables.publish(ZHANG, "别处")
    await here.catch_up()
    assert field.version == 3


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("happening", list(Happening))
def test_every_pair_of_state_and_happening_is_decided(state: State, happening: Happening) -> None:
    release = Release(1, datetime(2026, 1, 1, tzinfo=UTC), "张三", "试", "试", None, 1, state)
    if (state, happening) in TRANSITIONS:
        assert after(release, happening, "李四") is TRANSITIONS[state, happening]
    else:
        with pytest.raises(ReleaseRefused, match="第 1 号"):
            after(release, happening, "李四")


def _noted(table: Table, number: str, note: str) -> Table:
    rows = tuple(replace(row, note=note) if row.number == number else row for row in table.numbers)
    return replace(table, numbers=rows)


def test_changes_of_different_rows_come_together() -> None:
    base = sample_table()
    ours = replace(_noted(base, "12315", "我们"), seats=base.seats[1:])
    theirs = _noted(base, "12333", "他们")
    merged = rebased(base, ours, theirs)
    assert merged == replace(_noted(_noted(base, "12315", "我们"), "12333", "他们"), seats=base.seats[1:])
    assert rebased(base, ours, ours) == ours
    with pytest.raises(Overtaken, match="12315"):
        rebased(base, ours, _noted(base, "12315", "他们"))
