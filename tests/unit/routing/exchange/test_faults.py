"""Every error of a file at once, each at its cell; nothing applied unless all is right; hostile files are bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from defusedxml.common import EntitiesForbidden
from openpyxl import load_workbook
from typer.testing import CliRunner

from cli.commands.routing import app
from database.schema import upgrade
from routing.columns import place_of, place_words, sheets
from routing.exchange import workbook
from routing.exchange.faults import CellFault, FileInvalid
from routing.exchange.grid import Grid, table_of
from routing.exchange.separated import read_csv, read_pasted, write_csv
from routing.exchange.workbook import read_workbook, write_workbook
from routing.model import MergeMode, Table
from routing.sample_table import sample_table

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
NUMBERS = sheets()["numbers"]


def changed(cells: dict[str, object], *, sheet: str = "归并号码", table: Table = SAMPLE) -> bytes:
    """The table's workbook with some cells as somebody has typed them."""
    book = load_workbook(BytesIO(write_workbook(table)))
    for name, value in cells.items():
        book[sheet][name] = value
    data = BytesIO()
    book.save(data)
    return data.getvalue()


def faults_of(data: bytes) -> tuple[CellFault, ...]:
    with pytest.raises(FileInvalid) as caught:
        table_of(read_workbook(data), None)
    return caught.value.faults


def pasted(text: str, base: Table = SAMPLE) -> Table:
    return table_of([read_pasted(NUMBERS, text)], base, merge=True)


@pytest.mark.parametrize(
    ("cell", "typed", "column", "says", "fix"),
    [
        ("C2", "并入", "归并方式", "应为 整体并入、双号并行、设分中心 之一", "整体并入"),
        ("C2", None, "归并方式", "必须填写", "整体并入"),
        ("D2", "socia", "受理组", "没有这个技能组", "general"),
        ("E2", "七月一日", "过渡期第一天", "应为日期", "2026-07-01"),
        ("E2", "2026-02-30", "过渡期第一天", "没有这一天", "2026-07-01"),
        ("E2", datetime(2026, 7, 1, 8), "过渡期第一天", "不带时刻", "2026-07-01"),  # noqa: DTZ001 a spreadsheet's dates have no zone
        ("F2", "2026-06-30", "过渡期最后一天", "早于第一天", "2026-07-01"),
        ("G2", "过渡期", "过渡期提示音", "小写字母", "legacy-12333-during"),
        ("K2", "二十", "溢出秒数", "应为整数", "20"),
        ("K2", 20.5, "溢出秒数", "应为整数", "20"),
        ("K2", -1, "溢出秒数", "0 到 3600", "20"),
        ("L2", "subcentre-12366", "分中心线路", "只有设分中心", "subcentre"),
        ("A2", "0663-12333", "号码", "永远匹配不到来电", "12333"),
        ("A2", 110, "号码", "紧急号码不归并", ""),
        ("A2", 12349, "号码", "与第 2 行重复", ""),
        ("B2", "=A1&CHAR(10)", "", "", ""),
    ],
)
def test_a_fault_names_sheet_row_column_value_and_what_would_work(
    cell: str, typed: object, column: str, says: str, fix: str
) -> None:
    data = changed({cell: typed})
    if not column:
        # A formula is text, wherever text may stand.
        assert table_of(read_workbook(data), None).numbers[0].name == typed
        return
    (fault, *more) = faults_of(data)
    assert more == []
    line = 3 if "重复" in says else 2
    assert (fault.sheet, fault.line, fault.column, fault.letter) == ("归并号码", line, column, cell[0])
    assert says in fault.reason
    assert fix in fault.fix
    assert str(fault).startswith(f"“归并号码”第 {line} 行“{column}”（{cell[0]}{line}）")


def test_a_cell_that_cannot_be_read_is_told_once() -> None:
    (fault,) = faults_of(changed({"E2": "五千"}, sheet="线路"))
    assert (fault.sheet, fault.column, fault.reason) == ("线路", "端口", "应为整数")


def test_the_only_faults_are_those_of_the_cells_and_all_at_once() -> None:
    found = faults_of(changed({"C2": "x", "D3": "x", "E4": "x", "K5": "x", "A6": "x"}))
    assert [(fault.letter, fault.line) for fault in found] == [("C", 2), ("D", 3), ("E", 4), ("K", 5), ("A", 6)]


def test_a_wrong_reference_from_another_sheet_is_told_at_its_cell() -> None:
    found = faults_of(changed({"A2": "Gone!"}, sheet="技能组"))
    assert ("技能组", 2, "编号") in {(fault.sheet, fault.line, fault.column) for fault in found}
    assert {fault.sheet for fault in found} == {"总体设置", "技能组", "归并号码", "座席人员"}
    assert all(fault.line for fault in found)


def test_a_ten_thousand_row_import_with_forty_errors_reports_forty() -> None:
    rows = [replace(SAMPLE.numbers[place % 3], number=str(80000000 + place)) for place in range(10_000)]
    table = replace(SAMPLE, numbers=tuple(rows))
    lines = list(write_csv(NUMBERS, table).decode("utf-8-sig").splitlines())
    spoil: Sequence[tuple[str, str]] = (
        ("整体并入", "并入"),
        ("2026-07-01", "2026-07-32"),
        (",20,", ",廿,"),
        ("legacy-", "遗留"),
    )
    for fault in range(40):
        place = 1 + fault * 249
        old, new = spoil[fault % 4]
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new, 1)
    with pytest.raises(FileInvalid) as caught:
        table_of([read_csv(NUMBERS, "\r\n".join(lines).encode())], SAMPLE)
    assert len(caught.value.faults) == 40
    assert [fault.line for fault in caught.value.faults] == [2 + fault * 249 for fault in range(40)]
    assert "有 40 处错误，什么也没有改动" in str(caught.value)


# Formulas, macros, bombs


def test_a_formula_or_a_macro_in_a_cell_is_text_both_ways() -> None:
    evil = '=cmd|"/c calc"!A1'
    table = replace(SAMPLE, numbers=(replace(SAMPLE.numbers[0], name=evil, note="@SUM(A1)"), *SAMPLE.numbers[1:]))
    data = write_workbook(table)
    cell = load_workbook(BytesIO(data))["归并号码"]["B2"]
    assert (cell.value, cell.data_type) == (evil, "s")
    assert b"<f>" not in ZipFile(BytesIO(data)).read("xl/worksheets/sheet6.xml")
    assert table_of(read_workbook(data), None) == table
    text = write_csv(NUMBERS, table).decode("utf-8-sig")
    assert "'=cmd|" in text
    assert ",'@SUM(A1)" in text


@pytest.mark.parametrize("typed", ["=1+1", '=HYPERLINK("http://x")'])
def test_a_formula_where_no_text_may_stand_is_a_fault(typed: str) -> None:
    (fault,) = faults_of(changed({"K2": typed}))
    assert (fault.value, fault.reason) == (typed, "应为整数")


def test_a_workbook_with_macros_is_read_as_cells_only() -> None:
    data = BytesIO(write_workbook(SAMPLE))
    with ZipFile(data, "a") as parts:
        parts.writestr("xl/vbaProject.bin", b"\xcc\x61 not run")
    assert table_of(read_workbook(data.getvalue()), None) == SAMPLE


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = BytesIO()
    with ZipFile(bomb, "w", ZIP_DEFLATED) as parts:
        parts.writestr("xl/workbook.xml", b"0" * 2_000_000)
    monkeypatch.setattr(workbook, "MOST_UNPACKED_BYTES", 1_000_000)
    monkeypatch.setattr(workbook, "load_workbook", lambda *_a, **_k: pytest.fail("unpacked"))
    with pytest.raises(FileInvalid, match="展开后有 1 个部分、2 MB"):
        read_workbook(bomb.getvalue())


def test_entities_in_a_workbook_are_refused() -> None:
    old = ZipFile(BytesIO(write_workbook(SAMPLE)))
    laughing = BytesIO()
    with ZipFile(laughing, "w", ZIP_DEFLATED) as new:
        for part in old.namelist():
            text = old.read(part)
            if part == "xl/worksheets/sheet2.xml":
                start = text.index(b"?>") + 2 if text.startswith(b"<?xml") else 0
                text = text[:start] + b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + text[start:]
            new.writestr(part, text)
    with pytest.raises(FileInvalid, match="不允许的内容") as caught:
        read_workbook(laughing.getvalue())
    behind: BaseException | None = caught.value
    while behind is not None and not isinstance(behind, EntitiesForbidden):
        behind = behind.__cause__ or behind.__context__
    assert behind is not None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "不是 .xlsx"),
        (b"PK\x03\x04 nothing", "不是 .xlsx"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "旧格式"),
        (b"x" * (workbook.MOST_BYTES + 1), "最多 20 MB"),
    ],
    ids=["empty", "no zip", "xls", "huge"],
)
def test_what_is_no_workbook_is_one_clear_sentence(data: bytes, says: str) -> None:
    with pytest.raises(FileInvalid, match=says):
        read_workbook(data)


def test_a_strange_sheet_column_or_setting_is_told() -> None:
    book = load_workbook(BytesIO(write_workbook(SAMPLE)))
    book["技能组"]["F1"] = "颜色"
    book["总体设置"]["A2"] = "区域"
    data = BytesIO()
    book.save(data)
    found = {str(fault) for fault in faults_of(data.getvalue())}
    assert any("“技能组”第 1 行（F1） = '颜色'：没有这一列" in fault for fault in found), found
    assert any("“总体设置”第 2 行（A2） = '区域'：没有这一项" in fault for fault in found), found
    book.create_sheet("草稿纸")
    data = BytesIO()
    book.save(data)
    assert "不认识工作表“草稿纸”" in str(faults_of(data.getvalue())[0])


def test_too_many_lines_or_columns_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_LINES", 10)
    with pytest.raises(FileInvalid, match="超过 10 行"):
        read_workbook(write_workbook(SAMPLE))
    with pytest.raises(FileInvalid, match="超过 50000 行或 64 列"):
        read_csv(NUMBERS, b"a," * 70)
    with pytest.raises(FileInvalid, match="不是文本文件"):
        read_csv(NUMBERS, b"a\0b")
    with pytest.raises(FileInvalid, match="引号或分隔"):
        read_csv(NUMBERS, b'"a\n')


def test_a_sheet_that_is_missing_is_told_unless_a_draft_stands_behind() -> None:
    grid = read_csv(NUMBERS, write_csv(NUMBERS, SAMPLE))
    assert table_of([grid], SAMPLE) == SAMPLE
    with pytest.raises(FileInvalid) as caught:
        table_of([grid], None)
    assert {fault.sheet for fault in caught.value.faults} == {s.title for s in sheets().values()} - {"归并号码"}
    with pytest.raises(FileInvalid, match="出现了两次"):
        table_of([grid, grid], SAMPLE)
    with pytest.raises(FileInvalid, match="是空的"):
        table_of([Grid(NUMBERS, [])], SAMPLE)


# Paste


def test_rows_pasted_from_a_spreadsheet_are_put_over_those_with_the_same_key() -> None:
    table = pasted("12333\t人社局\t双号并行\n")
    assert (table.numbers[0].name, table.numbers[0].mode) == ("人社局", MergeMode.DUAL)
    assert table.numbers[0].group == SAMPLE.numbers[0].group
    assert table.numbers[1:] == SAMPLE.numbers[1:]


def test_a_pasted_row_with_headings_may_be_new() -> None:
    headings = "号码\t名称\t归并方式\t受理组\t过渡期提示音\t过渡期后提示音\n"
    table = pasted(headings + "12388\t纪检\t整体并入\tgeneral\tgreeting-12345\tgreeting-12345\n")
    assert [row.number for row in table.numbers][-1] == "12388"
    assert len(table.numbers) == len(SAMPLE.numbers) + 1
    with pytest.raises(FileInvalid, match="这是新的一行，粘贴时必须带上这一列"):
        pasted("12388\t纪检\n")
    with pytest.raises(FileInvalid, match="没有粘贴任何内容"):
        pasted("")


# The command


@pytest.fixture
async def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    await upgrade(f"sqlite:///{tmp_path}/hotline.db")
    return tmp_path


def run(*words: str, typed: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_a_file_is_taken_over_whole_or_not_at_all(data_dir: Path) -> None:
    file = data_dir / "路由表.xlsx"
    file.write_bytes(write_workbook(SAMPLE))
    code, out, _ = run("import", str(file), "--check")
    assert (code, "检查通过" in out) == (0, True)
    assert run("export", str(data_dir / "a.toml"))[0] == 1  # --check has changed nothing: there is no draft yet
    assert run("import", str(file))[0] == 0
    assert run("import", str(file))[1] == "已导入草稿，改动 0 行；发布后才生效\n"
    file.write_bytes(changed({"B2": "改名", "C3": "x", "K4": "y"}))
    code, out, err = run("import", str(file))
    assert (code, out) == (1, "")
    assert "有 2 处错误，什么也没有改动" in err
    assert run("export", str(data_dir / "a.csv"))[0] == 2
    assert run("export", str(data_dir / "b.xlsx"))[0] == 0
    assert table_of(read_workbook((data_dir / "b.xlsx").read_bytes()), None) == SAMPLE


def test_pasting_says_what_it_changes(data_dir: Path) -> None:
    (data_dir / "t.xlsx").write_bytes(write_workbook(SAMPLE))
    run("import", str(data_dir / "t.xlsx"))
    code, out, _ = run("import", "-", "--sheet", "归并号码", typed="12333\t人社局\n")
    assert (code, out) == (0, "  修改 归并号码 12333\n已导入草稿，改动 1 行；发布后才生效\n")
    assert run("import", "-", typed="12333\t人社局\n")[0] == 2
    code, out, _ = run("import", "-", "--sheet", "numbers", "--json", typed="12333\t人社局\t?\n")
    assert code == 1
    assert '"letter": "C"' in out


def test_the_lint_is_told_in_words_and_as_data(data_dir: Path) -> None:
    code, out, _ = run("lint", "sample", "--today", "2026-12-18")
    assert code == 0
    assert "缺节假日数据［holidays-missing］已导入年份" in out
    (data_dir / "x.toml").write_text("area_code = 1")
    assert run("lint", str(data_dir / "x.toml"))[0] == 1
    assert run("lint", "nowhere.xlsx")[0] == 2
    assert run("lint", "sample", "--today", "明天")[0] == 2


@pytest.mark.parametrize(
    ("path", "place", "words"),
    [
        ("numbers.12333.group", ("numbers", "12333", "group"), "归并号码 12333 的“受理组”"),
        ("numbers.1.2.group", ("numbers", "1.2", "group"), "归并号码 1.2 的“受理组”"),
        ("schedules.office.periods[0].days", ("schedules", "office", "periods"), "班表 office 的“平日时段”"),
        ("default_group", ("settings", "default_group", "value"), "总体设置的“12345 受理组”"),
        ("calendar_years", ("known_years", "", ""), "已导入年份"),
        ("rating_keys.5", ("rating_keys", "5", ""), "评价按键 5"),
        ("trunks", ("trunks", "", ""), "线路"),
        ("文件", ("", "", ""), "文件"),
    ],
)
def test_a_path_leads_to_its_place(path: str, place: tuple[str, str, str], words: str) -> None:
    found = place_of(path)
    assert (found.table, found.row, found.field) == place
    assert place_words(path) == words
