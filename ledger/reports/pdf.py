"""A report as a PDF that people print and sign. One job: the look.

The font is embedded, so that every reader shows the Chinese; it must be TrueType, which Debian's fonts-wqy-zenhei is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.graphics.charts.barcharts import VerticalBarChart
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from ledger.measures import Aims
from ledger.reports.columns import KEYS, TITLES, Column, Form, columns
from ledger.reports.errors import FontMissing
from ledger.reports.model import By, Line, Report
from ledger.reports.workbook import UNITS, UNKNOWN, period_name

PDF: Final = "application/pdf"
FONT: Final = "hotline"
FONTS: Final = (
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
    Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
)
"""TrueType fonts with Chinese that Debian packages bring."""

A_TABLE: Final = 9
"""Columns of figures beside key and name, so that a head of four characters fits."""

CHARTED: Final = (By.DAY, By.HALF_HOUR, By.MONTH)

_INK, _HEAD, _RULE = HexColor("#1c2733"), HexColor("#e6eef7"), HexColor("#b8c4d0")
_TEXT: Final = ParagraphStyle("text", fontName=FONT, fontSize=8, leading=11, textColor=_INK, wordWrap="CJK")
_RIGHT: Final = ParagraphStyle("right", _TEXT, alignment=TA_RIGHT)
_TITLE: Final = ParagraphStyle("title", _TEXT, fontSize=15, leading=22)
_SECTION: Final = ParagraphStyle("section", _TEXT, fontSize=11, leading=16, spaceBefore=8, spaceAfter=4)


def pdf(report: Report, aims: Aims, names: Mapping[str, str], made_at: datetime, made_by: str = "") -> bytes:
    """The report as the bytes of a PDF file, A4 across: figures, comparison, transfers, wrap-up codes, definitions.

    ``names``: what targets of transfers and wrap-up codes are called; ``made_at``: on the city's clock. Raises
    FontMissing.
    """
    _require_font()
    shown = columns(report.by, aims)
    title = f"{period_name(report.period)} 话务报表（{TITLES[report.by]}）"
    story: list[Flowable] = [_paragraph(title, _TITLE), _paragraph(_summary(report), _TEXT), Spacer(1, 3 * mm)]
    if report.by in CHARTED and len(report.lines) > 1:
        story.append(_chart(report))
    for start in range(0, len(shown), A_TABLE):
        story += [_figures(report, shown[start : start + A_TABLE]), Spacer(1, 4 * mm)]
    story += [PageBreak(), *_comparison(report, shown), *_counts(report, names), *_definitions(shown), *_signature()]
    data = BytesIO()
    foot = f"{title}　制表 {made_at:%Y-%m-%d %H:%M}{'　' + made_by if made_by else ''}"

    def page(canvas: Canvas, _document: Any) -> None:
        canvas.setFont(FONT, 7)
        canvas.setFillColor(_INK)
        canvas.drawString(15 * mm, 8 * mm, foot)
        canvas.drawRightString(landscape(A4)[0] - 15 * mm, 8 * mm, f"第 {canvas.getPageNumber()} 页")

    document = SimpleDocTemplate(
        data, pagesize=landscape(A4), title=title, author="12345",
        leftMargin=15 * mm, rightMargin=15 * mm, topMargin=14 * mm, bottomMargin=16 * mm,
    )  # fmt: skip
    document.build(story, onFirstPage=page, onLaterPages=page)
    return data.getvalue()


def _require_font() -> None:
    if FONT in pdfmetrics.getRegisteredFontNames():
        return
    for path in FONTS:
        if path.exists():
            try:
                pdfmetrics.registerFont(TTFont(FONT, str(path)))
            except (TTFError, OSError):
                continue
            return
    raise FontMissing("没有中文字体，做不了 PDF；请安装：apt-get install fonts-wqy-zenhei")


def _summary(report: Report) -> str:
    figures, before = report.whole.figures, report.whole_before.figures
    text = (
        f"来电 {report.whole.tally.calls:,}，接通率 {_percent(figures.connection_rate)}"
        f"（上期 {period_name(report.before)}：来电 {report.whole_before.tally.calls:,}，"
        f"接通率 {_percent(before.connection_rate)}）。"
    )
    if (worst := report.worst_day) is not None:
        until = worst.since + timedelta(days=1)
        text += (
            f"接通率最低的连续 24 小时：{worst.since:%m-%d %H:%M} 至 {until:%m-%d %H:%M}，"
            f"{_percent(worst.rate)}，来电 {worst.calls:,}。"
        )
    if report.pending:
        text += f"另有 {report.pending} 个来电的流水还没有入库，可能未计入。"
    return text


def _figures(report: Report, shown: Sequence[Column]) -> LongTable:
    keys = [KEYS[report.by]] if report.by.is_time else [KEYS[report.by], "名称"]
    heads = [*keys, *(column.head + UNITS[column.form] for column in shown)]
    rows = [[_paragraph(head, _TEXT if n < len(keys) else _RIGHT) for n, head in enumerate(heads)]]
    for line in (*report.lines, report.whole):
        named = [line.key or line.name] if report.by.is_time else [line.key, line.name]
        values = [_paragraph(_written(column, line), _RIGHT) for column in shown]
        rows.append([*(_paragraph(text, _TEXT) for text in named), *values])
    wide = 24 * mm if report.by.is_time else 20 * mm + 52 * mm
    whole = landscape(A4)[0] - 30 * mm
    first = [24 * mm] if report.by.is_time else [20 * mm, 52 * mm]
    return _table(rows, [*first, *[min(30 * mm, (whole - wide) / len(shown))] * len(shown)], last=True)


def _comparison(report: Report, shown: Sequence[Column]) -> Iterator[Flowable]:
    yield _paragraph(f"与上期（{period_name(report.before)}）比较", _SECTION)
    rows = [[_paragraph("指标", _TEXT), _paragraph("本期", _RIGHT), _paragraph("上期", _RIGHT)]]
    for column in shown:
        if column.id != "not_answered":
            values = [_written(column, line) for line in (report.whole, report.whole_before)]
            rows.append([_paragraph(column.head + UNITS[column.form], _TEXT), *(_paragraph(v, _RIGHT) for v in values)])
    yield _table(rows, [70 * mm, 30 * mm, 30 * mm])


def _counts(report: Report, names: Mapping[str, str]) -> Iterator[Flowable]:
    for title, counts, empty in (
        ("转接去向（一个来电转接多处的，每处各计一次）", report.transfers, ""),
        ("处理结果（座席接听并已结束的来电）", report.wrap_up_codes, "未填"),
    ):
        if counts:
            yield _paragraph(title, _SECTION)
            rows = [[_paragraph("名称", _TEXT), _paragraph("来电", _RIGHT)]]
            for key, count in counts.items():
                name = names.get(key, key) if key else empty
                rows.append([_paragraph(name, _TEXT), _paragraph(f"{count:,}", _RIGHT)])
            yield _table(rows, [70 * mm, 30 * mm])


def _definitions(shown: Sequence[Column]) -> Iterator[Flowable]:
    yield _paragraph("口径：各项指标怎样计算", _SECTION)
    rows = [[_paragraph("指标", _TEXT), _paragraph("口径", _TEXT)]]
    rows += [[_paragraph(column.head, _TEXT), _paragraph(column.means, _TEXT)] for column in shown if column.means]
    yield _table(rows, [45 * mm, landscape(A4)[0] - 75 * mm])


def _signature() -> Iterator[Flowable]:
    yield Spacer(1, 12 * mm)
    blank = "＿" * 10
    yield _paragraph(f"制表：{blank}　　审核：{blank}　　日期：{blank}", _TEXT)


def _chart(report: Report) -> Drawing:
    """Calls and those answered, by time."""
    width, height = landscape(A4)[0] - 30 * mm, 52 * mm
    drawing = Drawing(width, height)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 10 * mm, 9 * mm, width - 14 * mm, height - 12 * mm
    chart.data = [
        [line.tally.calls for line in report.lines],
        [line.tally.answered for line in report.lines],
    ]
    chart.categoryAxis.categoryNames = [line.key.removeprefix(f"{report.period.since:%Y}-") for line in report.lines]
    chart.categoryAxis.labels.fontName = chart.valueAxis.labels.fontName = FONT
    chart.categoryAxis.labels.fontSize = chart.valueAxis.labels.fontSize = 6
    chart.categoryAxis.labels.angle = 45
    chart.categoryAxis.labels.boxAnchor = "ne"
    chart.valueAxis.valueMin = 0
    chart.valueAxis.labelTextFormat = "%d"
    chart.groupSpacing, chart.barSpacing = 3, 0
    for bar, colour in ((0, "#9db7d2"), (1, "#2f6ea5")):
        chart.bars[bar].fillColor, chart.bars[bar].strokeColor = HexColor(colour), None
    drawing.add(chart)
    return drawing


def _table(rows: list[list[Paragraph]], widths: Sequence[float], *, last: bool = False) -> LongTable:
    table = LongTable(rows, colWidths=list(widths), repeatRows=1, hAlign="LEFT")
    style: list[tuple[Any, ...]] = [
        ("BACKGROUND", (0, 0), (-1, 0), _HEAD),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.4),
    ]
    if last:
        style.append(("LINEABOVE", (0, -1), (-1, -1), 0.8, _INK))
    table.setStyle(TableStyle(style))
    return table


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(text), style)  # never mark-up, whatever somebody is called


def _written(column: Column, line: Line) -> str:
    value = column.value(line)
    if value is None:
        return UNKNOWN
    match column.form:
        case Form.SHARE:
            return _percent(value)
        case Form.SECONDS:
            return f"{value:.1f}"
        case Form.HOURS:
            return f"{value:.2f}"
        case Form.COUNT:
            return f"{value:,.0f}"


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1%}"
