"""``hotline route test`` foretells what the call really does: every sample number, in and out of hours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from typer.testing import CliRunner

from cli.commands.route import app
from ledger.model import Kind
from routing.calendar import CITY
from routing.model import DayKind, Holiday, Period, Schedule, Table
from routing.sample_table import sample_table
from tests.asterisk.support.scene import ALL_WEEK, BRIEFLY, Scene, all_of, scene, today, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

WORKING_WEEK = frozenset(range(1, 6))
NUMBERS = ("12345", *(row.number for row in sample_table().numbers), "95598")
SUBCENTRES = ("subcentre-12366", "subcentre-12367", "subcentre-12313")


def hours(days: frozenset[int], first: int, last: int) -> tuple[Period, ...]:
    """From so many hours from now to so many, on these days; a period that is on begins today and not before."""
    now = datetime.now(UTC).astimezone(CITY)
    start = now + timedelta(hours=first)
    if first < 0 and start.date() != now.date():
        start = now.replace(hour=0, minute=0, second=0)
    return (Period(days, *(moment.time().replace(microsecond=0) for moment in (start, now + timedelta(hours=last)))),)


def at(kind: DayKind, days: frozenset[int], first: int, last: int) -> Any:
    def edit(table: Table) -> Table:
        """Today is a day of this kind, and every schedule has these hours."""
        listed = () if kind is DayKind.WORKDAY else (Holiday(today(), kind, "测试"),)
        others = tuple(holiday for holiday in table.holidays if holiday.day not in (today(), today() - timedelta(1)))
        schedules = tuple(Schedule(one.id, one.name, hours(days, first, last)) for one in table.schedules)
        return replace(with_groups(table), holidays=(*others, *listed), schedules=schedules)

    return edit


DAYS = {
    "in-hours": (at(DayKind.WORKDAY, ALL_WEEK, -2, 2), "open"),
    "out-of-hours": (at(DayKind.WORKDAY, ALL_WEEK, 2, 4), "closed"),
    "make-up-workday": (at(DayKind.MAKEUP_WORKDAY, WORKING_WEEK, -2, 2), "open"),
    "holiday": (at(DayKind.HOLIDAY, ALL_WEEK, -2, 2), "closed"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=DAYS)
async def city(request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    async with scene(DAYS[request.param][0]) as running:
        running.day = DAYS[request.param][1]
        yield running


def foretold(here: Scene, number: str) -> Any:
    now = datetime.now(UTC).isoformat()
    result = CliRunner().invoke(app, ["test", number, "--at", now, "--json"], env=here.hotline.environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


async def as_foretold(here: Scene, number: str, told: Any) -> None:
    caller = f"13200{number:0>6}"
    call = await here.hotline.citizen().call(number, caller=caller)
    answered = (await here.fact(caller, Kind.ANSWERED, 60)).data
    entered = (await here.fact(caller, Kind.ENTERED)).data
    assert {key: entered[key] for key in ("rule", "reason", "group", "version")} == {
        key: told[key] for key in ("rule", "reason", "group", "version")
    }
    assert (entered["mode"] or None) == told["mode"]
    story = await here.story(caller)
    assert [fact.data["prompts"] for fact in story if fact.kind is Kind.PROMPTED] == [told["prompts"]] * bool(
        told["prompts"]
    )
    if told["mode"] in ("dual", "subcentre"):
        assert told["rule"].endswith(f".{here.day}")
    if told["target"]["kind"] == "subcentre":
        assert (answered["by"], answered["seat"]) == ("subcentre", told["target"]["id"])
    else:
        allowed = {told["target"]["id"], *(step["group"] for step in told["overflow"])}
        assert answered["by"] == "agent"
        assert answered["group"] in allowed
    await call.hang_up()
    for prompt in told["prompts"]:
        heard = await asyncio.to_thread(here.heard, call, prompt)
        assert heard > 0.75, f"{number}: {prompt}"


async def test_every_number_does_what_was_foretold(here: Scene) -> None:
    for trunk in SUBCENTRES:
        await here.far_end(trunk, behaviour=BRIEFLY)
    for n in range(1, 9):
        await here.agent(f"10{n:02}", f"80{n:02}", behaviour=BRIEFLY)
    told = [foretold(here, number) for number in NUMBERS]  # before the first call: no phone speaks while a command runs
    await all_of(*(as_foretold(here, number, what) for number, what in zip(NUMBERS, told, strict=True)))
