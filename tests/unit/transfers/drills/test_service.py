"""A drill on one node: begun only at an idle phone, written down whatever comes from the switch, overdue told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ledger.drill_report import Drill, DrillAttempt
from ledger.model import Kind
from queues.events import SeatReachable
from queues.model import NotAllowed
from routing.calendar import CITY
from telephony.model import SeatId
from tests.support.engine_harness import House
from transfers.drills.reminder import DrillReminder
from transfers.drills.service import LAST, RING_MS, alarm_of

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

SEAT = SeatId("8001")
ID = "hl1-1795351322.7"


@pytest.fixture
def house() -> House:
    made = House()
    made.queues.apply(SeatReachable(SEAT))
    return made


async def test_a_seat_rings_for_a_drill_and_who_asked_is_kept(house: House) -> None:
    await house.drills.start("110", SEAT, "班长")
    ((action, told),) = house.link.sent
    assert (action, told["Channel"], told["Variable"]) == (
        "Originate",
        "Local/exercise-110@ring-phone/n",
        "__HL_RING=8001",
    )
    house.drills.hear({"Drill": ID, "Target": "110", "State": "asked", "Seat": "8001"})
    house.drills.hear({"Drill": ID, "Target": "110", "State": "answered", "Trunk": "drill-110", "Ms": "812"})
    asked, heard = house.ledger.of(Kind.DRILL)
    assert asked == {"drill": ID, "state": "asked", "target": "110", "seat": "8001", "by": "班长"}
    assert heard == {"drill": ID, "state": "answered", "target": "110", "trunk": "drill-110", "ms": 812}
    (shown,) = house.drills.shown()
    assert (shown["seat"], shown["state"]) == ("8001", "answered")
    house.drills.hear({"Drill": ID, "Target": "110", "State": "ended", "Ms": "9000"})
    assert house.drills.shown() == []


async def test_a_page_sees_the_phone_ring_each_step_and_the_last_drills_that_are_over(house: House) -> None:
    told: list[str] = []
    house.drills.changed = lambda: told.append("changed")
    await house.drills.start("110", SEAT, "班长")
    assert house.drills.rows()["ring-8001"] | {"steps": 0} == {
        "target": "110", "seat": "8001", "agent": "", "by": "班长", "state": "ringing", "trunk": "", "success": False,
        "since_ms": house.now, "steps": 0,
    }  # fmt: skip
    for state, more in (
        ("asked", {"Seat": "8001"}),
        ("dialling", {"Trunk": "drill-110"}),
        ("missed", {"Trunk": "drill-110", "Ms": "90", "Status": "BUSY"}),
        ("answered", {"Trunk": "drill-110-backup", "Ms": "812"}),
        ("left", {"Trunk": "drill-110-backup", "Received": "40"}),
        ("ended", {"Ms": "9000"}),
    ):
        house.drills.hear({"Drill": ID, "Target": "110", "State": state, **more})
    assert len(told) == 7
    (row,) = house.drills.rows().values()
    assert (row["state"], row["by"], row["success"]) == ("ended", "班长", True)
    assert [(step["state"], step.get("trunk"), step.get("ms"), step.get("why")) for step in row["steps"]] == [
        ("asked", None, None, None),
        ("dialling", "drill-110", None, None),
        ("missed", "drill-110", 90, "占线"),
        ("answered", "drill-110-backup", 812, None),
        ("left", "drill-110-backup", None, None),
        ("ended", None, 9000, None),
    ]
    for number in range(LAST + 2):
        for state in ("asked", "ended"):
            house.drills.hear({"Drill": f"{ID}{number}", "Target": "119", "State": state, "Seat": "8001"})
    assert len(house.drills.rows()) == LAST


async def test_a_phone_that_rang_in_vain_is_shown_no_longer(house: House) -> None:
    await house.drills.start("110", SEAT, "班长")
    house.now += RING_MS + 1
    assert house.drills.rows() == {}


async def test_who_asked_long_ago_did_not_ask_for_the_drill_of_a_key(house: House) -> None:
    await house.drills.start("110", SEAT, "班长")
    house.now += RING_MS + 1
    house.drills.hear({"Drill": ID, "Target": "110", "State": "asked", "Seat": "8001"})
    assert "by" not in house.ledger.of(Kind.DRILL)[0]


async def test_a_drill_is_refused_with_what_to_do(house: House) -> None:
    for target, seat, why in (("12345", SEAT, "110"), ("110", SeatId("8002"), "不在线")):
        with pytest.raises(NotAllowed, match=why):
            await house.drills.start(target, seat, "")
    house.table = replace(house.table, trunks={"pstn": house.table.trunks["pstn"]})
    with pytest.raises(NotAllowed, match="没有演练线路"):
        await house.drills.start("110", SEAT, "")
    assert house.link.sent == []


async def test_what_is_no_drills_news_is_dropped_and_odd_numbers_are_left_out(house: House) -> None:
    for told in (
        {},
        {"Drill": "x", "Target": "110", "State": "asked"},
        {"Drill": ID, "Target": "12345", "State": "asked"},
        {"Drill": ID, "Target": "110", "State": "won"},
    ):
        house.drills.hear(told)
    assert house.ledger.of(Kind.DRILL) == []
    house.drills.hear({"Drill": ID, "Target": "110", "State": "left", "Trunk": "t", "Ms": "-1", "Received": "九"})
    assert house.ledger.of(Kind.DRILL) == [{"drill": ID, "state": "left", "target": "110", "trunk": "t"}]


async def test_a_month_without_a_drill_is_an_alarm_until_one_succeeds(house: House) -> None:
    now = datetime(2026, 11, 5, tzinfo=UTC)
    held = [Drill(ID, "110", now, tries=(DrillAttempt("drill-110", 1, 2),))]

    async def known() -> list[Drill]:
        return held

    async def began() -> datetime | None:
        return datetime(2026, 1, 5, tzinfo=UTC)

    await DrillReminder(known, began, house.alarms, CITY).look(now)
    assert set(house.alarms.standing) == {alarm_of(target) for target in ("119", "120", "122")}
    assert not any(alarm.grave for alarm in house.alarms.standing.values())
    for state in ("asked", "answered", "ended"):
        house.drills.hear({"Drill": ID, "Target": "119", "State": state, "Trunk": "drill-119"})
    for state in ("asked", "answered", "missed", "ended"):
        house.drills.hear({"Drill": ID, "Target": "120", "State": state, "Trunk": "drill-120"})
    assert set(house.alarms.standing) == {alarm_of("120"), alarm_of("122")}
