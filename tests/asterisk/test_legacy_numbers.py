"""Old numbers in the three merge modes, before, on and after the last day; sub-centres that do not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.centre import asserted_identity
from phones.phone import Refuse, RingForEver
from phones.tones import tone_share
from routing.model import MergeMode, Table
from tests.asterisk.support.scene import (
    ALWAYS,
    BRIEFLY,
    NEVER,
    Scene,
    all_of,
    day,
    number_row,
    rows,
    scene,
    soon,
    with_agents,
    with_groups,
    with_schedules,
)

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

GENERAL, SOCIAL, MARKET, FUND, TRANSPORT = "8001", "8002", "8003", "8004", "8005"
AGENTS = {
    "1001": ("general",),
    "1002": ("social-security",),
    "1003": ("market",),
    "1004": ("housing-fund",),
    "1005": ("transport",),
}
PEOPLE = {"1001": GENERAL, "1002": SOCIAL, "1003": MARKET, "1004": FUND}

SILENT, BUSY, DECLINES, BROKEN, RINGS = "12369", "12367", "12336", "12320", "12340"
RETURNED = {BUSY: Refuse(486), DECLINES: Refuse(603, after=1), BROKEN: Refuse(503), RINGS: RingForEver(), SILENT: None}
SITES = {SILENT: "utility-gas", DECLINES: "utility-water", BROKEN: "utility-power", RINGS: "neighbour-0754"}


def edited(table: Table) -> Table:
    """Dates relative to today; a group of its own for each agent; hours that are surely open or surely closed."""
    table = with_agents(with_groups(with_schedules(table, ALWAYS, NEVER), ring_seconds=5), AGENTS)
    last_day, over, ahead = (
        {"first_day": day(-30), "last_day": day(0)},
        {"first_day": day(-30), "last_day": day(-1)},
        {"first_day": day(1), "last_day": day(30)},
    )
    first_day = {"first_day": day(0), "last_day": day(0)}
    table = replace(
        table,
        trunks=tuple(replace(t, role="subcentre") if t.id in SITES.values() else t for t in table.trunks),
        numbers=(
            *table.numbers,
            replace(
                number_row(table, "12366"),
                number=RINGS,
                prompt=f"legacy-{RINGS}-during",
                prompt_after=f"legacy-{RINGS}-after",
            ),
        ),
    )
    sites = {
        number: {**last_day, "mode": MergeMode.SUBCENTRE, "schedule": "", "trunk": trunk, "group": "general"}
        for number, trunk in SITES.items()
    }
    return rows(
        table,
        sites
        | {
            "12333": {**last_day},
            "12349": {**first_day},
            "12319": {**over, "group": "social-security"},
            "12348": {**ahead, "group": "social-security"},
            "12315": {**last_day, "schedule": "always"},
            "12329": {**last_day, "schedule": "never"},
            "12312": {**over, "schedule": "always"},
            "12328": {**ahead, "schedule": "always", "overflow_seconds": 2},
            "12366": {**last_day, "schedule": "always"},
            "12367": {**last_day, "schedule": ""},
            "12313": {**ahead, "schedule": "never"},
        },
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


@dataclass(frozen=True)
class Expected:
    number: str
    prompt: str
    seat: str
    rule: str

    @property
    def caller(self) -> str:
        return f"1380001{self.number[-4:]}"


GROUPS = (
    Expected("12345", "greeting-12345", GENERAL, "hotline"),
    Expected("12333", "legacy-12333-during", SOCIAL, "legacy.full.during"),
    Expected("12349", "legacy-12349-during", SOCIAL, "legacy.full.during"),
    Expected("12319", "legacy-12319-after", SOCIAL, "legacy.full.after"),
    Expected("12348", "", SOCIAL, "legacy.full.before"),
    Expected("12315", "legacy-12315-during", MARKET, "legacy.dual.during.open"),
    Expected("12329", "legacy-12329-during", GENERAL, "legacy.dual.during.closed"),
    Expected("12312", "legacy-12312-after", MARKET, "legacy.dual.after.open"),
    Expected("12328", "", GENERAL, "legacy.dual.before.open"),
    Expected("12313", "", GENERAL, "legacy.subcentre.before.closed"),
    Expected("066312333", "legacy-12333-during", SOCIAL, "legacy.full.during"),
    Expected("+8666312315", "legacy-12315-during", MARKET, "legacy.dual.during.open"),
)


async def call_and_check(here: Scene, expected: Expected) -> None:
    call = await here.hotline.citizen().call(expected.number, caller=expected.caller)
    record = await here.told(expected.caller, lambda told: told.answered_at is not None, 45)
    assert (record.seat, record.rule, record.answered_by) == (expected.seat, expected.rule, "agent"), expected
    await here.fact(expected.caller, Kind.TALK_ENDED)
    await call.hang_up()
    short = expected.number[-5:]
    said = {"greeting-12345", "legacy-12333-during", "legacy-12312-after"}
    if expected.number != "12345":
        said |= {f"legacy-{short}-during", f"legacy-{short}-after"}
    assert here.likeliest(call, said) == expected.prompt, expected


async def test_every_mode_and_phase_says_its_prompt_and_reaches_its_people(here: Scene) -> None:
    for agent, seat in PEOPLE.items():
        await here.agent(agent, seat, behaviour=BRIEFLY)
    await all_of(*(call_and_check(here, expected) for expected in GROUPS))


async def test_a_dual_number_overflows_to_12345_only_when_its_own_group_does_not_take_it(here: Scene) -> None:
    own = await here.agent("1005", TRANSPORT, behaviour=RingForEver())
    general = await here.agent("1001", GENERAL)
    call = await here.hotline.citizen().call("12328", caller="13800002801")
    await own.wait_ringing(10)
    talk = await general.wait_talking(20)
    offers = [fact.data["seat"] for fact in await here.story("13800002801") if fact.kind is Kind.OFFERED]
    assert offers == [TRANSPORT, GENERAL]
    waited = (await here.fact("13800002801", Kind.ANSWERED)).data["waited_ms"]
    assert waited >= 2000
    await call.hang_up()
    await talk.ended()


@pytest.mark.smoke
async def test_a_sub_centre_hears_who_calls_and_talks(here: Scene) -> None:
    centre = await here.far_end("subcentre-12366", tone_hz=620)
    call = await here.hotline.citizen().call("12366", caller="13800006601", tone_hz=440)
    there = await centre.wait_talking(20)
    assert (there.dialled, asserted_identity(there)) == ("12366", "13800006601")
    await soon(lambda: tone_share(there.heard.pcm(), 440) > 0.7 and there.heard.packets > 75, "the caller's voice")
    await there.hang_up()
    assert tone_share(call.heard.pcm(there.answered_at, there.ended_at), 620) > 0.6
    assert here.likeliest(call, ("legacy-12366-during", "legacy-12366-after")) == "legacy-12366-during"
    await here.fact("13800006601", Kind.RATING_ASKED)
    await call.hang_up()
    record = await here.told("13800006601")
    assert (record.answered_by, record.rule) == ("subcentre", "legacy.subcentre.during.open")


async def returned(here: Scene, number: str) -> None:
    caller = f"1380000{number[-4:]}"
    call = await here.hotline.citizen().call(number, caller=caller)
    answered = await here.fact(caller, Kind.ANSWERED, 50)
    entered = await here.fact(caller, Kind.ENTERED)
    age_ms = (answered.at - entered.at).total_seconds() * 1000
    assert abs(answered.data["waited_ms"] - age_ms) < 1000, "the age counts from the first ring"
    assert (answered.data["seat"], answered.data["by"]) == (GENERAL, "agent")
    await here.fact(caller, Kind.RATING_ASKED)
    await call.hang_up()
    assert here.heard(call, f"legacy-{number}-during") > 0.75
    assert here.heard(call, "subcentre-returned") > 0.75


async def test_a_sub_centre_that_does_not_answer_gives_the_call_back_with_its_age(here: Scene) -> None:
    for number, behaviour in RETURNED.items():
        if behaviour is not None:
            await here.far_end(SITES.get(number, f"subcentre-{number}"), behaviour=behaviour)
    await here.agent("1001", GENERAL, behaviour=BRIEFLY)
    await all_of(*(returned(here, number) for number in RETURNED))
