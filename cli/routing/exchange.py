"""``hotline routing export`` and ``import``: the draft to a file that people edit, and back, whole or not at all."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli.routing.sources import (
    DRAFT,
    FAILED,
    SOURCES,
    UNUSABLE,
    AsJson,
    in_database,
    settings_or_stop,
    stop,
    table_from,
)
from routing.columns import place_words, sheets
from routing.draft import Draft, DraftConflict
from routing.exchange.faults import FileInvalid
from routing.exchange.files import read_file, write_file
from routing.exchange.grid import table_of
from routing.exchange.separated import read_pasted
from routing.faults import TableInvalid
from routing.model import Table
from routing.service import NoTable, load_draft, save_draft
from routing.table_rows import rows_of

PASTED = "-"


def export_command(
    target: Annotated[Path, typer.Argument(help="写到哪里：以 .xlsx 或 .toml 结尾的文件，否则是放 CSV 的文件夹")],
    source: Annotated[str, typer.Option("--table", help=f"导出什么：{SOURCES}")] = DRAFT,
) -> None:
    """把路由表导出为 Excel 工作簿、TOML 或一组 CSV。"""
    table = table_from(source, settings_or_stop())
    try:
        written = write_file(table, target)
    except FileInvalid as error:
        stop(str(error), UNUSABLE)
    except OSError as error:
        stop(f"写不了 {target}（{error.strerror}）；请换一个位置", UNUSABLE)
    typer.echo(f"已导出 {len(rows_of(table))} 行到 {'、'.join(map(str, written))}")


def import_command(
    source: Annotated[str, typer.Argument(help=".xlsx、.toml、.csv 文件，或放 CSV 的文件夹；- 为从标准输入粘贴")],
    sheet: Annotated[str, typer.Option("--sheet", help="粘贴到哪张表，例如 归并号码；按编号合并，不删其他行")] = "",
    check: Annotated[bool, typer.Option("--check", help="只检查，不改草稿")] = False,
    as_data: AsJson = False,
) -> None:
    """把文件导入草稿：全部正确才改动；有错误时一次列出全部，什么也不改，退出码为 1。"""
    settings = settings_or_stop()
    draft = in_database(settings, _draft_or_none)
    base = draft.table if draft else None
    try:
        table = _pasted(sheet, base) if source == PASTED else read_file(Path(source), base)
    except FileInvalid as error:
        if as_data:
            typer.echo(json.dumps([asdict(fault) for fault in error.faults], ensure_ascii=False, indent=1))
            raise typer.Exit(FAILED) from None
        stop(str(error), FAILED)
    except TableInvalid as error:
        stop(str(error), FAILED)
    except OSError as error:
        stop(f"读不了 {source}（{error.strerror}）；请核对文件名", UNUSABLE)
    told = _changes(base, table)
    if not check:
        seen = draft.revision if draft else None
        try:
            in_database(settings, lambda database: save_draft(database, table, seen=seen, by=_author()))
        except DraftConflict as conflict:
            stop(f"导入期间草稿被别人改过，什么也没有改动：\n{conflict}", FAILED)
    if as_data:
        typer.echo(json.dumps({"changes": told, "saved": not check}, ensure_ascii=False, indent=1))
        return
    for line in told:
        typer.echo(f"  {line}")
    typer.echo(f"检查通过，{len(told)} 行会改动" if check else f"已导入草稿，改动 {len(told)} 行；发布后才生效")


async def _draft_or_none(database: object) -> Draft | None:
    try:
        return await load_draft(database)  # type: ignore[arg-type]
    except NoTable:
        return None


def _pasted(name: str, base: Table | None) -> Table:
    found = next((one for one in sheets().values() if name in (one.name, one.title)), None)
    if found is None:
        titles = "、".join(one.title for one in sheets().values())
        stop(f"请用 --sheet 写明粘贴到哪张表：{titles}", UNUSABLE)
    return table_of([read_pasted(found, sys.stdin.read())], base, merge=True)


def _changes(old: Table | None, new: Table) -> list[str]:
    before, after = rows_of(old) if old else {}, rows_of(new)
    changed = {key: "新增" if key not in before else "修改" for key in after if before.get(key) != after[key]}
    changed |= {key: "删除" for key in before if key not in after}
    return [f"{verb} {place_words('.'.join(key) if key[0] != 'settings' else key[1])}" for key, verb in changed.items()]


def _author() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "命令行"
