"""The sample out in one step, on a real database: shown first, published once, taken back by a rollback, sealed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from audit.model import Actor, Entry
from audit.store import entries
from database.connection import Database
from queues.acd import Acd
from queues.pins.service import Pins
from routing.draft import Edit
from routing.model import Table
from routing.publish import OfflineTarget, Publisher, PublishRefused, ensure_published, plain_lint_context
from routing.service import edit_draft, latest, load_draft
from routing.snapshot import thaw
from routing.tables import Refused, Tables
from setup.demo_access import DEMO_FILE, is_demo
from setup.sample_data import SampleData
from telephony.model import AgentId, GroupId, SeatId
from tests.unit.users.people import ROOT, People
from users.model import Role, User

pytestmark = pytest.mark.unit

BOSS = Actor("张三（boss）", "网页 127.0.0.1")
WHY = "上线前清理"
PIN = "836214"


class Stubborn(OfflineTarget):
    """A switch that takes nothing."""

    async def apply(self, new: Any) -> None:
        raise PublishRefused("Asterisk 没有连上")


@dataclass
class City:
    database: Database
    people: People
    tables: Tables
    acd: Any
    pins: Pins
    samples: SampleData
    folder: Path

    async def in_force(self) -> Table:
        found = await latest(self.database)
        assert found is not None
        return thaw(found)

    async def draft(self) -> Table:
        return (await load_draft(self.database)).table

    async def staffed(self) -> None:
        """With an agent and a phone of its own, published."""
        edits = [
            Edit(("agents", "2001"), {"name": "张三", "groups": ["general"], "supervisor": False, "skills": {}}),
            Edit(("seats", "8101"), {}),
        ]
        await edit_draft(self.database, edits, by="张三")
        await self.tables.publish(BOSS, "自己的座席")

    async def sealed(self) -> Sequence[Entry]:
        async with self.database.reading() as session:
            return await entries(session)


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[City]:
    await ensure_published(database, tmp_path)
    made = opened(database, tmp_path)
    await made.people.add("boss", Role.ADMIN)
    yield made
    made.pins.stop()
    made.people.hashing.stop()


def opened(database: Database, folder: Path, *, where: OfflineTarget | None = None, approval: bool = False) -> City:
    people, acd = People(database, folder), SimpleNamespace(seat_of={}, tickets={})
    publisher = Publisher(database, folder, plain_lint_context, where or OfflineTarget())
    tables, pins = Tables(publisher, approval=approval), Pins(database, folder, lambda: 0, seconds=3)
    samples = SampleData(tables, people.accounts, pins, lambda: cast("Acd", acd), folder)
    return City(database, people, tables, acd, pins, samples, folder)


async def demo_user(city: City, name: str = "agent1001", display: str = "演示座席 1001") -> None:
    await city.people.accounts.add(name, display, frozenset({Role.AGENT}), "1001", ROOT)


async def test_a_dry_run_shows_what_would_go_and_changes_nothing(city: City) -> None:
    before, sealed = await city.draft(), len(await city.sealed())
    shown = await city.samples.shown("boss")
    assert {row["key"] for row in shown["rows"] if row["kind"] == "numbers"} == {row.number for row in before.numbers}
    assert {row["key"] for row in shown["kept"] if row["kind"] == "trunks"} >= {"emergency-110", "emergency-119"}
    assert (shown["hindrances"], shown["version"]) == ([], 1)
    assert any("技能组 市场监管" in fault["told"] for fault in shown["faults"]), "no number goes there any more"
    assert (await city.draft(), len(await city.sealed())) == (before, sealed)


async def test_one_publish_takes_the_samples_out_and_a_rollback_brings_them_back(city: City) -> None:
    before = await city.in_force()
    done = await city.samples.remove(BOSS, WHY, seen=1, user="boss")
    assert (done["version"], done["before"]) == (2, 1)
    assert ((await city.in_force()).numbers, (await city.draft()).numbers) == ((), ())
    assert (await city.samples.shown("boss"))["rows"] == []
    with pytest.raises(Refused, match="没有可以删除的示例数据"):
        await city.samples.remove(BOSS, WHY, seen=2, user="boss")
    assert [one["version"] for one in (await city.tables.versions())["versions"]] == [2, 1]
    await city.tables.rollback(done["before"], BOSS, "还要演示")
    assert await city.in_force() == before


async def test_it_is_sealed_who_did_it_why_and_which_rows(city: City) -> None:
    await demo_user(city)
    await city.samples.remove(BOSS, WHY, seen=None, user="boss")
    entry = (await city.sealed())[-1]
    assert (entry.act.action, entry.actor, entry.act.reason) == ("samples.remove", BOSS, WHY)
    assert "numbers.12333" in entry.act.detail["rows"]
    assert entry.act.detail["users"] == ["agent1001"]


async def test_what_the_city_changed_stays(city: City) -> None:
    await edit_draft(city.database, [Edit(("numbers", "12333"), {"note": "已核"})], by="张三")
    await city.tables.publish(BOSS, "核实 12333")
    await city.samples.remove(BOSS, WHY, seen=2, user="boss")
    assert [row.number for row in (await city.in_force()).numbers] == ["12333"]


async def test_demo_users_are_shut_out_and_pins_of_agents_who_go_are_forgotten(city: City) -> None:
    await city.staffed()
    await demo_user(city)
    await city.pins.set(AgentId("1001"), PIN, "演示")
    await city.pins.set(AgentId("2001"), PIN, "张三")
    (city.folder / DEMO_FILE).write_text("{}", encoding="utf-8")
    done = await city.samples.remove(BOSS, WHY, seen=2, user="boss")
    assert done["users"] == ["agent1001"]
    assert {one.name: one.disabled for one in await city.people.accounts.users()} == {"agent1001": True, "boss": False}
    assert (city.pins.has(AgentId("1001")), city.pins.has(AgentId("2001"))) == (False, True)
    assert not (city.folder / DEMO_FILE).exists()
    again = Pins(city.database, city.folder, lambda: 0, seconds=3)
    await again.load()
    assert (again.has(AgentId("1001")), again.has(AgentId("2001"))) == (False, True)
    again.stop()


async def test_who_is_signed_in_as_a_demo_user_makes_his_own_first(city: City) -> None:
    await city.people.accounts.add("admin", "演示管理员", frozenset({Role.ADMIN}), "", ROOT)
    with pytest.raises(Refused, match="请先新建自己的管理员"):
        await city.samples.remove(BOSS, WHY, seen=1, user="admin")
    assert (await city.in_force()).numbers
    await city.samples.remove(BOSS, WHY, seen=1, user="boss")


async def test_without_an_admin_of_its_own_nobody_is_shut_out(city: City) -> None:
    await city.people.accounts.add("admin", "演示管理员", frozenset({Role.ADMIN}), "", ROOT)
    await city.people.accounts.disable("boss", ROOT)
    with pytest.raises(Refused, match="还没有自己的管理员"):
        await city.samples.remove(BOSS, WHY, seen=1)


@pytest.mark.parametrize(
    ("busy", "says"),
    [
        ({"seat_of": {"1001": "8101"}}, "1001 还签入着"),
        ({"seat_of": {"2001": "8001"}}, "8001 还签入着"),
        ({"tickets": {"c": SimpleNamespace(group=GroupId("market"))}}, "market 里还有来电"),
    ],
)
async def test_nobody_is_taken_out_of_a_call_or_off_a_phone(city: City, busy: dict[str, Any], says: str) -> None:
    await city.staffed()
    for name, value in busy.items():
        setattr(city.acd, name, value)
    with pytest.raises(Refused, match=says):
        await city.samples.remove(BOSS, WHY, seen=2, user="boss")
    city.acd.seat_of, city.acd.tickets = {AgentId("2001"): SeatId("8101")}, {}
    await city.samples.remove(BOSS, WHY, seen=2, user="boss")


async def test_somebody_s_unpublished_edits_are_not_published_along(city: City) -> None:
    await edit_draft(city.database, [Edit(("numbers", "12315"), {"mode": "full", "schedule": ""})], by="李四")
    with pytest.raises(Refused, match="草稿里还有 1 处改动没有发布"):
        await city.samples.remove(BOSS, WHY, seen=1, user="boss")


async def test_what_was_published_since_it_was_shown_is_looked_at_again(city: City) -> None:
    await city.staffed()
    with pytest.raises(Refused, match="您看到的是版本 1"):
        await city.samples.remove(BOSS, WHY, seen=1, user="boss")


async def test_a_switch_that_refuses_leaves_table_draft_and_users_as_they_were(
    database: Database, tmp_path: Path
) -> None:
    await ensure_published(database, tmp_path)
    city = opened(database, tmp_path, where=Stubborn())
    await city.people.add("boss", Role.ADMIN)
    await demo_user(city)
    before = await city.in_force()
    with pytest.raises(Refused, match="Asterisk 没有连上"):
        await city.samples.remove(BOSS, WHY, seen=1, user="boss")
    assert (await city.in_force(), await city.draft()) == (before, before)
    assert not any(one.disabled for one in await city.people.accounts.users())
    city.pins.stop()
    city.people.hashing.stop()


async def test_where_a_second_person_approves_it_waits_for_him(database: Database, tmp_path: Path) -> None:
    await ensure_published(database, tmp_path)
    city = opened(database, tmp_path, approval=True)
    await city.people.add("boss", Role.ADMIN)
    done = await city.samples.remove(BOSS, WHY, seen=1, user="boss")
    assert (done["version"], done["release"]["id"]) == (None, 1)
    assert (await city.in_force()).numbers, "not before it is approved"
    city.pins.stop()
    city.people.hashing.stop()


def test_only_users_whom_the_demo_made_are_the_demo_s() -> None:
    made = User("agent1001", "演示座席 1001", frozenset({Role.AGENT}), "1001")
    assert is_demo(made)
    assert is_demo(User("admin", "演示管理员", frozenset({Role.ADMIN})))
    for other in (replace(made, display="张三"), replace(made, agent="1002"), User("admin", "李四", frozenset())):
        assert not is_demo(other)
