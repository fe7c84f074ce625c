"""What a screen asks of the draft and of the table in force: where a call would go, its picture, files out and in.

One job: questions of people answered in plain data, over routing.tables.Tables.
"""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Final

from audit.model import Actor
from routing.beside import BESIDE
from routing.calendar import city_time, day_kind, open_minutes
from routing.columns import sheets
from routing.diff import as_json as change_as_json
from routing.diff import diff, summary
from routing.exchange.faults import FileInvalid
from routing.exchange.files import read_data
from routing.exchange.separated import write_csv
from routing.exchange.toml_text import write_toml
from routing.exchange.workbook import write_workbook
from routing.explain import as_json, explain, place_name
from routing.faults import TableInvalid
from routing.flow_diagram import flow
from routing.labels_zh import VALUES
from routing.model import CallFacts, Snapshot
from routing.naming import names_of
from routing.rules import decide
from routing.snapshot import freeze, thaw
from routing.table_rows import rows_of
from routing.tables import Refused, Said, Tables

DRAFT, PUBLISHED = "draft", "published"
NAMES: Final = {DRAFT: "草稿", PUBLISHED: "生效中"}
FORMATS: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "toml": "application/toml",
    "csv": "text/csv",
}
LARGE_BYTES: Final = 64 * 1024
LARGE_ROWS: Final = 500
"""A file past these is read or written beside the calls; a smaller one is done before the other process has begun."""
MOST_TOLD: Final = 500
"""Faults of a file and changes of an import in one answer."""


async def simulate(tables: Tables, number: str, caller: str, at: datetime | None) -> Said:
    """Where a call would go by the draft and by the table in force, with each test made on the way."""
    moment = city_time(at or tables.publisher.clock())
    told = []
    for name, snapshot in await _both(tables):
        decision = decide(CallFacts(number, caller), snapshot, moment)
        called = names_of(snapshot)
        told.append(
            {
                "table": name,
                "name": NAMES[name],
                "place": place_name(decision.target, called),
                "lines": explain(decision, called),
                "decision": as_json(decision),
            }
        )
    return {"at": moment.isoformat(), "tables": told}


async def hours(tables: Tables, day: date) -> Said:
    """What the draft's schedules say of one day: what kind of day it is, and when each is open, by the minute."""
    draft = (await tables.draft()).table
    named = {row.day: row for row in draft.holidays}
    kinds = {row.day: row.kind for row in draft.holidays}
    kind = day_kind(day, kinds)
    return {
        "day": day.isoformat(),
        "kind": kind,
        "words": VALUES["holidays.kind"][kind],
        "name": named[day].name if day in named else "",
        "known": day.year in draft.known_years,
        "schedules": [
            {"id": one.id, "name": one.name, "open": open_minutes(one, day, kinds)} for one in draft.schedules
        ],
    }


async def picture(tables: Tables, number: str) -> str:
    """The number's flow in the table in force and in the draft, side by side, as SVG."""
    found = await _both(tables)
    named = [(NAMES[name], snapshot) for name, snapshot in reversed(found)]
    return await asyncio.to_thread(flow, number, named, tables.publisher.clock())


async def export(tables: Tables, form: str, source: str, kind: str = "") -> bytes:
    """The table as a file of that form; of CSV one sheet. Raises Refused."""
    if form not in FORMATS or source not in NAMES:
        raise Refused(f"可以导出 {'、'.join(FORMATS)}，取自 {'、'.join(NAMES)}")
    force, table = await tables.both()
    if source == PUBLISHED:
        if force is None:
            raise Refused("还没有发布过路由表；请导出草稿")
        table = thaw(force)
    if form == "csv":
        sheet = sheets().get(kind)
        if sheet is None:
            raise Refused(f"CSV 一次导出一张表（kind）：{'、'.join(sheets())}")
        return await asyncio.to_thread(write_csv, sheet, table)
    if form == "toml":
        return (await asyncio.to_thread(write_toml, table)).encode()
    away = BESIDE.run if len(table.numbers) > LARGE_ROWS else asyncio.to_thread
    return await away(write_workbook, table)


async def take_in(tables: Tables, name: str, data: bytes, actor: Actor, *, check: bool, seen: int | None) -> Said:
    """A file into the draft: whole or not at all; with ``check`` only what it would change.

    ``seen``: revision of the draft that the check was told of. Raises Refused with every fault at its cell.
    """
    draft = await tables.draft()
    try:
        away = BESIDE.run if len(data) > LARGE_BYTES else asyncio.to_thread
        table = await away(read_data, name, data, draft.table)
        await asyncio.to_thread(rows_of, table)
    except FileInvalid as invalid:
        faults = [str(fault) for fault in invalid.faults[:MOST_TOLD]]
        raise Refused(
            f"文件有 {len(invalid.faults)} 处错误，什么也没有改动；请改正后重新导入", {"faults": faults}
        ) from None
    except TableInvalid as invalid:
        raise Refused("文件有错误，什么也没有改动；请改正后重新导入", {"faults": [*map(str, invalid.faults)]}) from None
    changes = await asyncio.to_thread(diff, draft.table, table)
    if not check:
        await tables.save(table, seen if seen is not None else draft.revision, actor, f"导入文件 {name}")
    return {
        "revision": draft.revision,
        "summary": summary(changes),
        "changes": [change_as_json(one) for one in changes[:MOST_TOLD]],
        "count": len(changes),
        "saved": not check,
    }


async def _both(tables: Tables) -> list[tuple[str, Snapshot]]:
    force, draft = await tables.both()
    now = tables.publisher.clock()
    found = [(DRAFT, await asyncio.to_thread(freeze, draft, 0, now))]
    return found if force is None else [*found, (PUBLISHED, force)]
