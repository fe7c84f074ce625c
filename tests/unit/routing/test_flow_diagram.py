"""The pictures say what decide says, for those who see them and those who do not, and hold no markup of anybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.commands.routing import app
from routing.calendar import CITY
from routing.flow_diagram import flow, in_words, paths
from routing.lint.form import FIRST_YEAR, LAST_YEAR
from routing.model import MergeMode, Snapshot, Table
from routing.replay import Past, replay
from routing.replay_diagram import flows
from routing.sample_table import sample_snapshot, sample_table
from routing.snapshot import freeze
from routing.svg import Canvas, cut, length
from tests.unit.routing.tables import DIALLED, MOMENTS, tables

pytestmark = pytest.mark.unit

SAMPLE = sample_snapshot()
NOW = datetime(2026, 11, 22, 12, tzinfo=CITY)
SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: str) -> Element:
    root = fromstring(picture)
    assert isinstance(root, Element)
    return root


def words(picture: str) -> list[str]:
    return [node.text or "" for node in parsed(picture).iter(f"{SVG}text")]


def frozen(table: Table) -> Snapshot:
    return freeze(table, 0, datetime(2026, 1, 1, tzinfo=UTC))


def edited(number: str, **changes: object) -> Snapshot:
    table = sample_table()
    rows = tuple(replace(row, **changes) if row.number == number else row for row in table.numbers)  # type: ignore[arg-type]
    return frozen(replace(table, numbers=rows))


def test_a_dual_number_has_a_path_for_each_phase_open_and_closed() -> None:
    found = [in_words(path) for path in paths("12315", SAMPLE, NOW)]
    during = "拨打 12315 市场监管 双号并行，然后 过渡期内 2026-07-01 至 2027-06-30"
    heard = "每天早八点到晚八点，然后 听到 12315 市场监管过渡期提示音"
    assert found[2:4] == [
        f"{during}，然后 上班时间 {heard}，然后 人工接听 市场监管组，然后 等满 20 秒 综合受理组也可接",
        f"{during}，然后 下班时间 {heard}，然后 人工接听 综合受理组",
    ]
    assert len(found) == 6


@pytest.mark.parametrize(
    ("number", "last"),
    [
        ("12345", "人工接听 综合受理组"),
        ("110", "紧急中心 110"),
        ("99999", "人工接听 综合受理组"),
        ("0663-12333", "等满 20 秒 综合受理组也可接"),
        ("12366", "人工接听 综合受理组"),
    ],
)
def test_every_number_has_a_picture_that_ends_somewhere(number: str, last: str) -> None:
    assert in_words(paths(number, SAMPLE, NOW)[-1]).endswith(last)
    assert any(number in line for line in words(flow(number, [("示例", SAMPLE)], NOW)))


def test_a_sub_centre_is_taken_back() -> None:
    assert "转分中心 12366 税务分中心，然后 没人接时收回 综合受理组" in in_words(paths("12366", SAMPLE, NOW)[0])


def test_title_and_description_tell_the_picture_to_those_who_cannot_see_it() -> None:
    root = parsed(flow("12315", [("示例", SAMPLE)], NOW))
    assert root.get("role") == "img"
    ids = str(root.get("aria-labelledby")).split()
    labels = {node.get("id"): node.text for node in root if node.get("id")}
    assert labels[ids[0]] == "12315 的来电去向"
    assert all(in_words(path) in str(labels[ids[1]]) for path in paths("12315", SAMPLE, NOW))


def test_side_by_side_only_what_the_other_has_not_is_marked() -> None:
    picture = flow("12315", [("已发布", SAMPLE), ("草稿", edited("12315", mode=MergeMode.FULL))], NOW)
    marked = [node for node in parsed(picture).iter(f"{SVG}rect") if node.get("stroke-dasharray")]
    # before: the ring, six hours, and the general group after hours in three phases; after: the ring
    assert len(marked) == 1 + 6 + 3 + 1
    same = flow("12315", [("已发布", SAMPLE), ("草稿", SAMPLE)], NOW)
    assert "stroke-dasharray" not in same
    assert "没有另一边没有的" in "".join(words(same))


HOSTILE = "<script>alert(1)</script>&\"'<![CDATA[ ]]> \x00\x0b\ud800"


def test_no_text_of_anybody_becomes_markup() -> None:
    snapshot = edited("12333", name=HOSTILE, prompt=HOSTILE)
    picture = flow("12333", [(HOSTILE, snapshot)], NOW)
    tags = {node.tag for node in parsed(picture).iter()}
    assert tags <= {f"{SVG}{tag}" for tag in ("svg", "title", "desc", "rect", "text", "path")}
    assert "<script" not in picture
    assert "&lt;script&gt;" in picture
    asked = replay([Past("c", "12333", "", NOW)], lambda _v: SAMPLE, SAMPLE, snapshot)
    drawn = flows(asked, HOSTILE, lambda _place: HOSTILE)
    assert "<script" not in drawn
    parsed(drawn)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(tables(), DIALLED, MOMENTS)
def test_any_number_of_any_table_can_be_drawn(table: Table, dialled: str, moment: datetime) -> None:
    picture = flow(dialled, [("表", frozen(table))], moment)
    root = parsed(picture)
    width, height = float(str(root.get("width"))), float(str(root.get("height")))
    for left, top, wide, high in boxes(root):
        assert 0 <= left <= left + wide <= width
        assert 0 <= top <= top + high <= height


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(tables())
def test_boxes_never_lie_on_each_other(table: Table) -> None:
    for row in table.numbers:
        found = list(boxes(parsed(flow(row.number, [("表", frozen(table))], NOW))))[1:]
        for place, (left, top, wide, high) in enumerate(found):
            for other_left, other_top, other_wide, other_high in found[place + 1 :]:
                apart = left + wide <= other_left or other_left + other_wide <= left
                assert apart or top + high <= other_top or other_top + other_high <= top


def boxes(root: Element) -> Iterator[tuple[float, float, float, float]]:
    for node in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(str(node.get(name))) for name in ("x", "y", "width", "height"))
        yield x, y, width, height


def test_a_row_at_the_ends_of_what_may_be_written_can_be_drawn() -> None:
    start, end = date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)
    for first, last in ((start, end), (end, end), (start, start)):
        assert paths("12315", edited("12315", first_day=first, last_day=last), NOW)


# The replay's picture


def test_the_replay_s_picture_tells_who_gains_and_who_loses() -> None:
    calls = [Past(str(n), number, "", NOW) for n, number in enumerate(["12315"] * 3 + ["12345"] * 5)]
    asked = replay(calls, lambda _v: SAMPLE, SAMPLE, edited("12315", group="transport", mode=MergeMode.FULL))
    picture = flows(asked, "昨天", lambda place: f"组 {place}")
    assert {"组 market 3", "组 transport 3（+3）", "组 general 5"} <= set(words(picture))
    assert "共 8 个来电，3 个会由别处接听：组 market 到 组 transport 3 个" in picture


def test_a_day_without_calls_is_a_picture_too() -> None:
    parsed(flows(replay([], lambda _v: SAMPLE, SAMPLE, SAMPLE), "昨天", str))


# Drawing


def test_long_text_is_cut_and_stays_whole_in_a_tooltip() -> None:
    assert cut("综合受理综合受理", 60) == "综合受…"
    assert length("综a") == 14 + 14 * 0.6
    canvas = Canvas("t", "d")
    canvas.text(0, 0, "综合受理综合受理", width=60)
    (text,) = parsed(canvas.drawn()).iter(f"{SVG}text")
    assert (text.text, text[0].text) == ("综合受…", "综合受理综合受理")


@given(st.text(max_size=40), st.floats(20, 400))
def test_what_is_cut_fits(text: str, width: float) -> None:
    assert length(cut(text, width)) <= width


def test_the_command_writes_the_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_CONFIG", "")
    words_ = ["picture", "12315", str(tmp_path / "x.svg"), "--table", "sample", "--against", "sample"]
    assert CliRunner().invoke(app, words_).exit_code == 0
    parsed((tmp_path / "x.svg").read_text())
    assert CliRunner().invoke(app, ["picture", "1", str(tmp_path / "no" / "x.svg"), "--table", "sample"]).exit_code == 2
