"""Several people edit one draft: whoever comes second is told what the first did, and loses nothing typed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from database.connection import Database, open_database
from routing import store
from routing.draft import DraftConflict, Edit
from routing.faults import TableInvalid
from routing.model import MergeMode, Table
from routing.sample_table import sample_table
from routing.service import NoTable, edit_draft, load_draft, load_sample, save_draft

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 11, 22, 4, 5, tzinfo=UTC)
LINE = ("numbers", "12315")


def edit(fields: Mapping[str, Any] | None, seen: int | None = None, key: tuple[str, str] = LINE) -> Edit:
    return Edit(key, fields, seen)


async def do(database: Database, *edits: Edit, by: str = "张三") -> Mapping[tuple[str, str], int]:
    return await edit_draft(database, edits, by=by, clock=lambda: MOMENT)


async def row(database: Database, number: str = "12315") -> Any:
    return next((row for row in (await load_draft(database)).table.numbers if row.number == number), None)


async def test_an_edit_changes_the_typed_fields_only(database: Database) -> None:
    await load_sample(database)
    before = await row(database)
    assert await do(database, edit({"mode": "full", "schedule": ""})) == {LINE: 2}
    assert await row(database) == replace(before, mode=MergeMode.FULL, schedule="")


async def test_two_admins_edit_the_same_row_and_the_second_is_told_what_the_first_changed(database: Database) -> None:
    await load_sample(database)
    seen = (await load_draft(database)).revision
    await do(database, edit({"mode": "full", "overflow_seconds": 30}, seen), by="张三")
    with pytest.raises(DraftConflict) as caught:
        await do(database, edit({"overflow_seconds": 45, "note": "夜间试行"}, seen), by="李四")
    (conflict,) = caught.value.conflicts
    assert (conflict.by, conflict.at, conflict.revision) == ("张三", MOMENT, 2)
    assert {one.field: (one.base, one.theirs, one.yours) for one in conflict.fields} == {
        "mode": ("dual", "full", "dual"),
        "overflow_seconds": (20, 30, 45),
        "note": ("示例，待核", "示例，待核", "夜间试行"),
    }
    text = str(caught.value)
    assert "12315 已被 张三 在 2026-11-22 12:05:00 修改" in text
    assert "归并方式：原为 双号并行，张三 改为 整体并入" in text
    assert "溢出秒数：原为 20，张三 改为 30，您要改为 45" in text
    assert "备注：原为 示例，待核，您要改为 夜间试行" in text
    assert "改动号 2" in text
    assert (await row(database)).overflow_seconds == 30  # nothing of the second was half applied
    await do(database, edit({"overflow_seconds": 45, "note": "夜间试行"}, conflict.revision), by="李四")
    after = await row(database)
    assert (after.mode, after.overflow_seconds, after.note) == (MergeMode.FULL, 45, "夜间试行")


async def test_edits_of_different_rows_do_not_meet(database: Database) -> None:
    await load_sample(database)
    seen = (await load_draft(database)).revision
    await do(database, edit({"note": "甲"}, seen))
    await do(database, edit({"note": "乙"}, seen, ("numbers", "12333")), by="李四")
    assert [(await row(database, number)).note for number in ("12315", "12333")] == ["甲", "乙"]


async def test_who_wants_the_same_is_no_conflict(database: Database) -> None:
    await load_sample(database)
    await do(database, edit({"note": "甲"}, 1))
    assert await do(database, edit({"note": "甲"}, 1), by="李四") == {LINE: 2}


async def test_a_row_deleted_meanwhile_is_told(database: Database) -> None:
    await load_sample(database)
    await do(database, edit(None, 1), by="张三")
    assert await row(database) is None
    with pytest.raises(DraftConflict, match=r"12315 已被 张三 在 .* 删除") as caught:
        await do(database, edit({"note": "乙"}, 1), by="李四")
    (conflict,) = caught.value.conflicts
    assert conflict.deleted
    assert [one.yours for one in conflict.fields if one.field == "note"] == ["乙"]


async def test_deleting_what_somebody_changed_is_told(database: Database) -> None:
    await load_sample(database)
    await do(database, edit({"note": "甲"}, 1), by="张三")
    with pytest.raises(DraftConflict, match="确认要删除这一行"):
        await do(database, edit(None, 1), by="李四")


async def test_all_edits_of_one_request_are_saved_or_none(database: Database) -> None:
    await load_sample(database)
    await do(database, edit({"note": "甲"}, 1))
    with pytest.raises(DraftConflict):
        await do(database, edit({"note": "乙"}, None, ("numbers", "12333")), edit({"note": "乙"}, 1))
    assert (await row(database, "12333")).note == "示例，待核"


@pytest.mark.parametrize(
    ("key", "fields", "says"),
    [
        (LINE, {"mode": "twice"}, "numbers.12315.mode = 'twice'：应为 full、dual、subcentre 之一"),
        (LINE, {"modus": "full"}, "没有这一项"),
        (LINE, {"overflow_seconds": "20"}, "应为整数"),
        (("numbers", "12399"), {"mode": "full"}, "不能缺"),
        (("numbers", "12399"), None, "没有这一行"),
        (("lines", "1"), {}, "numbers"),
        (("settings", "colour"), {"value": "red"}, "area_code"),
        (("seats", "8011"), {"name": "x"}, "只有键的一行"),
        (("known_years", "next"), {}, "整数"),
    ],
)
async def test_values_that_do_not_fit_are_told(database: Database, key: Any, fields: Any, says: str) -> None:
    await load_sample(database)
    with pytest.raises(TableInvalid, match=says.replace(".", r"\.")):
        await do(database, edit(fields, None, key))
    assert (await load_draft(database)).revision == 1


async def test_rows_of_every_kind_are_added_and_removed(database: Database) -> None:
    await load_sample(database)
    await do(
        database,
        edit({}, None, ("seats", "8011")),
        edit({}, None, ("known_years", "2027")),
        edit({"value": 1}, None, ("rating_keys", "9")),
        edit({"kind": "holiday", "name": "元旦"}, None, ("holidays", "2027-01-01")),
        edit({"value": "0754"}, None, ("settings", "area_code")),
        edit(None, None, ("seats", "8001")),
    )
    table = (await load_draft(database)).table
    assert table.seats[-1] == "8011"
    assert "8001" not in table.seats
    assert 2027 in table.known_years
    assert table.rating_keys["9"] == 1
    assert table.holidays[-1].name == "元旦"
    assert table.area_code == "0754"


async def test_a_draft_brought_up_to_date_is_the_draft_read_anew(database: Database) -> None:
    await load_sample(database)
    known = await load_draft(database)
    assert await load_draft(database, known) is known
    await do(
        database,
        edit({"note": "甲"}),
        edit(None, None, ("numbers", "12333")),
        edit({}, None, ("seats", "8011")),
        edit(None, None, ("seats", "8001")),
        edit({"value": 1}, None, ("rating_keys", "9")),
        edit(None, None, ("rating_keys", "5")),
        edit({"value": "0754"}, None, ("settings", "area_code")),
        edit({"kind": "holiday", "name": "元旦"}, None, ("holidays", "2027-01-01")),
        edit({"name": "夜班"}, None, ("groups", "night")),
    )
    assert await load_draft(database, known) == await load_draft(database)


async def test_what_was_ever_typed_is_kept(database: Database) -> None:
    await load_sample(database)
    await do(database, edit({"note": "甲"}))
    await do(database, edit(None), by="李四")
    async with database.reading() as session:
        deleted, changed, first = await store.row_history(session, LINE)
    assert (deleted.row, deleted.changed_by, changed.changed_by) == (None, "李四", "张三")
    assert changed.row is not None
    assert changed.row["note"] == "甲"
    assert first.revision == 1


async def test_a_whole_table_is_saved_over_the_draft_it_was_made_from(database: Database) -> None:
    await load_sample(database)
    draft = await load_draft(database)
    wanted = _with_note(draft.table, "12333", "导入")
    assert await save_draft(database, wanted, seen=draft.revision, by="张三") == {("numbers", "12333")}
    assert (await load_draft(database)).table == wanted
    assert await save_draft(database, wanted, seen=draft.revision + 1, by="张三") == frozenset()


async def test_saving_a_whole_table_keeps_what_only_others_changed(database: Database) -> None:
    await load_sample(database)
    draft = await load_draft(database)
    await do(database, edit({"note": "甲"}), edit({}, None, ("seats", "8011")), by="张三")
    await save_draft(database, _with_note(draft.table, "12333", "导入"), seen=draft.revision, by="李四")
    table = (await load_draft(database)).table
    assert [(await row(database, number)).note for number in ("12315", "12333")] == ["甲", "导入"]
    assert "8011" in table.seats


async def test_saving_a_whole_table_over_a_row_that_others_changed_is_a_conflict(database: Database) -> None:
    await load_sample(database)
    draft = await load_draft(database)
    await do(database, edit({"note": "甲"}), by="张三")
    wanted = _with_note(_with_note(draft.table, "12315", "导入"), "12333", "导入")
    with pytest.raises(DraftConflict, match="备注：原为 示例，待核，张三 改为 甲，您要改为 导入"):
        await save_draft(database, wanted, seen=draft.revision, by="李四")
    assert (await row(database, "12333")).note == "示例，待核"


async def test_rows_keep_the_order_of_the_table_that_was_saved(database: Database) -> None:
    await load_sample(database)
    draft = await load_draft(database)
    turned = replace(draft.table, numbers=draft.table.numbers[::-1])
    assert await save_draft(database, turned, seen=draft.revision, by="张三") == frozenset()
    assert (await load_draft(database)).table == turned


async def test_many_admins_at_once_lose_no_edit(database: Database) -> None:
    await load_sample(database)
    other = open_database(database.engine.url)
    numbers = [row.number for row in sample_table().numbers]
    try:
        await asyncio.gather(
            *(
                do(one, edit({"note": f"第{n}次"}, None, ("numbers", number)))
                for n, (one, number) in enumerate(zip((database, other) * 7, numbers, strict=True))
            )
        )
    finally:
        await other.close()
    assert {(await row(database, number)).note for number in numbers} == {f"第{n}次" for n in range(len(numbers))}
    assert (await load_draft(database)).revision == 1 + len(numbers)


async def test_without_a_table_the_way_to_one_is_told(database: Database) -> None:
    with pytest.raises(NoTable, match="hotline up"):
        await load_draft(database)


def _with_note(table: Table, number: str, note: str) -> Table:
    return replace(
        table, numbers=tuple(replace(row, note=note) if row.number == number else row for row in table.numbers)
    )
