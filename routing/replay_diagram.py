"""A replay as a picture: on the left where yesterday's calls went, on the right where they would have gone.

One job: bands between two columns of bars, as thick as the calls they stand for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from routing.replay import Replay
from routing.svg import INK, LINE, MARK, PALE, Canvas

LEFT, RIGHT, TOP, BAR = 300.0, 760.0, 96.0, 18.0
HEIGHT: Final = 420.0
"""Pixels that all calls together take, without the room between the bars."""
ROOM: Final = 14.0
THINNEST: Final = 1.5


def flows(replay: Replay, title: str, name: Callable[[str], str]) -> str:
    """The replay as SVG. ``name`` tells a place as people call it."""
    moved = sum(count for (was, becomes), count in replay.places.items() if was != becomes)
    told = [
        f"{name(was)} 到 {name(becomes)} {count} 个"
        for (was, becomes), count in sorted(replay.places.items(), key=lambda item: -item[1])
        if was != becomes
    ]
    summary = f"共 {replay.calls} 个来电，{moved} 个会由别处接听" + (f"：{'；'.join(told)}" if told else "")
    canvas = Canvas(title, summary)
    canvas.text(20, 32, title, bold=True)
    canvas.text(20, 56, summary, width=RIGHT + 200)
    canvas.text(LEFT, TOP - 12, "实际", bold=True, anchor="end")
    canvas.text(RIGHT + BAR, TOP - 12, "改动后", bold=True)
    scale = HEIGHT / max(1, replay.calls)
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for (was, becomes), count in replay.places.items():
        before[was] += count
        after[becomes] += count
    order = sorted(before.keys() | after.keys(), key=lambda place: (-max(before[place], after[place]), place))
    tops: list[dict[str, float]] = []
    for sums, x in ((before, LEFT - BAR), (after, RIGHT)):
        y = TOP
        tops.append({})
        for place in order:
            height = max(THINNEST, sums[place] * scale) if sums[place] else 0.0
            tops[-1][place] = y
            if sums[place]:
                changed = before[place] != after[place]
                label = f"{name(place)} {sums[place]}"
                if x > LEFT:
                    label += f"（{after[place] - before[place]:+d}）" if changed else ""
                    canvas.text(x + BAR + 8, y + height / 2 + 5, label, fill=MARK if changed else INK)
                else:
                    canvas.text(x - 8, y + height / 2 + 5, label, anchor="end", width=LEFT - BAR - 20)
                canvas.bar(x, y, BAR, height, fill=INK)
            y += max(height, LINE if sums[place] else 0) + ROOM
    rank = {place: number for number, place in enumerate(order)}
    for (was, becomes), count in sorted(replay.places.items(), key=lambda item: (rank[item[0][0]], rank[item[0][1]])):
        thick = max(THINNEST, count * scale)
        fill, opacity = (PALE, 0.35) if was == becomes else (MARK, 0.6)
        canvas.ribbon(LEFT, tops[0][was], RIGHT, tops[1][becomes], thick, fill=fill, opacity=opacity)
        tops[0][was] += count * scale
        tops[1][becomes] += count * scale
    return canvas.drawn()
