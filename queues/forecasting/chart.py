"""Charts as SVG text: bars side by side with their confidence, and lines with a mark.

One job: drawing. It knows no queue; what is drawn are names and numbers. Texts are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10
from typing import Final

WIDTH: Final = 880
PANEL: Final = 230
"""Height of one panel of bars, with its title and legend below."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 46, 42
_COLOURS: Final = ("#2f6690", "#e08e45", "#4f9d69", "#9b5094", "#c44536", "#5b6770")
_FONT: Final = "'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"


@dataclass(frozen=True, slots=True)
class Bar:
    """A value with half the width of its confidence interval."""

    value: float
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Panel:
    """One measure: for each name on the axis, one bar per series."""

    title: str
    names: Sequence[str]
    bars: Sequence[Sequence[Bar]]
    """Series, then name."""
    target: float | None = None
    """A line across."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: Sequence[tuple[float, float]]


def bars(title: str, series: Sequence[str], panels: Sequence[Panel]) -> str:
    """One panel below the other, one legend for all."""
    height = 70 + PANEL * len(panels)
    parts = [_text(WIDTH / 2, 26, title, 17, "middle"), *_legend(series, 48)]
    for number, panel in enumerate(panels):
        parts += _panel(panel, 60 + PANEL * number)
    return _page(height, parts)


def lines(
    title: str, across: str, up: str, curves: Sequence[Line], *, target: float | None = None, mark: float | None = None
) -> str:
    """Curves over one axis; ``target`` is a level to reach, ``mark`` a place on the axis."""
    height = 420
    points = [point for curve in curves for point in curve.points if isfinite(point[1])]
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    top = _ceiling(max([*ys, target or 0.0]))
    left, right = min(xs), max(*xs, min(xs) + 1)
    base, head = height - 70.0, 80.0

    def place(x: float, y: float) -> tuple[float, float]:
        across_ = _LEFT + (x - left) / (right - left) * (WIDTH - _LEFT - _RIGHT)
        return across_, base - y / top * (base - head)

    parts = [_text(WIDTH / 2, 26, title, 17, "middle"), *_legend([curve.name for curve in curves], 50)]
    parts += _grid(top, head, base)
    step = max(1, ceil((right - left) / 16))
    for tick in range(ceil(left), floor(right) + 1, step):
        parts.append(_text(place(tick, 0)[0], base + 18, f"{tick}", 11, "middle"))
    parts += [_text(WIDTH / 2, base + 44, across, 12, "middle"), _text(_LEFT, head - 10, up, 12, "start")]
    for number, curve in enumerate(curves):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in curve.points if isfinite(p[1])))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{_colour(number)}" stroke-width="2"/>')
    if target is not None:
        parts += _target(place(left, target)[1])
    if mark is not None:
        x = place(mark, 0)[0]
        parts.append(f'<line x1="{x:.1f}" y1="{head}" x2="{x:.1f}" y2="{base}" stroke="#888" stroke-dasharray="2 4"/>')
    return _page(height, parts)


def _panel(panel: Panel, top: float) -> list[str]:
    head, base = top + _TOP, top + PANEL - _BOTTOM
    values = [bar.value + bar.spread for row in panel.bars for bar in row if isfinite(bar.value + bar.spread)]
    high = _ceiling(max([*values, panel.target or 0.0, 0.0]))
    parts = [_text(_LEFT, head - 14, panel.title, 13, "start"), *_grid(high, head, base)]
    room = (WIDTH - _LEFT - _RIGHT) / max(1, len(panel.names))
    wide = room * 0.7 / max(1, len(panel.bars))
    scale = (base - head) / high
    for place, name in enumerate(panel.names):
        start = _LEFT + room * place + room * 0.15
        parts.append(_text(start + room * 0.35, base + 18, name, 12, "middle"))
        for number, row in enumerate(panel.bars):
            parts += _bar(row[place], start + wide * number, wide, base, scale, _colour(number), label=wide >= 34)
    if panel.target is not None:
        parts += _target(base - panel.target * scale)
    return parts


def _bar(bar: Bar, x: float, wide: float, base: float, scale: float, colour: str, *, label: bool) -> list[str]:
    if not isfinite(bar.value):
        return []
    tall = bar.value * scale
    place = f'x="{x:.1f}" y="{base - tall:.1f}" width="{wide * 0.9:.1f}" height="{max(0.0, tall):.1f}"'
    parts = [f'<rect {place} fill="{colour}"/>']
    middle, top = x + wide * 0.45, base - tall
    if bar.spread and isfinite(bar.spread):
        low, high = min(base, top + bar.spread * scale), top - bar.spread * scale
        parts.append(f'<path d="M{middle - 5:.1f},{high:.1f}h10M{middle:.1f},{high:.1f}V{low:.1f}" stroke="#222"/>')
        top = high
    if label:
        parts.append(_text(middle, top - 4, f"{round(bar.value, 1):g}", 11, "middle"))
    return parts


def _grid(top: float, head: float, base: float) -> list[str]:
    parts = []
    for part in range(5):
        y = base - (base - head) * part / 4
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 8, y + 4, f"{top * part / 4:g}", 11, "end"))
    return parts


def _target(y: float) -> list[str]:
    return [
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#c44536" stroke-dasharray="6 4"/>'
    ]


def _legend(names: Sequence[str], y: float) -> list[str]:
    parts, x = [], float(_LEFT)
    for number, name in enumerate(names):
        parts.append(f'<rect x="{x:.0f}" y="{y - 10}" width="12" height="12" fill="{_colour(number)}"/>')
        parts.append(_text(x + 18, y, name, 12, "start"))
        x += 40 + sum(13 if ord(letter) > 255 else 7 for letter in name)
    return parts


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _ceiling(value: float) -> float:
    """The next round number for the top of an axis."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return float(next(step * power for step in (1, 1.2, 2, 4, 6, 8, 10) if step * power >= value * (1 - 1e-9)))


def _text(x: float, y: float, text: str, size: int, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" font-family="{_FONT}">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>', *parts, "</svg>"]) + "\n"
