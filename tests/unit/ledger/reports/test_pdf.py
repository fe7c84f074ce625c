"""A report as PDF: what people read in it, on every page."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ledger.measures import Aims
from ledger.reports import pdf as module
from ledger.reports.errors import FontMissing
from ledger.reports.model import By, Line, Report, Tally, Work, WorstDay
from ledger.reports.pdf import pdf
from ledger.reports.periods import before, month

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")
NOVEMBER = month("2026-11", CITY)
AT = datetime(2026, 12, 1, 7, tzinfo=CITY)
TALLY = Tally(calls=1234, answered=1200, rated_5=7, by_agent=1200, talks=1200, talk_ms=1_200_000)


def report(by: By, *lines: Line) -> Report:
    return Report(
        NOVEMBER, before(NOVEMBER), by, lines, Line("", "合计", TALLY, Work()), Line("", "合计", Tally(), Work()),
        WorstDay(NOVEMBER.since, 0.91, 40), {"110": 40}, {"": 4, "answered": 900}, 2,
    )  # fmt: skip


def text(data: bytes, folder: Path) -> list[str]:
    """The words of each page, as another program reads them, without blanks."""
    path = folder / "report.pdf"
    path.write_bytes(data)
    said = subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, capture_output=True).stdout.decode()
    return said.replace(" ", "").split("\f")[:-1]


def test_every_page_says_in_chinese_what_it_is_of(tmp_path: Path) -> None:
    lines = [Line(f"123{n:02}", "市场监督管理局消费者投诉举报热线", TALLY) for n in range(60)]
    pages = text(pdf(report(By.NUMBER, *lines), Aims(), {"110": "报警", "answered": "已答复"}, AT, "李四"), tmp_path)
    assert len(pages) > 5
    for n, page in enumerate(pages, 1):
        assert f"第{n}页" in page
        assert "2026年11月话务报表（按号码）" in page
        assert "制表2026-12-0107:00" in page
        assert "李四" in page
    whole = "".join(pages)
    for words in ("接通率最低的连续24小时：11-0100:00", "另有2个来电", "报警", "已答复", "未填", "口径", "审核"):
        assert words in whole
    assert "12359" in whole
    assert "97.2%" in whole


def test_days_are_drawn_and_agents_have_their_work(tmp_path: Path) -> None:
    days = [Line(f"2026-11-{n:02}", f"2026-11-{n:02}", TALLY) for n in range(1, 31)]
    assert "2026-11-30" in "".join(text(pdf(report(By.DAY, *days), Aims(), {}, AT), tmp_path))
    agent = Line("1001", "张三丰", TALLY, Work(talk_seconds=5400), 3)
    assert "1.50" in "".join(text(pdf(report(By.AGENT, agent), Aims(), {}, AT), tmp_path))


def test_a_name_is_never_mark_up(tmp_path: Path) -> None:
    pages = text(pdf(report(By.NUMBER, Line("12301", "<b>&x</font>", TALLY)), Aims(), {}, AT), tmp_path)
    assert "<b>&x</font>" in pages[0]


def test_without_a_chinese_font_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FONTS", ())
    monkeypatch.setattr("reportlab.pdfbase.pdfmetrics.getRegisteredFontNames", list)
    with pytest.raises(FontMissing, match="fonts-wqy-zenhei"):
        pdf(report(By.NUMBER), Aims(), {}, AT)
