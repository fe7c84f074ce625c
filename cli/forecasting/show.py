"""How figures look on a terminal: tables as wide as they need to be, percents, seconds. One job: the look."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table

WIDEST: Final = 400
UNUSABLE: Final = 2


def show(table: Table) -> None:
    """Print a table, on a terminal of any width and into a file."""
    console = Console(width=WIDEST, highlight=False)
    console.print(table)


def percent(share: float | None, half: float | None = None) -> str:
    """A share (0 to 1), with half the width of its interval."""
    if share is None or not isfinite(share):
        return "—"
    spread = f" ± {half * 100:.1f}" if half is not None and isfinite(half) else ""
    return f"{share * 100:.1f}{spread}%"


def seconds(value: float | None, half: float | None = None) -> str:
    """A time in seconds, with half the width of its interval."""
    if value is None or not isfinite(value):
        return "—"
    spread = f" ± {half:.1f}" if half is not None and isfinite(half) else ""
    return f"{value:.1f}{spread} 秒"


def write_chart(path: Path, svg: str) -> None:
    """Write a chart and say where; a place that cannot be written to ends the command."""
    try:
        path.write_text(svg, encoding="utf-8")
    except OSError as error:
        raise wrong(f"--svg {path}：写不进去（{error.strerror}）；请换一个位置，例如 /tmp/图.svg") from None
    typer.echo(f"图表已写入 {path}")


def wrong(sentence: str) -> typer.Exit:
    """Wrongly asked: say why, end with 2."""
    typer.echo(sentence, err=True)
    return typer.Exit(UNUSABLE)
