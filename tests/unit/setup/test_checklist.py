"""What is still to do is read from the instance: table, users, PINs, prompts, test calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.settings import Settings
from database.connection import Database
from ivr.prompts import manifest
from ivr.prompts.catalogue import Source, catalogue
from ivr.prompts.manifest import Built
from ledger.model import TRIAL, Fact, Kind
from ledger.records import CallRecord, fold
from ledger.store import CallFilter
from queues.acd import Acd
from queues.pins.service import Pins
from queues.states import AgentState
from routing.model import Agent, Table
from routing.publish import OfflineTarget, Publisher, PublishRequest, ensure_published, plain_lint_context
from routing.sample_table import sample_table
from routing.snapshot import freeze
from routing.tables import Tables
from setup.checklist import SetupChecklist
from setup.sample_data import SampleData
from telephony.model import AgentId, CallId, GroupId
from tests.unit.users.people import ROOT, People
from users.model import Role

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1791594000.7")
AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Past:
    """The test calls there are."""

    facts: list[Fact] = field(default_factory=list)

    async def calls(self, wanted: CallFilter) -> Sequence[CallRecord]:
        assert wanted.mode == TRIAL
        record = fold(self.facts)
        return [] if record is None else [record]

    async def story(self, call: CallId) -> tuple[CallRecord, Sequence[Fact]] | None:
        record = fold(self.facts)
        return None if record is None else (record, self.facts)


@dataclass
class City:
    people: People
    past: Past
    acd: Any
    pins: Pins
    tables: Tables
    run: SetupChecklist
    table: Table

    async def step(self, name: str) -> dict[str, Any]:
        (found,) = (one for one in (await self.run.steps("boss"))["steps"] if one["id"] == name)
        return dict(found)

    async def publish(self, table: Table) -> None:
        self.table = table
        await self.tables.publisher.publish(PublishRequest(table, ROOT, "改"))
        draft = await self.tables.draft()
        await self.tables.save(table, draft.revision, ROOT, "改")


@pytest.fixture
async def city(database: Database, tmp_path: Path) -> AsyncIterator[City]:
    await ensure_published(database, tmp_path)
    people, past = People(database, tmp_path), Past()
    acd = SimpleNamespace(seat_of={}, tickets={}, seats={})
    pins = Pins(database, tmp_path, lambda: 0, seconds=3)
    tables = Tables(Publisher(database, tmp_path, plain_lint_context, OfflineTarget()))
    samples = SampleData(tables, people.accounts, pins, lambda: cast("Acd", acd), tmp_path)
    settings = Settings.model_validate({"data_dir": tmp_path})
    made = City(people, past, acd, pins, tables, cast("SetupChecklist", None), sample_table())
    made.run = SetupChecklist(
        settings,
        lambda: freeze(made.table, 1, AT),
        lambda: cast("Acd", acd),
        people.accounts,
        pins,
        past,
        samples,
    )
    yield made
    pins.stop()
    people.hashing.stop()


def seat(state: AgentState, group: str = "general") -> Any:
    return SimpleNamespace(agent=AgentId("1001"), groups=(GroupId(group),), state=state)


async def test_a_fresh_product_is_not_set_up_and_every_step_says_what_to_do(city: City) -> None:
    told = await city.run.steps()
    assert told["done"] is False
    assert [one["id"] for one in told["steps"]] == [
        "people", "lines", "numbers", "agents", "prompts", "keeping", "samples", "trial"
    ]  # fmt: skip
    assert {one["state"] for one in told["steps"] if one["id"] not in ("keeping", "prompts")} == {"todo"}
    assert all("请" in one["told"] or "先" in one["told"] for one in told["steps"] if one["state"] == "todo")


async def test_an_admin_of_one_s_own_counts_and_the_demo_s_does_not(city: City) -> None:
    await city.people.accounts.add("admin", "演示管理员", frozenset({Role.ADMIN}), "", ROOT)
    assert (await city.step("people"))["state"] == "todo"
    await city.people.add("boss", Role.ADMIN)
    step = await city.step("people")
    assert (step["state"], step["details"]) == ("advice", ("张三（boss）没有启用动态口令",))


async def test_a_prompt_in_two_languages_is_one_of_those_with_a_made_voice(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setup.checklist.check", lambda folder, wanted: ())
    wanted = catalogue(freeze(city.table, 1, AT), Settings().city)
    built = {
        (language, name): Built(name, language, "话", Source.TTS, "x", 1.0, -3.0, -20.0, 0)
        for language in ("zh", "en")
        for name in wanted
    }
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / manifest.NAME).write_bytes(manifest.dump(built))
    step = await city.step("prompts")
    assert (step["state"], step["page"]) == ("advice", "/prompts")
    assert f"{len(wanted)} 段就绪，{len(wanted)} 段是合成的声音" in step["told"]


async def test_lines_are_to_do_until_their_addresses_are_changed_drills_are_advice(city: City) -> None:
    step = await city.step("lines")
    assert (step["state"], len(step["details"])) == ("todo", 13)
    await city.publish(
        replace(
            city.table,
            trunks=tuple(
                replace(one, host="10.0.0.9") if one.role in ("pstn", "emergency", "emergency-backup") else one
                for one in city.table.trunks
            ),
        )
    )
    step = await city.step("lines")
    assert (step["state"], len(step["details"])) == ("advice", 4)


async def test_numbers_that_were_checked_are_told_apart_from_samples(city: City) -> None:
    first, *others = city.table.numbers
    await city.publish(replace(city.table, numbers=(replace(first, note="已核"), *others)))
    step = await city.step("numbers")
    assert (step["state"], f"{first.number} {first.name}" in step["details"]) == ("todo", False)
    await city.publish(replace(city.table, numbers=(replace(first, note="已核"),)))
    assert (await city.step("numbers"))["state"] == "done"


async def test_agents_and_phones_of_one_s_own_and_their_pins(city: City) -> None:
    ours = Agent("2001", "张三", (GroupId("general"),))
    await city.publish(replace(city.table, agents=(*city.table.agents, ours), seats=(*city.table.seats, "8101")))
    step = await city.step("agents")
    assert (step["state"], "2001" in step["details"][0]) == ("advice", True)
    await city.pins.set(AgentId("2001"), "836214", "张三")
    assert (await city.step("agents"))["state"] == "done"


@pytest.mark.parametrize(
    ("seats", "says"),
    [
        ({}, "没有人签入"),
        ({"8001": seat(AgentState.READY, "market")}, "没有人签入"),
        ({"8001": seat(AgentState.PAUSED)}, "都不空闲"),
        ({"8001": seat(AgentState.READY), "8002": seat(AgentState.PAUSED)}, "有 1 位座席空闲"),
    ],
)
async def test_who_could_answer_a_test_call_is_told_before_it_is_made(
    city: City, seats: dict[str, Any], says: str
) -> None:
    city.acd.seats = seats
    told = await city.run.trial()
    assert (told["call"], says in told["staff"]) == (None, True)


async def test_a_test_call_is_done_when_it_was_answered_and_to_do_when_it_was_not(city: City) -> None:
    entered = {"number": "12345", "caller": "", "mode": TRIAL, "version": 1, "reason": "拨打 12345", "group": "general"}

    def fact(kind: Kind, seconds: float, **data: Any) -> Fact:
        return Fact(f"{kind}-{seconds}", kind, CALL, AT + timedelta(seconds=seconds), data)

    begun = [fact(Kind.ENTERED, 0, **entered), fact(Kind.PROMPTED, 0, prompts=["greeting-12345"])]
    city.past.facts = [*begun, fact(Kind.ENDED, 9, cause=16, by="caller")]
    step = await city.step("trial")
    assert (step["state"], len(step["details"])) == ("todo", 1)
    answered = [fact(Kind.RECORDING, 3, file="x"), fact(Kind.ANSWERED, 4, agent="1001", seat="8001", by="agent")]
    city.past.facts = [*begun, *answered, fact(Kind.ENDED, 9, cause=16, by="caller")]
    assert (await city.step("trial"))["state"] == "done"
    told = await city.run.trial()
    assert "您好" in next(one["text"] for one in told["points"] if one["name"] == "greeted"), "what the greeting says"


async def test_a_draft_that_cannot_be_read_is_told_and_the_rest_is_still_there(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    from routing.tables import Refused

    async def refuse(user: str = "") -> dict[str, Any]:
        raise Refused("草稿读不出来")

    monkeypatch.setattr(city.run.samples, "shown", refuse)
    told = await city.run.steps()
    assert [one["id"] for one in told["steps"]] == ["people", "samples", "trial"]
    assert told["steps"][1]["told"] == "草稿读不出来"
