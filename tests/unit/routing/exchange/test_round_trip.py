"""A table goes out and comes back the same, by every kind of file, also through LibreOffice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from routing.columns import ADVICE, FREE, SHEET_HINTS, sheets
from routing.exchange.faults import FileInvalid
from routing.exchange.files import read_file, write_file
from routing.exchange.grid import table_of
from routing.exchange.periods import periods_text, read_periods
from routing.exchange.separated import read_csv, write_csv
from routing.exchange.toml_text import write_toml
from routing.exchange.workbook import read_workbook, write_workbook
from routing.lint import lint
from routing.model import (
    Announcement,
    CallbackFirst,
    CallerList,
    DayKind,
    Department,
    Group,
    Holiday,
    LegacyNumber,
    ListedCaller,
    MergeMode,
    OrderType,
    Overflow,
    Period,
    Schedule,
    SelfService,
    Table,
    WaitingAction,
    WrapUpCode,
)
from routing.sample_table import sample_table
from routing.toml import read_table
from telephony.model import GroupId, OverflowTo, OverflowWhen

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
OVERFLOWS = (
    Overflow(OverflowWhen.WAITED, 60, OverflowTo.EVERYONE),
    Overflow(OverflowWhen.NOBODY, 0, OverflowTo.DUTY_PHONE, "06630000000"),
)
RESAVED = Path(__file__).with_name("resaved-by-libreoffice.xlsx")
"""Written by ``write_workbook(odd())`` and re-saved by Debian 12's LibreOffice 7.4:
``soffice --headless --convert-to xlsx --outdir OUT odd.xlsx``."""


MAKEUP = Holiday(date(2028, 3, 4), DayKind.MAKEUP_WORKDAY)


def by_workbook(table: Table) -> Table:
    return table_of(read_workbook(write_workbook(table)), None)


def by_csv(table: Table) -> Table:
    return table_of([read_csv(sheet, write_csv(sheet, table)) for sheet in sheets().values()], None)


def by_toml(table: Table) -> Table:
    return read_table(write_toml(table))


WAYS = (by_workbook, by_csv, by_toml)


def odd() -> Table:
    """A sound table with everything in it that spreadsheets like to change."""
    row = LegacyNumber(
        number="0754123456",
        name="=SUM(1,2)",
        mode=MergeMode.DUAL,
        group=GroupId("general"),
        first_day=date(2028, 2, 29),
        last_day=None,
        prompt="00-1",
        prompt_after="1e5",
        schedule="001",
        overflow_group=None,
        overflow_seconds=0,
        note='\'+1-2, "引号"；_x0041_ <b>&amp; 2026-01-01',
    )
    row = replace(row, language="teochew")
    other = replace(row, number="8768123", name=" @空格 ", mode=MergeMode.FULL, schedule="", note="TRUE")
    return replace(
        SAMPLE,
        groups=(*SAMPLE.groups, Group(GroupId("e1"), "-3", 5, 0, whisper=False, skills=("hakka",), overflow=OVERFLOWS)),
        schedules=(
            *SAMPLE.schedules,
            Schedule(
                "001",
                "8:30",
                (Period(frozenset({1, 3, 7}), time(20, 30, 15), time(8)), Period(frozenset({6}), time(0), time(0))),
                (Period(frozenset({2, 3, 4}), time(23, 59, 59, 999999), time(0, 0, 0, 1)),),
            ),
        ),
        waiting_keys={"9": WaitingAction.URGENT},
        holidays=(
            Holiday(date(2028, 2, 29), DayKind.HOLIDAY, "闰日"),
            Holiday(date(2028, 3, 4), DayKind.MAKEUP_WORKDAY),
        ),
        known_years=(2028,),
        numbers=(row, other, *SAMPLE.numbers),
        rating_keys={"0": 5, "9": 1},
        callers=(
            ListedCaller("13800000001", CallerList.NUISANCE, "=1+1", datetime(2026, 12, 1, 10, tzinfo=UTC), "-"),
            ListedCaller("8768123", CallerList.STAFF, "@办公室"),
            ListedCaller("1", CallerList.PRIORITY, "2", datetime(2026, 2, 28, 15, 59, 59, 999999, tzinfo=UTC)),
        ),
        nuisance_seconds=0,
        announcements=(
            *SAMPLE.announcements,
            Announcement("1e5", "12345。", None, datetime(2026, 12, 1, tzinfo=UTC), (GroupId("e1"),), ("12345",), "="),
        ),
        self_service=(SelfService("4", "社保卡", "12345。", '"待核"'),),
        departments=(
            *SAMPLE.departments,
            Department("e1", "=值班", ("+8613800000001", "06638760009"), "http://10.0.0.1:80/a?b=1&c=%20", 1, "-"),
        ),
        order_types=(*SAMPLE.order_types, OrderType("true", "火灾", ("e1", "water-supply"), 10, 1440, "TRUE")),
        wrap_up_codes=(*SAMPLE.wrap_up_codes, WrapUpCode("e1", "e", "=1+1", (GroupId("e1"),), "TRUE")),
        wrap_up_code_required=True,
        area_code="",
    )


@pytest.mark.parametrize("way", WAYS)
def test_the_sample_comes_back_exactly(way: Callable[[Table], Table]) -> None:
    assert way(SAMPLE) == SAMPLE


@pytest.mark.parametrize("way", WAYS)
def test_what_spreadsheets_like_to_change_comes_back_exactly(way: Callable[[Table], Table]) -> None:
    assert lint(odd()) == ()
    assert way(odd()) == odd()


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)


@pytest.mark.parametrize("way", WAYS)
def test_a_group_that_a_sub_centre_answers_for_comes_back_exactly(way: Callable[[Table], Table]) -> None:
    first, *others = SAMPLE.groups
    site = replace(first, trunk="subcentre-12366", capacity=5, schedule="office")
    table = replace(SAMPLE, groups=(site, *others))
    assert way(table) == table


@pytest.mark.parametrize("way", WAYS)
def test_a_group_whose_agents_are_rung_first_comes_back_exactly(way: Callable[[Table], Table]) -> None:
    first, *others = SAMPLE.groups
    table = replace(SAMPLE, groups=(replace(first, callback_first=CallbackFirst.AGENT), *others))
    assert way(table) == table


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(WAYS))
def test_any_name_that_may_be_published_comes_back_exactly(names: list[str], way: Callable[[Table], Table]) -> None:
    rows = tuple(replace(SAMPLE.numbers[0], number=str(8000000 + place), name=name) for place, name in enumerate(names))
    table = replace(SAMPLE, numbers=rows)
    assert lint(table) == ()
    assert way(table) == table


@pytest.mark.skipif(
    shutil.which("soffice") is None,
    reason="no LibreOffice, which ./hotline test installs; the re-saved workbook stands in",
)
def test_a_workbook_re_saved_by_libreoffice_comes_back_exactly(tmp_path: Path) -> None:
    (tmp_path / "odd.xlsx").write_bytes(write_workbook(odd()))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", "out", "odd.xlsx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=55)
    assert table_of(read_workbook((tmp_path / "out" / "odd.xlsx").read_bytes()), None) == odd()


def test_a_workbook_that_libreoffice_has_re_saved_comes_back_exactly() -> None:
    grids = read_workbook(RESAVED.read_bytes())
    table = table_of(grids, SAMPLE)
    names = [grid.sheet.name for grid in grids if grid.sheet.name != "settings"]
    assert len(names) >= 12
    assert {name: getattr(table, name) for name in names} == {name: getattr(odd(), name) for name in names}


def test_files_by_their_names(tmp_path: Path) -> None:
    for name in ("表.xlsx", "表.toml", "表"):
        write_file(SAMPLE, tmp_path / name)
        assert read_file(tmp_path / name, None) == SAMPLE
    one = replace(SAMPLE, seats=("8001", "8050"))
    (tmp_path / "话机.csv").write_bytes(write_csv(sheets()["seats"], one))
    assert read_file(tmp_path / "话机.csv", SAMPLE) == one


def test_an_empty_folder_or_a_strange_name_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "人员.csv").write_text("x")
    (tmp_path / "a.pdf").write_text("x")
    (tmp_path / "空").mkdir()
    for name, says in (("空", "没有 .csv 文件"), ("人员.csv", "看不出 人员.csv 是哪张表"), ("a.pdf", "不认识 .pdf")):
        with pytest.raises(FileInvalid, match=says):
            read_file(tmp_path / name, SAMPLE)


def test_sheets_and_columns_may_stand_in_any_order_and_under_their_codes() -> None:
    sheet = sheets()["rating_keys"]
    grid = read_csv(sheet, "value,key\r\n1,1\r\n5,５\r\n".encode())
    with pytest.raises(Exception, match="评价按键应为一个数字键"):
        table_of([grid], SAMPLE)
    assert table_of([read_csv(sheet, b"value,key\n1,1\n5,2\n")], SAMPLE).rating_keys == {"1": 1, "2": 5}


def test_a_chinese_excel_s_own_code_page_is_read() -> None:
    sheet = sheets()["pause_reasons"]
    assert table_of([read_csv(sheet, "按键,原因\r\n1,用餐\r\n".encode("gb18030"))], SAMPLE).pause_reasons == {
        "1": "用餐"
    }


def test_the_workbook_has_drop_downs_and_begins_with_explanations_in_chinese() -> None:
    book = load_workbook(BytesIO(write_workbook(SAMPLE)))
    assert book.sheetnames == ["说明", *(sheet.title for sheet in sheets().values())]
    lists = {str(one.sqref): one.formula1 for one in book["归并号码"].data_validations.dataValidation}
    assert lists["C2:C515"] == '"整体并入,双号并行,设分中心"'
    assert lists["D2:D515"] == "'技能组'!$A$2:$A$506"
    told = {(row[1], row[3]) for row in book["说明"].iter_rows(values_only=True)}
    columns = {(column.title, column.advice.hint or None) for sheet in sheets().values() for column in sheet.columns}
    assert columns <= told


# Hours in a cell

CLOCKS = st.times()
PERIODS = st.lists(st.builds(Period, st.frozensets(st.integers(1, 7), min_size=1), CLOCKS, CLOCKS), max_size=4).map(
    tuple
)


@given(PERIODS)
def test_hours_come_back_exactly(periods: tuple[Period, ...]) -> None:
    assert read_periods(periods_text(periods)) == periods


@pytest.mark.parametrize(
    ("text", "days", "start", "end"),
    [
        ("周一至周五 08:30-12:00", {1, 2, 3, 4, 5}, time(8, 30), time(12)),
        ("每天 8:30～24：00", set(range(1, 8)), time(8, 30), time(0)),
        ("星期六，星期天 9:00 至 17:00", {6, 7}, time(9), time(17)),
        ("1-5 08:30-12:00", {1, 2, 3, 4, 5}, time(8, 30), time(12)),
        ("周五到周一 22:00-06:00", {5, 6, 7, 1}, time(22), time(6)),
    ],
)  # fmt: skip
def test_hours_as_people_write_them(text: str, days: set[int], start: time, end: time) -> None:
    assert read_periods(text) == (Period(frozenset(days), start, end),)


@pytest.mark.parametrize(
    "text", ["上班", "周一", "周八 08:00-09:00", "周一 25:00-26:00", "08:00-09:00", "周一 0800-0900"]
)
def test_hours_that_nobody_understands_are_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"看不懂|没有"):
        read_periods(text)


# The description


def test_every_column_has_a_chinese_title_and_advice_names_only_columns() -> None:
    known = {f"{sheet.name}.{column.name}" for sheet in sheets().values() for column in sheet.columns}
    assert set(ADVICE) <= known
    assert set(SHEET_HINTS) == set(sheets())
    latin = [
        f"{sheet.name}.{column.name}"
        for sheet in sheets().values()
        for column in sheet.columns
        if column.title.isascii()
    ]
    assert latin == []
    assert {"name", "note"} == FREE
