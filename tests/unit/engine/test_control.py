"""What ``hotline status`` is told: healthy only when everything is, and each fault as a sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.background import BackgroundJobs
from engine.control import MAX_LAG_FACTS, Control
from engine.engine import Engine
from ivr.model import Script
from queues.events import Paused, SeatReachable
from queues.model import NotAllowed
from routing.holiday_alarm import CalendarWatch
from routing.tables import Tables
from telephony.ami_link import LinkCounters
from telephony.model import AgentId, SeatId
from tests.support.engine_harness import House, call_id

pytestmark = pytest.mark.unit


@dataclass
class Place:
    """An engine and its books, as far as the status looks at them."""

    house: House
    alarm: str = ""
    trouble: str = ""
    lag: int = 0
    counters: Any = field(default_factory=LinkCounters)

    def control(self, data_dir: Path) -> Control:
        house = self.house
        switch = SimpleNamespace(
            up=house.link.up, state=SimpleNamespace(value="up" if house.link.up else "down"), counters=self.counters
        )
        engine = SimpleNamespace(
            settings=SimpleNamespace(node="hl1", data_dir=data_dir), snapshot=house.table, queues=house.queues,
            calls=house.calls, callbacks=house.callbacks, mailbox=house.mailbox, orders=house.orders,
            healing=SimpleNamespace(mended=0), standing=SimpleNamespace(mended=1),
            resources=SimpleNamespace(shown=lambda: [{"limit": "calls", "used": 3, "most": 20}], refused=2),
            supervision=house.supervision, drain=SimpleNamespace(now=None),
            transfers=house.transfers, switch=switch,
            server=SimpleNamespace(counters=self.counters),
            journal=SimpleNamespace(state=SimpleNamespace(written=7, refused=0, alarm=self.alarm)),
            routes=house.routes, alarms=house.alarms, drills=house.drills,
            clock=lambda: house.now, recovery=SimpleNamespace(reconciled_at=None, differences=0),
        )  # fmt: skip

        async def lag() -> Any:
            return SimpleNamespace(facts=self.lag, seconds=1.25)

        drainer = SimpleNamespace(state=SimpleNamespace(trouble=self.trouble), lag=lag)
        return Control(
            cast("Engine", engine),
            cast("BackgroundJobs", SimpleNamespace(drainer=drainer)),
            cast("Tables", None),
            "made-up",
        )


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    made = Place(House())
    made.house.callbacks.loaded = made.house.orders.loaded = True
    yield made
    await made.house.queues.stop()


async def test_everything_well(place: Place, tmp_path: Path) -> None:
    told = await place.control(tmp_path).status()
    assert (told["healthy"], told["faults"]) == (True, [])
    assert (told["waiting"], told["longest_wait_ms"], told["calls"]) == (0, 0, 0)


async def test_an_engine_that_does_not_know_yet_what_was_promised_is_not_healthy(place: Place, tmp_path: Path) -> None:
    place.house.callbacks.loaded = place.house.orders.loaded = False
    told = await place.control(tmp_path).status()
    assert (told["healthy"], len(told["faults"])) == (False, 2)
    place.house.callbacks.loaded = place.house.orders.loaded = True
    assert (await place.control(tmp_path).status())["healthy"]


async def test_a_missing_year_of_holidays_is_an_alarm_and_no_fault(place: Place, tmp_path: Path) -> None:
    place.house.table = replace(place.house.table, known_years=frozenset({2001}))
    CalendarWatch(lambda: place.house.table, place.house.alarms).look(datetime.now(UTC))
    told = await place.control(tmp_path).status()
    assert told["healthy"]
    assert "的节假日安排" in told["alarms"][0]["text"]


async def test_who_waits_longest(place: Place, tmp_path: Path) -> None:
    for serial, age in ((1, 5_000), (2, 65_000)):
        place.house.desk.place(place.house.question(Script.OFFER, serial, since_ms=place.house.now - age))
    told = await place.control(tmp_path).status()
    assert (told["waiting"], told["longest_wait_ms"], told["calls"]) == (2, 65_000, 2)


async def test_a_transfer_in_progress_is_shown(place: Place, tmp_path: Path) -> None:
    place.house.transfers.on_event(call_id(1), {"Target": "110", "State": "asked", "Form": "one-key"})
    told = await place.control(tmp_path).status()
    asked = {"target": "110", "state": "asked", "form": "one-key", "trunk": "", "progress": ""}
    assert told["transfers"] == {call_id(1): asked}


async def test_a_route_that_is_down_is_an_alarm_and_a_fault_unless_it_leads_to_this_machine(
    place: Place, tmp_path: Path
) -> None:
    trunk = replace(place.house.table.trunks["emergency-110"], host="10.0.0.110")
    place.house.table = replace(place.house.table, trunks={**place.house.table.trunks, trunk.id: trunk})
    place.house.routes.look({"emergency-119": "UNAVAILABLE", "emergency-120": "NOT_INUSE"})
    told = await place.control(tmp_path).status()
    assert [alarm["alarm"] for alarm in told["alarms"]] == ["trunk-emergency-119"]
    assert told["healthy"], "it leads to this machine, as in the demo"
    place.house.routes.look({"emergency-110": "UNAVAILABLE"})
    told = await place.control(tmp_path).status()
    assert any("110" in fault for fault in told["faults"])
    up = {row["trunk"]: row["up"] for row in told["centres"]}
    assert (up["emergency-110"], up["emergency-120"], up["emergency-122"]) == (False, True, None)


async def test_a_centre_that_nobody_reached_is_an_alarm_until_it_answers(place: Place, tmp_path: Path) -> None:
    for state in ("dialling", "failed"):
        place.house.transfers.on_event(call_id(1), {"Target": "110", "State": state})
    assert not (await place.control(tmp_path).status())["healthy"]
    place.house.transfers.on_event(call_id(2), {"Target": "110", "State": "answered"})
    assert (await place.control(tmp_path).status())["healthy"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"alarm": "磁盘已满"}, "磁盘已满"),
        ({"trouble": "数据库连不上"}, "数据库连不上"),
        ({"lag": MAX_LAG_FACTS + 1}, "落后"),
    ],
)
async def test_a_fault_is_a_sentence(place: Place, tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    for name, value in change.items():
        setattr(place, name, value)
    told = await place.control(tmp_path).status()
    assert not told["healthy"]
    assert any(sentence in fault for fault in told["faults"])


async def test_without_the_switch_nothing_is_healthy_and_nobody_signs_in(place: Place, tmp_path: Path) -> None:
    place.house.link.up = False
    control = place.control(tmp_path)
    told = await control.status()
    assert not told["healthy"]
    assert "Asterisk" in told["faults"][0]
    with pytest.raises(NotAllowed, match="Asterisk"):
        control.tell(SeatReachable(SeatId("8001")))


async def test_what_people_ask_for_reaches_the_queue(place: Place, tmp_path: Path) -> None:
    control = place.control(tmp_path)
    with pytest.raises(NotAllowed, match="没有人签入"):
        control.tell(Paused(SeatId("8001"), "小休"))
    assert control.acd is place.house.queues.acd
    assert control.snapshot is place.house.table


async def test_what_is_taken_down_is_kept_and_a_field_left_out_stays(place: Place, tmp_path: Path) -> None:
    control, house = place.control(tmp_path), place.house
    house.desk.place(house.question(Script.OFFER, 1))
    control.take_down(call_id(1), "东山路 1 号", None)
    control.take_down(call_id(1), None, "着火")
    held = house.calls.live[call_id(1)]
    assert (held.address, held.summary) == ("东山路 1 号", "着火")
    control.take_down(call_id(1), "", None)
    assert (held.address, held.summary) == ("", "着火")
    house.calls.last_call_of[AgentId("1001")] = house.calls.live.pop(call_id(1))  # over, and still somebody's to finish
    control.take_down(call_id(1), None, "已转 119")
    assert (held.summary, control.caller_now(call_id(1))) == ("已转 119", held.caller)
    assert control.wrapped_up(AgentId("1001")) is None  # nobody is signed in: no wrap-up
    with pytest.raises(NotAllowed):
        control.take_down(call_id(2), "x", None)
