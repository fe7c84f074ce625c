"""Taking the sample out: only what nobody has touched, never what somebody needs, and nothing the lint refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.lint import lint
from routing.model import Agent, Announcement, Overflow, Table
from routing.sample_rows import KINDS, LINES, clear, marked, samples
from routing.sample_table import sample_table
from routing.table_rows import Key, patched, rows_of
from telephony.model import GroupId, OverflowTo, OverflowWhen

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
SHIPPED = [rows_of(SAMPLE)]
OURS = Agent("2001", "张三", (GroupId("general"),))


def of(keys: object, kind: str) -> set[str]:
    return {key for name, key in keys if name == kind}  # type: ignore[attr-defined]


def test_a_fresh_table_loses_numbers_partners_and_departments_and_keeps_who_answers() -> None:
    found = clear(SAMPLE, SHIPPED)
    assert (found.table.numbers, found.table.partners, found.table.departments, found.table.order_types) == ((),) * 4
    assert (found.table.agents, found.table.seats, found.table.groups) == (SAMPLE.agents, SAMPLE.seats, SAMPLE.groups)
    assert {found.kept["agents", "1001"], found.kept["seats", "8001"]} == {
        "还没有自己的座席人员，先留着，否则来电没有人接",
        "还没有自己的话机，先留着，否则谁也不能签入",
    }
    assert lint(found.table) == ()


def test_emergency_lines_stay_and_are_told() -> None:
    found = clear(SAMPLE, SHIPPED)
    lines = {trunk.id for trunk in SAMPLE.trunks if trunk.role in LINES}
    assert {trunk.id for trunk in found.table.trunks} == lines
    assert of(found.kept, "trunks") == lines
    assert {trunk.number for trunk in found.table.trunks if trunk.role == "emergency"} == {"110", "119", "120", "122"}


def test_a_city_with_agents_and_phones_of_its_own_loses_the_sample_s() -> None:
    ours = replace(SAMPLE, agents=(*SAMPLE.agents, OURS), seats=(*SAMPLE.seats, "8101"))
    found = clear(ours, SHIPPED)
    assert ([one.id for one in found.table.agents], found.table.seats) == (["2001"], ("8101",))
    assert [group.id for group in found.table.groups] == ["general"], "its agent serves it, and 12345 ends there"
    assert [schedule.id for schedule in found.table.schedules] == ["daily"], "callbacks are made then"
    assert found.kept["schedules", "daily"] == "回拨 还在用它"
    assert not marked(rows_of(found.table)), "no 示例 is left"
    assert lint(found.table) == ()


def test_what_the_city_has_changed_is_its_own_and_keeps_what_it_names() -> None:
    line = next(row for row in SAMPLE.numbers if row.number == "12366")
    checked = patched(SAMPLE, {("numbers", "12366"): {**rows_of(SAMPLE)["numbers", "12366"], "note": "已核"}})
    found = clear(checked, SHIPPED)
    assert [row.number for row in found.table.numbers] == ["12366"]
    assert {line.trunk, "office"} <= {trunk.id for trunk in found.table.trunks} | {s.id for s in found.table.schedules}
    assert found.kept["trunks", line.trunk] == "12366 还在用它"
    assert ("trunks", "subcentre-12367") in found.gone


def test_a_row_that_is_changed_and_still_marked_stays_and_is_told() -> None:
    other = patched(SAMPLE, {("numbers", "12333"): {**rows_of(SAMPLE)["numbers", "12333"], "overflow_seconds": 30}})
    found = clear(other, SHIPPED)
    assert [row.number for row in found.table.numbers] == ["12333"]
    assert ("numbers", "12333") in marked(rows_of(found.table))
    assert ("numbers", "12333") not in found.kept, "kept is for samples; this one is the city's"


def test_what_a_last_resort_or_an_announcement_names_stays() -> None:
    way = Overflow(OverflowWhen.WAITED, 60, OverflowTo.SUBCENTRE, "subcentre-12313")
    told = Announcement("typhoon", "台风", numbers=("12333",), groups=(GroupId("market"),))
    groups = tuple(replace(one, overflow=(way,)) if one.id == "general" else one for one in SAMPLE.groups)
    ours = replace(
        SAMPLE,
        groups=groups,
        announcements=(*SAMPLE.announcements, told),
        agents=(*SAMPLE.agents, OURS),
        seats=(*SAMPLE.seats, "8101"),
        auto_answer=("8003",),
    )
    found = clear(ours, SHIPPED)
    assert {("trunks", "subcentre-12313"), ("numbers", "12333"), ("groups", "market"), ("seats", "8003")} <= set(
        found.kept
    )
    assert lint(found.table) == ()


def test_an_agent_of_the_city_who_serves_another_group_does_not_leave_12345_without_anybody() -> None:
    market = replace(OURS, groups=(GroupId("market"),))
    found = clear(replace(SAMPLE, agents=(*SAMPLE.agents, market), seats=(*SAMPLE.seats, "8101")), SHIPPED)
    assert lint(found.table) == ()
    assert {"1001", "2001"} <= {one.id for one in found.table.agents}


def test_twice_takes_nothing_more() -> None:
    found = clear(SAMPLE, SHIPPED)
    assert clear(found.table, SHIPPED).gone == ()


CANDIDATES = samples(rows_of(SAMPLE), SHIPPED)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(CANDIDATES), max_size=25), st.booleans())
def test_whatever_the_city_has_made_its_own_the_rest_holds_together(own: set[Key], staffed: bool) -> None:
    rows = rows_of(SAMPLE)
    changed = {key: {**rows[key], "name": f"{rows[key]['name']}甲"[-12:]} for key in own if "name" in rows[key]}
    table: Table = patched(SAMPLE, changed)
    if staffed:
        table = replace(table, agents=(*table.agents, OURS), seats=(*table.seats, "8101"))
    before = {(fault.rule, fault.path) for fault in lint(table)}
    found = clear(table, SHIPPED)
    assert {(fault.rule, fault.path) for fault in lint(found.table)} <= before
    assert not set(changed) & set(found.gone)
    assert {key[0] for key in found.gone} <= set(KINDS)
    assert set(rows_of(found.table)) == set(rows_of(table)) - set(found.gone)
