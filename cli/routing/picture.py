"""``hotline routing picture``: the flow of one number as a picture, with another table's beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.routing.sources import DRAFT, PUBLISHED, SAMPLE, SOURCES, UNUSABLE, settings_or_stop, snapshot_from, stop
from routing.flow_diagram import flow

_NAMES = {DRAFT: "草稿", PUBLISHED: "已发布", SAMPLE: "示例"}


def picture_command(
    number: Annotated[str, typer.Argument(help="市民拨打的号码，例如 12315")],
    target: Annotated[Path, typer.Argument(help="写到哪个 .svg 文件；用浏览器打开")],
    source: Annotated[str, typer.Option("--table", help=SOURCES)] = DRAFT,
    against: Annotated[str, typer.Option("--against", help="并排画另一张表，标出不同；例如 published")] = "",
) -> None:
    """把一个号码的来电去向画成图：各时期、上下班时间各听到什么、由谁接。"""
    settings = settings_or_stop()
    named = [name for name in (against, source) if name]
    tables = [(_NAMES.get(name, Path(name).name), snapshot_from(name, settings)) for name in named]
    try:
        target.write_text(flow(number, tables, datetime.now(UTC)), encoding="utf-8")
    except OSError as error:
        stop(f"写不了 {target}（{error.strerror}）；请换一个位置", UNUSABLE)
    typer.echo(f"已画到 {target}，请用浏览器打开")
