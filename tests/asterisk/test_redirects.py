"""A far end that answers with a redirect (3xx) has not answered, whoever it is, and makes us dial nobody.

One product with every far end listening: what leaves the switch is counted at the far ends of all trunks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from ledger.model import Kind, drill_line
from phones.centre import Centre
from phones.phone import Answer, PhoneCall, Redirect, Refuse
from phones.seat_phone import SeatPhone
from routing.model import CallbackFirst, CallbackPolicy, Department, OrderType, Table, WaitingAction, WaitingNews
from telephony.model import GroupId
from tests.asterisk.support.callbacks import becomes, promised
from tests.asterisk.support.scene import Scene, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

SITE = "subcentre-medical"
DUTY = "06638760001"
BAIT = "0085298765432"
TRUNKS = ("pstn", "emergency-110", "emergency-110-backup", "emergency-119", "drill-110", "utility-water")


def edited(table: Table) -> Table:
    rung = with_groups(table, ring_seconds=6).groups
    agent_first = tuple(
        replace(group, callback_first=CallbackFirst.AGENT) if group.id == GroupId("housing-fund") else group
        for group in rung
    )
    return replace(
        table,
        groups=agent_first,
        waiting_keys={"1": WaitingAction.CALLBACK},
        waiting_news=WaitingNews(first_seconds=0),
        callback=CallbackPolicy(attempts=1, retry_minutes=1, ring_seconds=5, per_day=9),
        departments=(Department("water", "供水", (DUTY,), rounds=1),),
        order_types=(OrderType("outage", "供水中断", ("water",), 600),),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, duty_ring_seconds=5, phone_shows="masked") as here:
        yield here


@dataclass
class Outside:
    """The far ends of the trunks, and what has come to each."""

    here: Scene
    ends: dict[str, Centre]

    def came(self) -> dict[str, int]:
        return {name: len(end.calls) for name, end in self.ends.items() if end.calls}

    def contacts(self) -> list[str]:
        """Where a redirect may point: a number, a Local channel, any trunk by its channel's name."""
        host, port = "127.0.0.1", self.here.hotline.settings.sip_port
        centre, carrier = (self.here.hotline.table.trunks[name].port for name in ("emergency-119", "pstn"))
        return [
            f"<sip:119@{host}:{port}>",
            f"<sip:119@{host}:{centre}>",
            f"<sip:Local%2F119%40from-pstn@{host}:{port}>",
            f"<sip:PJSIP%2Fpstn%2Fsip%3A{BAIT}%40{host}%3A{carrier}@{host}:{port}>",
        ]


@pytest_asyncio.fixture(loop_scope="module")
async def outside(here: Scene) -> Outside:
    ends = {name: await here.hotline.centre(name, behaviour=Refuse(486)) for name in TRUNKS}
    await here.notice(*TRUNKS[1:], "Avail")
    return Outside(here, ends)


def turn_away(phone: SeatPhone | Centre, outside: Outside) -> Counter[str]:
    """This phone redirects every call, each to the next of the contacts; what it was asked, by Request-URI."""
    asked: Counter[str] = Counter()
    contacts = outside.contacts()

    def behave(call: PhoneCall) -> Redirect:
        asked[call.dialled] += 1
        return Redirect(
            contacts[(sum(asked.values()) - 1) % len(contacts)], (300, 301, 302, 305)[sum(asked.values()) % 4]
        )

    phone.behaves = behave
    return asked


async def asked_more_than(asked: Counter[str], before: int, what: str) -> None:
    await soon(lambda: sum(asked.values()) > before, what, 30)


# Each kind of leg rings once for each kind of contact; what may leave the switch meanwhile stands beside it.


async def of_a_seat(here: Scene, outside: Outside) -> dict[str, int]:
    seat = await here.agent("1001", "8001")
    asked = turn_away(seat, outside)
    for n in range(4):
        call = await here.hotline.citizen().call("12345", caller=f"1370000030{n}")
        await asked_more_than(asked, n, "the seat to ring")
        await call.hang_up()
        await here.quiet()
        await here.hotline.ask("/api/agents/1001/ready", {})
    return {}


async def of_a_centre(here: Scene, outside: Outside) -> dict[str, int]:
    asked = turn_away(outside.ends["emergency-110"], outside)
    backup = outside.ends["emergency-110-backup"]
    backup.behaves = lambda _call: Answer()
    for n in range(4):
        call = await here.hotline.citizen().call("110", caller=f"1370000040{n}")
        await call.answered(20)
        await call.hang_up()
        await here.quiet()
    assert sum(asked.values()) == 4
    return {"emergency-110": 4, "emergency-110-backup": 4}


async def of_a_backup_too(here: Scene, outside: Outside) -> dict[str, int]:
    first, second = (turn_away(outside.ends[name], outside) for name in ("emergency-110", "emergency-110-backup"))
    call = await here.hotline.citizen().call("110", caller="13700000500")
    await soon(lambda: here.heard(call, "apology") > 0.7, "the apology", 30)
    await call.hang_up()
    assert (sum(first.values()), sum(second.values())) == (1, 1)
    return {"emergency-110": 1, "emergency-110-backup": 1}


async def of_a_partner(here: Scene, outside: Outside) -> dict[str, int]:
    asked = turn_away(outside.ends["utility-water"], outside)
    seat = await here.agent("1001", "8001")
    seat.behaves = lambda _call: Answer()
    call = await here.hotline.citizen().call("12345", caller="13700000600")
    talk = await seat.wait_talking(20)
    await talk.send_digits("*701")
    await asked_more_than(asked, 0, "the partner to be dialled")
    await here.fact("13700000600", Kind.TRANSFER, state="failed")
    assert talk.is_talking
    await call.hang_up()
    return {"utility-water": sum(asked.values())}


async def of_a_drill(here: Scene, outside: Outside) -> dict[str, int]:
    asked = turn_away(outside.ends["drill-110"], outside)
    seat = await here.hotline.seat("8001", behaviour=Answer())
    await until(lambda: reachable(here, "8001"), "the phone to be reachable")
    await here.hotline.ask("/api/drills", {"target": "110", "seat": "8001"})
    talk = await seat.wait_talking(20)
    await soon(lambda: sum(asked.values()) > 0, "the drill's far end to be dialled")

    async def failed() -> bool:
        facts = await here.hotline.facts(drill_line(here.hotline.settings.node))
        return any(fact.data.get("state") == "failed" for fact in facts)

    await until(failed, "the drill to have failed")
    await talk.hang_up()
    return {"drill-110": 1}


async def of_a_phone_rung_for_a_drill(here: Scene, outside: Outside) -> dict[str, int]:
    seat = await here.hotline.seat("8001")
    asked = turn_away(seat, outside)
    await until(lambda: reachable(here, "8001"), "the phone to be reachable")
    for n in range(4):
        await here.hotline.ask("/api/drills", {"target": "110", "seat": "8001"})
        await asked_more_than(asked, n, "the phone to ring")
        await here.quiet()
    return {}


async def of_a_supervisors_phone(here: Scene, outside: Outside) -> dict[str, int]:
    boss = await here.hotline.seat("8010")
    asked = turn_away(boss, outside)
    await here.hotline.ask("/api/agents/1010/sign-in", {"seat": "8010"})
    await here.hotline.ask("/api/agents/1010/pause", {"reason": "会议"})
    seat = await here.agent("1001", "8001")
    seat.behaves = lambda _call: Answer()
    call = await here.hotline.citizen().call("12345", caller="13700000700")
    await seat.wait_talking(20)
    await here.seat_becomes("8001", "talking")
    for n in range(4):
        await here.hotline.ask("/api/supervise/listen", {"agent": "1001", "supervisor": "1010", "reason": "质检"})
        await asked_more_than(asked, n, "the supervisor's phone to ring")
    await call.hang_up()
    return {}


async def of_an_order(here: Scene, outside: Outside) -> dict[str, int]:
    asked = turn_away(outside.ends["pstn"], outside)
    call = await here.hotline.citizen().call("12320", caller="13700000800")
    await here.fact("13700000800", Kind.WAITING)
    record = await here.record("13700000800")
    assert record is not None
    body = {"type": "outage", "place": "东山路", "summary": "停水", "by": "1001"}
    told = await here.hotline.ask(f"/api/calls/{record.call}/orders", body)
    await soon(lambda: sum(asked.values()) > 0, "the duty phone to be dialled")
    await call.hang_up()

    async def judged() -> bool:
        order = await here.hotline.ask(f"/api/orders/{told['number']}")
        return "busy" in str(order) or "忙" in str(order)

    await until(judged, "the order to know that the duty phone did not take it")
    assert asked == {DUTY: 1}
    return {"pstn": 1}


async def of_a_citizen_called_back(here: Scene, outside: Outside) -> dict[str, int]:
    asked = turn_away(outside.ends["pstn"], outside)
    await promised(here, "13700000900")
    seat = await here.agent("1001", "8001")
    seat.behaves = lambda _call: Answer()
    await soon(lambda: sum(asked.values()) > 0, "the citizen to be dialled", 20)
    await becomes(here, "13700000900", "unreached")
    assert asked == {"13700000900": 1}
    assert seat.calls == [], "nobody was there to be put through"
    return {"pstn": 1}


async def reachable(here: Scene, seat: str) -> bool:
    return any(row["seat"] == seat and row["reachable"] for row in (await here.hotline.ask("/api/seats"))["seats"])


LEGS: tuple[Callable[[Scene, Outside], Awaitable[dict[str, int]]], ...] = (
    of_a_seat,
    of_a_centre,
    of_a_backup_too,
    of_a_partner,
    of_a_drill,
    of_a_phone_rung_for_a_drill,
    of_a_supervisors_phone,
    of_an_order,
    of_a_citizen_called_back,
)


@pytest.mark.parametrize("leg", LEGS, ids=lambda leg: leg.__name__)
async def test_a_redirect_of_any_leg_is_no_answer_and_dials_nobody(
    here: Scene, outside: Outside, leg: Callable[[Scene, Outside], Awaitable[dict[str, int]]]
) -> None:
    allowed = await leg(here, outside)
    await here.quiet()
    assert outside.came() == allowed
    assert not any(BAIT in call.dialled for end in outside.ends.values() for call in end.calls)


# What stands on the wire


def on_the_wire(call: PhoneCall) -> str:
    return "\n".join(f"{name}: {value}" for name, value in call.headers())


async def test_an_agents_phone_is_never_told_the_number(here: Scene) -> None:
    seat = await here.agent("1001", "8001")
    for caller, shown in (("13855556666", "138****6666"), ("06638761234", "066****1234"), (None, "anonymous")):
        headers = () if caller else (("P-Asserted-Identity", "<sip:13855556666@127.0.0.1>"),)
        call = await here.hotline.citizen().call("12345", caller=caller, headers=headers)
        talk = await seat.wait_talking(20)
        told = on_the_wire(talk)
        assert talk.caller == shown, told
        assert not re.search("13855556666|06638761234", told), told
        assert "P-Asserted-Identity" not in told
        await call.hang_up()
        await talk.ended(20)
        await here.hotline.ask("/api/agents/1001/ready", {})


# Whom a partner reaches


@pytest.mark.parametrize("dialled", ["110", "119", "120", "122", "0110", "0663110", "+86110", "008666110"])
async def test_a_partners_trunk_reaches_no_emergency_centre_through_us(
    here: Scene, outside: Outside, dialled: str
) -> None:
    ours = ("127.0.0.1", here.hotline.settings.sip_port)
    asserted = (("P-Asserted-Identity", "<sip:13999998888@127.0.0.1>"),)
    call = await outside.ends["utility-water"].dial(
        dialled, ours, from_header="<sip:13912345678@127.0.0.1>", headers=asserted
    )
    await here.fact("13999998888", Kind.WAITING, seconds=30)
    await call.hang_up()
    await here.quiet()
    assert outside.came() == {"utility-water": 1}, "only its own call"
