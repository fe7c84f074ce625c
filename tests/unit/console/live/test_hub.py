"""Rows and frames of the live WebSocket: made once for all, told once, nothing made for nobody."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from console.live import hub as live_hub
from console.live.hub import Hub, Subscriber
from console.screens.topics import Changed, Row, Rows, Topic, change, frame
from telephony.model import AgentId

pytestmark = pytest.mark.unit


class Screens:
    """Rows in a dictionary, and how often they were made."""

    def __init__(self) -> None:
        self.tables: dict[Topic, dict[str, Row]] = {topic: {} for topic in Topic}
        self.desks: dict[str, dict[str, Row]] = {}
        self.made: Counter[str] = Counter()
        self.wake: Callable[[], None] | None = None
        self.marks: dict[Topic, set[str] | None] = {}
        self.broken = False

    def watch(self, wake: Callable[[], None] | None) -> None:
        self.wake = wake

    def changed(self) -> Changed:
        taken, self.marks = self.marks, {}
        return taken

    def rows(self, topic: Topic) -> Rows:
        self.made[topic] += 1
        if self.broken:
            raise RuntimeError("no rows")
        return self.tables[topic]

    def row(self, topic: Topic, key: str) -> Row | None:
        self.made[f"{topic} {key}"] += 1
        return self.tables[topic].get(key)

    def desk(self, agent: AgentId) -> Rows:
        self.made[f"desk {agent}"] += 1
        return self.desks.get(agent, {})

    def put(self, topic: Topic, key: str, row: Row | None) -> None:
        if row is None:
            del self.tables[topic][key]
        else:
            self.tables[topic][key] = row
        self.stir(topic, key)

    def stir(self, topic: Topic, *keys: str) -> None:
        if self.wake is not None:
            if not self.marks:
                self.wake()
            self.marks[topic] = {*(self.marks.get(topic) or ()), *keys}


class Wire:
    """What a page would get."""

    def __init__(self, behind: int = 0) -> None:
        self.data = b""
        self.behind = behind
        self.aborted = False

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return self.behind

    def abort(self) -> None:
        self.aborted = True

    def is_closing(self) -> bool:
        return self.aborted

    def told(self) -> list[dict[str, Any]]:
        """The frames so far, taken apart as RFC 6455 has them; none the next time."""
        found, data = [], self.data
        while data:
            assert data[0] == 0x81
            size, start = data[1], 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            elif size == 127:
                size, start = int.from_bytes(data[2:10], "big"), 10
            found.append(json.loads(data[start : start + size]))
            data = data[start + size :]
        self.data = b""
        return found


@pytest.fixture
def screens() -> Screens:
    return Screens()


@pytest.fixture
async def hub(screens: Screens) -> AsyncIterator[Hub]:
    made = Hub(screens, lambda: 1000)
    yield made
    await made.stop()


def watcher(*topics: Topic, agent: str = "", behind: int = 0) -> tuple[Subscriber, Wire]:
    wire = Wire(behind)
    return Subscriber(wire, frozenset(topics), AgentId(agent) if agent else None), wire


async def step() -> None:
    await asyncio.sleep(live_hub.STEP_SECONDS * 1.5)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_hub, "STEP_SECONDS", 0.02)
    monkeypatch.setattr(live_hub, "GATHER_SECONDS", 0.001)


@pytest.mark.parametrize("size", [0, 90, 91, 92, 200, 65_000, 65_600])
def test_a_frame_holds_its_text_whatever_its_size(size: int) -> None:
    wire = Wire()
    wire.write(frame({"text": "话" * (size // 3) + "x" * (size % 3)}))
    assert len(wire.told()[0]["text"]) == size // 3 + size % 3


def test_a_change_is_what_is_new_or_other_and_what_is_gone_among_the_keys_that_were_asked_for() -> None:
    before, after = {"a": {"n": 1}, "b": {"n": 1}, "c": {"n": 1}}, {"a": {"n": 1}, "b": {"n": 2}, "d": {"n": 1}}
    assert change(before, after) == ({"b": {"n": 2}, "d": {"n": 1}}, ["c"])
    assert change(before, after, {"b"}) == ({"b": {"n": 2}}, [])
    assert change(before, {}, {"c"}) == ({}, ["c"])


async def test_everything_first_then_what_changed_and_gone_rows(hub: Hub, screens: Screens) -> None:
    screens.tables[Topic.CALLS] = {"c1": {"phase": "waiting"}, "c2": {"phase": "waiting"}}
    one, wire = watcher(Topic.CALLS, Topic.ALARMS)
    hub.subscribe(one)
    assert wire.told() == [
        {"topic": "calls", "at": 1000, "whole": {"c1": {"phase": "waiting"}, "c2": {"phase": "waiting"}}},
        {"topic": "alarms", "at": 1000, "whole": {}},
    ]
    screens.put(Topic.CALLS, "c1", {"phase": "talking"})
    screens.put(Topic.CALLS, "c2", None)
    await step()
    assert wire.told() == [{"topic": "calls", "at": 1000, "set": {"c1": {"phase": "talking"}}, "gone": ["c2"]}]
    hub.unsubscribe(one)


async def test_rows_and_frames_are_made_once_for_all_who_look(hub: Hub, screens: Screens) -> None:
    wires = []
    for _ in range(50):
        one, wire = watcher(Topic.AGENTS)
        hub.subscribe(one)
        wires.append(wire)
    assert screens.made == {"agents": 1}
    screens.put(Topic.AGENTS, "1001", {"state": "ready"})
    screens.put(Topic.GROUPS, "general", {"waiting": 1})
    await step()
    assert screens.made == {"agents": 1, "agents 1001": 1}, "nobody watches the groups"
    assert len({wire.data for wire in wires}) == 1
    assert [told["topic"] for told in wires[0].told()] == ["agents", "agents"]


async def test_what_happens_within_a_step_is_one_frame_and_nothing_new_is_none(hub: Hub, screens: Screens) -> None:
    one, wire = watcher(Topic.AGENTS)
    hub.subscribe(one)
    wire.told()
    for state in ("reserved", "ringing", "talking"):
        screens.put(Topic.AGENTS, "1001", {"state": state})
    await step()
    assert [told["set"] for told in wire.told()] == [{"1001": {"state": "talking"}}]
    screens.stir(Topic.AGENTS, "1001")
    await step()
    assert wire.told() == []
    hub.unsubscribe(one)


async def test_a_desk_is_made_for_its_agent_alone_and_only_when_it_changed(hub: Hub, screens: Screens) -> None:
    screens.desks = {"1001": {"seat": {"state": "ready"}}, "1002": {"seat": {"state": "paused"}}}
    (mine, my_wire), (other, other_wire), (nobody, bare) = (
        watcher(Topic.ME, agent="1001"), watcher(Topic.ME, agent="1002"), watcher(Topic.ME),
    )  # fmt: skip
    for one in (mine, other, nobody):
        hub.subscribe(one)
    assert [wire.told()[0]["whole"] for wire in (my_wire, other_wire, bare)] == [
        {"seat": {"state": "ready"}}, {"seat": {"state": "paused"}}, {},
    ]  # fmt: skip
    screens.desks["1001"] = {"seat": {"state": "ringing"}, "call": {"number": "12333"}}
    screens.stir(Topic.ME, "1001", "1009")
    await step()
    assert my_wire.told()[0]["set"] == {"seat": {"state": "ringing"}, "call": {"number": "12333"}}
    assert other_wire.told() == bare.told() == []
    assert screens.made == {"desk 1001": 2, "desk 1002": 1}
    screens.desks["1001"] = {"seat": {"state": "ready"}}
    screens.stir(Topic.ME, "1001")
    await step()
    assert my_wire.told()[0]["gone"] == ["call"]


async def test_when_nobody_looks_nothing_is_made_and_nothing_listens(hub: Hub, screens: Screens) -> None:
    one, _ = watcher(Topic.AGENTS)
    hub.subscribe(one)
    screens.stir(Topic.AGENTS, "1001")
    hub.unsubscribe(one)
    assert screens.wake is None
    made = screens.made.total()
    await step()
    assert screens.made.total() == made
    assert len(hub) == 0


async def test_a_page_that_does_not_keep_up_is_let_go_and_the_others_are_not(hub: Hub, screens: Screens) -> None:
    (slow, slow_wire), (quick_one, wire) = watcher(Topic.AGENTS), watcher(Topic.AGENTS)
    hub.subscribe(slow)
    hub.subscribe(quick_one)
    slow_wire.behind = live_hub.MAX_BEHIND_BYTES + 1
    screens.put(Topic.AGENTS, "1001", {"state": "ready"})
    await step()
    assert (slow_wire.aborted, wire.aborted) == (True, False)
    assert len(wire.told()) == 2
    screens.put(Topic.AGENTS, "1001", {"state": "paused"})
    await step()
    assert (len(slow_wire.told()), len(wire.told())) == (1, 1)


async def test_a_pulse_tells_that_we_are_here_and_finds_what_nobody_told_of(
    hub: Hub, screens: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_hub, "PULSE_SECONDS", 0.03)
    one, wire = watcher(Topic.AGENTS)
    hub.subscribe(one)
    wire.told()
    screens.tables[Topic.AGENTS]["1001"] = {"state": "ready"}
    await asyncio.sleep(0.05)
    assert [told["topic"] for told in wire.told()] == ["agents", "pulse"]
    screens.broken = True
    await asyncio.sleep(0.05)
    assert "pulse" in [told["topic"] for told in wire.told()], "a row that cannot be made silences nobody"
    hub.unsubscribe(one)
