"""A sheet of SVG: boxes, words and curves.

One job: drawing. Everything that is written goes through an XML tree, so no text of anybody can become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

FONT: Final = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC','WenQuanYi Micro Hei',sans-serif"
SIZE: Final = 14
LINE: Final = 20
"""Pixels from one line of text to the next."""
INK, PALE, PAPER, MARK = "#1f2933", "#7b8794", "#ffffff", "#b44d00"
"""Dark on white, more than 4.5 to 1; the mark is never the only sign."""

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDE: Final = re.compile(
    "[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]"
)


class Canvas:
    """A picture with a title and a description for those who cannot see it."""

    def __init__(self, title: str, description: str) -> None:
        self._root = ET.Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": "title description"}
        )
        self._write(self._root, "title", title, id="title")
        self._write(self._root, "desc", description, id="description")
        self._paper = ET.SubElement(self._root, "rect", {"fill": PAPER, "x": "0", "y": "0"})
        self._width = self._height = 0.0

    def box(self, x: float, y: float, width: float, height: float, *, fill: str, marked: bool = False) -> None:
        """A rounded box; a marked one has a heavy dashed edge."""
        edge = {"stroke": MARK, "stroke_width": "2.5", "stroke_dasharray": "6 3"} if marked else {"stroke": PALE}
        place = {"x": _number(x), "y": _number(y), "width": _number(width), "height": _number(height)}
        self._put("rect", rx=6, fill=fill, **place, **edge)
        self._grow(x + width, y + height)

    def bar(self, x: float, y: float, width: float, height: float, *, fill: str) -> None:
        self._put("rect", x=x, y=y, width=width, height=height, fill=fill)
        self._grow(x + width, y + height)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        width: float = 0,
        bold: bool = False,
        fill: str = INK,
        anchor: str = "start",
    ) -> None:
        """One line with its baseline at ``y``; cut to ``width`` pixels, then whole in a tooltip."""
        shown = cut(text, width) if width else text
        weight = {"font-weight": "bold"} if bold else {}
        attributes = {"x": _number(x), "y": _number(y), "fill": fill, "font-family": FONT, "font-size": str(SIZE)}
        node = ET.SubElement(self._root, "text", {**attributes, **weight, "text-anchor": anchor})
        node.text = _clean(shown)
        if shown != text:
            self._write(node, "title", text)
        if anchor == "start":
            self._grow(x + length(shown), y + 4)

    def arrow(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """A curve from left to right with a head."""
        bend = (to_x - x) / 2
        path = f"M{_number(x)},{_number(y)} C{_number(x + bend)},{_number(y)} {_number(to_x - bend)},{_number(to_y)} "
        self._put("path", d=f"{path}{_number(to_x - 6)},{_number(to_y)}", fill="none", stroke=PALE)
        head = f"M{_number(to_x)},{_number(to_y)} l-8,-4 l0,8 z"
        self._put("path", d=head, fill=PALE)

    def ribbon(self, x: float, y: float, to_x: float, to_y: float, thick: float, *, fill: str, opacity: float) -> None:
        """A band of even thickness from left to right; ``y`` is its upper edge."""
        bend = (x + to_x) / 2
        there = ((bend, y), (bend, to_y), (to_x, to_y))
        back = ((bend, to_y + thick), (bend, y + thick), (x, y + thick))
        path = f"M{_points([(x, y)])} C{_points(there)} l0,{_number(thick)} C{_points(back)} z"
        self._put("path", d=path, fill=fill, fill_opacity=f"{opacity:g}")

    def drawn(self) -> str:
        """The picture as SVG text."""
        width, height = _number(self._width + 20), _number(self._height + 20)
        for node in (self._root, self._paper):
            node.set("width", width)
            node.set("height", height)
        self._root.set("viewBox", f"0 0 {width} {height}")
        return ET.tostring(self._root, encoding="unicode")

    def _put(self, tag: str, **attributes: float | str) -> None:
        named = {name.replace("_", "-"): value for name, value in attributes.items()}
        plain = {name: value if isinstance(value, str) else _number(value) for name, value in named.items()}
        ET.SubElement(self._root, tag, plain)

    def _write(self, parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
        ET.SubElement(parent, tag, attributes).text = _clean(text)

    def _grow(self, right: float, bottom: float) -> None:
        self._width, self._height = max(self._width, right), max(self._height, bottom)


def length(text: str) -> float:
    """About how many pixels the text takes."""
    wide = len(_WIDE.findall(text))
    return wide * SIZE + (len(text) - wide) * SIZE * 0.6


def cut(text: str, width: float) -> str:
    """As much of the text as fits, with … for the rest."""
    if length(text) <= width:
        return text
    while text and length(text) + SIZE > width:
        text = text[:-1]
    return f"{text}…"


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return _NO_XML.sub("�", text)


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
