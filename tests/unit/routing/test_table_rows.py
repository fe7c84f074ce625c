"""The table as rows: nothing is lost on the way, and one description of the table drives all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from routing.codec import Misfit, build, field_types, plain
from routing.faults import TableInvalid
from routing.labels_zh import FIELDS, KINDS
from routing.model import LegacyNumber, MergeMode, Period, Snapshot, Table
from routing.sample_table import sample_table
from routing.snapshot import freeze, from_json, thaw, to_json
from routing.table_rows import Shape, kinds, rows_of, settings, table_of

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_table_is_its_rows() -> None:
    rows = rows_of(sample_table())
    assert table_of(rows) == sample_table()
    assert rows["numbers", "12315"]["mode"] == "dual"
    assert rows["seats", "8001"] == {}
    assert rows["rating_keys", "5"] == {"value": 5}
    assert rows["settings", "area_code"] == {"value": "0663"}


def test_a_published_version_gives_its_table_back() -> None:
    """So a rollback restores the table itself, and not only what calls need of it."""
    assert thaw(from_json(to_json(freeze(sample_table(), 3, MOMENT)))) == sample_table()


def test_every_kind_and_field_has_a_chinese_name() -> None:
    named = {
        f"{kind.name}.{field}" for kind in kinds().values() if kind.shape is not Shape.VALUE for field in kind.fields
    }
    assert set(KINDS) == set(kinds())
    assert set(FIELDS) == named | {f"settings.{name}" for name in settings()}


def test_every_field_of_the_table_is_frozen_into_a_version() -> None:
    assert set(field_types(Table)) < set(field_types(Snapshot))


def test_a_row_from_before_a_field_was_invented_takes_its_default() -> None:
    row = {"name": "人社", "mode": "full", "group": "general", "first_day": None, "last_day": None}
    rows = rows_of(sample_table()) | {("numbers", "12333"): row | {"prompt": "p", "prompt_after": "q"}}
    made = next(row for row in table_of(rows).numbers if row.number == "12333")
    assert (made.overflow_seconds, made.note) == (20, "")


def test_a_key_that_stands_twice_is_told() -> None:
    table = sample_table()
    with pytest.raises(TableInvalid, match=r"numbers\.12333：出现了两次"):
        rows_of(replace(table, numbers=(*table.numbers, table.numbers[0])))


def test_every_row_that_does_not_fit_is_told_at_once() -> None:
    rows = dict(rows_of(sample_table()))
    rows["numbers", "12333"] = {**rows["numbers", "12333"], "mode": "twice"}
    rows["groups", "general"] = {**rows["groups", "general"], "ring_seconds": "20"}
    rows["settings", "colour"] = {"value": "red"}
    del rows["settings", "greeting"]
    with pytest.raises(TableInvalid) as caught:
        table_of(rows)
    assert {fault.path for fault in caught.value.faults} == {
        "groups.general.ring_seconds", "numbers.12333.mode", "settings.colour", "greeting",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        (Period, {"days": [1], "start": "25:00", "end": "12:00"}, "start = '25:00'：应为时刻"),
        (Period, {"days": 1, "start": "08:00", "end": "12:00"}, "days = 1：应为列表"),
        (Period, {"days": [True], "start": "08:00", "end": "12:00"}, "应为整数"),
        (Period, {"days": [1], "start": "08:00"}, "end = None：应为有值"),
        (Period, [], "含 days、start、end 的一行"),
        (LegacyNumber, {"modus": "full"}, "没有这一项"),
        (dict[str, int], {"5": "5"}, "应为整数"),
        (dict[str, int], [], "名字到值的对照"),
    ],
)
def test_what_does_not_fit_is_a_sentence_with_its_path(kind: type, data: object, says: str) -> None:
    with pytest.raises(Misfit, match=says):
        build(kind, data)


def test_values_and_plain_data_are_two_forms_of_one_thing() -> None:
    period = Period(frozenset({7, 1}), time(20, 30), time(8))
    assert plain(period) == {"days": [1, 7], "start": "20:30:00", "end": "08:00:00"}
    assert build(Period, plain(period)) == period
    row = LegacyNumber("1", "x", MergeMode.DUAL, sample_table().default_group, date(2028, 2, 29), None, "p", "q")
    assert build(LegacyNumber, plain(row)) == row
