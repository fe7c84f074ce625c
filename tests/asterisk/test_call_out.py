"""An agent's call (外呼) on a real switch: allowed and refused, from phone and API, with and without the engine."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, Redirect, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.tones import tone_share
from routing.model import AgentCallOut, CallOutPolicy, NeverCalled, Table
from telephony.model import CallOutClass
from tests.asterisk.support.callbacks import CITIZEN_HZ, SEAT_HZ, telephone
from tests.asterisk.support.scene import Scene, comes_to_hear, hear_each_other, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

RING_TONE_HZ = 450
"""Of indications.conf, zone cn."""
NEVER = "13800009999"
MANY = 1000


def edited(table: Table) -> Table:
    groups = tuple(replace(group, call_out=CallOutClass.MOBILE) for group in with_groups(table).groups)
    own = {"1002": AgentCallOut.LOCAL, "1003": AgentCallOut.NONE, "1004": AgentCallOut.NATIONAL}
    agents = tuple(replace(agent, call_out=own.get(agent.id, AgentCallOut.GROUPS)) for agent in table.agents)
    return replace(
        table,
        groups=groups,
        agents=agents,
        call_out=CallOutPolicy("9", "", 10, MANY, 100, MANY),
        never_called=(NeverCalled(NEVER, "本人要求不再回访"),),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


async def rows(here: Scene) -> list[dict[str, str]]:
    return list((await here.hotline.ask("/api/outbound-calls"))["calls"])


async def becomes(here: Scene, call: str, state: str, seconds: float = 20) -> dict[str, str]:
    found: list[dict[str, str]] = []

    async def so() -> bool:
        found[:] = [row for row in await rows(here) if row["id"] == call and row["state"] == state]
        return bool(found)

    await until(so, f"{call} to be {state}", seconds)
    return found[0]


async def refused(here: Scene, seat: SeatPhone, keys: str, prompt: str) -> None:
    """The agent dials this, hears why not, and nobody is dialled."""
    call = await seat.call(keys)
    await call.ended(20)
    assert here.heard(call, prompt) > 0.8, f"{keys}: {here.likeliest(call, [prompt])}"


async def test_an_agent_dials_a_mobile_and_both_talk_as_in_any_call(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=3))
    seat = await here.agent("1001", "8001", SEAT_HZ)
    mine = await seat.call("913600005001")
    rung = await phones.called(15)
    assert (rung.dialled, rung.caller) == ("13600005001", "12345")
    await soon(lambda: tone_share(mine.heard.pcm(rung.started_at), RING_TONE_HZ) > 0.1, "ringing to be heard", 10)
    await rung.answered(15)
    await hear_each_other((rung, CITIZEN_HZ), (mine, SEAT_HZ), seconds=20)
    await here.seat_becomes("8001", "talking")
    await mine.hang_up()
    await rung.ended(20)
    assert len(phones.calls) == 1
    record = await here.told("13600005001")
    assert (record.mode, record.rule, record.agent, record.seat) == ("outbound", "outbound", "1001", "8001")
    assert (record.number, record.rating_level) == ("12345", None)
    facts = await here.hotline.facts(record.call)
    states = [fact.data["state"] for fact in facts if fact.kind is Kind.OUTBOUND]
    assert states == ["dialling", "talking", "over"]
    (mixed,) = here.hotline.plan.recordings.rglob(f"{record.call}.wav")
    assert mixed.stat().st_size > 10_000
    await here.seat_becomes("8001", "ready")


@pytest.mark.parametrize(
    ("agent", "keys", "prompt"),
    [
        ("1001", "9" + "076982221234", "call-out-class"),
        ("1002", "913600005002", "call-out-class"),
        ("1003", "98221234", "call-out-class"),
        ("1004", "90085221234567", "call-out-not-callable"),
        ("1004", "9+85221234567", "call-out-not-callable"),
        ("1004", "90019005551234", "call-out-not-callable"),
        ("1004", "9110", "call-out-emergency"),
        ("1004", "90663110", "call-out-emergency"),
        ("1004", "9+8666312345", "call-out-not-callable"),
        ("1004", "912345", "call-out-not-callable"),
        ("1004", "995598", "call-out-not-callable"),
        ("1004", "94001234567", "call-out-not-callable"),
        ("1004", "98001234567", "call-out-not-callable"),
        ("1004", "91", "call-out-not-callable"),
        ("1004", "9" + NEVER, "call-out-never-called"),
        ("1004", "9+86" + NEVER, "call-out-never-called"),
        ("1004", "90" + NEVER, "call-out-never-called"),
        ("1004", "91380000999912345", "call-out-not-callable"),
    ],
)
async def test_nothing_outside_the_class_of_service_is_dialled(here: Scene, agent: str, keys: str, prompt: str) -> None:
    phones = await telephone(here)
    seat = await here.agent(agent, "8001", SEAT_HZ)
    before = len(await rows(here))
    await refused(here, seat, keys, prompt)
    row = (await rows(here))[0]
    assert len(await rows(here)) == before + 1
    assert (row["state"], row["agent"], f"call-out-{row['why']}") == ("refused", agent, prompt)
    assert phones.calls == []


@pytest.mark.parametrize("agent", ["1001", "1002", "1004"])
async def test_every_form_of_a_number_reaches_the_same_telephone(here: Scene, agent: str) -> None:
    """Local lines for each class: with and without area code and country code."""
    phones = await telephone(here, behaviour=Refuse(486))
    seat = await here.agent(agent, "8001", SEAT_HZ)
    for place, form in enumerate(("8221234", "06638221234", "+866638221234", "00866638221234", "866638221234")):
        call = await seat.call(f"9{form}")
        await call.ended(20)
        assert [rung.dialled for rung in phones.calls] == ["8221234"] * (place + 1), form
        assert here.heard(call, "call-out-busy") > 0.8


async def test_from_the_api_the_agents_phone_rings_first(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=1))
    seat = await here.agent("1001", "8001", SEAT_HZ, behaviour=Answer(after=1))
    row = await here.hotline.ask(
        "/api/agents/1001/calls", {"number": "+86 136-0000-5101", "reason": "回复办理结果", "about": "GD-1"}
    )
    assert (row["state"], row["number"], row["seat"]) == ("ringing", "136****5101", "8001")
    ringing = await seat.wait_ringing(15)
    assert phones.calls == [], "the citizen is not dialled before the agent has answered"
    rung = await phones.called(15)
    assert ringing.is_talking
    await hear_each_other((rung, CITIZEN_HZ), (ringing, SEAT_HZ), seconds=20)
    await rung.hang_up()
    await ringing.ended(20)
    over = await becomes(here, row["id"], "over")
    assert (over["reason"], over["about"], over["agent"]) == ("回复办理结果", "GD-1", "1001")
    await here.seat_becomes("8001", "ready")


async def test_an_agent_who_does_not_answer_rings_nobody(here: Scene) -> None:
    phones = await telephone(here)
    seat = await here.agent("1001", "8001", SEAT_HZ, behaviour=Refuse(486))
    row = await here.hotline.ask("/api/agents/1001/calls", {"number": "13600005102"})
    await seat.wait_ringing(15)
    assert (await becomes(here, row["id"], "cancelled"))["why"] == "agent-no-answer"
    assert phones.calls == []
    await here.seat_becomes("8001", "ready")


async def test_an_agent_who_hangs_up_stops_the_ringing(here: Scene) -> None:
    phones = await telephone(here, behaviour=RingForEver())
    seat = await here.agent("1001", "8001", SEAT_HZ)
    mine = await seat.call("913600005201")
    rung = await phones.called(15)
    await mine.hang_up()
    await rung.ended(10)
    record = await here.told("13600005201")
    assert record.answered_at is None
    assert (await becomes(here, record.call, "cancelled"))["why"] == "agent-gone"
    await here.seat_becomes("8001", "ready")


@pytest.mark.parametrize("user", ["13600005999", "0085221234567", "PJSIP%2Fpstn%2Fsip%3A0085221234567%40127.0.0.1"])
async def test_a_redirect_of_whoever_is_called_is_not_obeyed(here: Scene, user: str) -> None:
    phones = await telephone(here)
    phones.behaviour = Redirect(f"<sip:{user}@{phones.address[0]}:{phones.address[1]}>")
    seat = await here.agent("1004", "8001", SEAT_HZ)
    mine = await seat.call("913600005311")
    await mine.ended(20)
    assert [call.dialled for call in phones.calls] == ["13600005311"]


async def test_a_phone_that_refers_its_citizen_elsewhere_dials_nobody(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=0))
    seat = await here.agent("1001", "8001", SEAT_HZ)
    mine = await seat.call("913600005321")
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (mine, SEAT_HZ), seconds=20)
    for number in ("913600005999", "90085221234567"):
        assert (await mine.refer(f"sip:{number}@127.0.0.1")).startswith(("4", "5", "6"))
    assert len(phones.calls) == 1
    await mine.hang_up()
    await rung.ended(20)


async def test_one_key_brings_the_centre_into_the_call(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=0))
    centre = await here.far_end("emergency-110", tone_hz=620)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    mine = await seat.call("913600005301")
    rung = await phones.called(15)
    await hear_each_other((rung, CITIZEN_HZ), (mine, SEAT_HZ), seconds=20)
    await mine.send_digits("*110")
    talk = await centre.called(15)
    await comes_to_hear(rung, 620)
    await comes_to_hear(mine, 620)
    await comes_to_hear(talk, CITIZEN_HZ)
    await mine.hang_up()
    await rung.hang_up()
    await talk.ended(20)


async def test_without_the_engine_no_call_out_is_possible_and_none_is_half_made(here: Scene) -> None:
    phones = await telephone(here, behaviour=Answer(after=6))
    seat = await here.agent("1001", "8001", SEAT_HZ)
    mine = await seat.call("913600005401")
    rung = await phones.called(15)
    await here.hotline.signal_engine(signal.SIGKILL)
    await rung.answered(15)
    await hear_each_other((rung, CITIZEN_HZ), (mine, SEAT_HZ), seconds=20)
    other = await here.hotline.seat("8002", tone_hz=SEAT_HZ)
    alone = await other.call("913600005402")
    await alone.ended(20)
    assert here.heard(alone, "call-out-away") > 0.8
    assert len(phones.calls) == 1
    await here.hotline.start_engine()
    await here.seat_becomes("8001", "talking")
    await rung.hang_up()
    await mine.ended(20)
    record = await here.told("13600005401")
    assert (await becomes(here, record.call, "over"))["agent"] == "1001"
    assert len(phones.calls) == 1, "nobody is called a second time"
