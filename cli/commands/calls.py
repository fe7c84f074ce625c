"""``hotline calls``: the ledger from the shell, whether the engine runs or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from textwrap import indent
from typing import Annotated, TypeVar

import typer
from sqlalchemy.exc import SQLAlchemyError

from audit.service import anchor_new_entries
from cli.commands.agents import who
from cli.engine_client import ask
from cli.exit_codes import end
from cli.figures_repair import Repair, repair
from cli.routing_backend import actor
from config.settings import Settings, SettingsError, load_settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from ivr.prompt_names import names_in_file
from ledger.labels_zh import ANSWERED_BY
from ledger.naming import Called
from ledger.reader import calls_now, facts_now
from ledger.records import CallRecord, fold
from ledger.store import CallFilter
from ledger.story import as_json, mask, outline, tell
from routing.numbers import citizen
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot
from telephony.model import CALL_ID, CallId

app = typer.Typer(help="通话流水：列出来电，讲述一次来电的经过。", no_args_is_help=True)

T = TypeVar("T")

UNKNOWN = 1
PAGE = 5000
"""Calls asked for at once."""

UNUSABLE = 2
NO_TABLES = "数据库读不出流水，可能还没有建表；请运行 ./hotline db upgrade"
JOURNAL_ONLY = "以下只含本机日志中尚未入库的流水"


@app.callback()
def _calls() -> None:
    """通话流水：列出来电，讲述一次来电的经过。"""


@app.command("list")
def list_command(
    number: Annotated[str, typer.Option("--number", help="市民拨打的号码")] = "",
    caller: Annotated[str, typer.Option("--caller", help="来电号码（完整）")] = "",
    agent: Annotated[str, typer.Option("--agent", help="工号")] = "",
    group: Annotated[str, typer.Option("--group", help="技能组")] = "",
    since: Annotated[str, typer.Option("--since", help="起始时间（含），例如 2026-10-10 或 2026-10-10T09:00")] = "",
    until: Annotated[str, typer.Option("--until", help="结束时间（不含）；只写日期则含当日")] = "",
    wrap_up_code: Annotated[str, typer.Option("--code", help="处理结果的编号；- 为未填")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000_000, help="最多几条")] = 20,
    reveal: Annotated[bool, typer.Option("--reveal", help="显示完整的来电号码")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """列出来电，最近的在前。"""
    settings = _settings()
    try:
        start = _moment(since, settings, "--since")
        latest = _moment(until, settings, "--until", whole_day=True)
    except ValueError as error:
        raise _stop(str(error)) from None
    wanted = CallFilter(
        start, latest, number, citizen(caller, area_code(settings)), agent, group, limit, wrap_up_code=wrap_up_code
    )
    whole: list[bool] = []
    records = chain.from_iterable(_pages(settings, wanted, whole))
    if as_data:
        _print_list(json.dumps(outline(record, reveal=reveal), ensure_ascii=False, indent=2) for record in records)
    else:
        empty, called = True, names_in_file(settings.snapshot_file, settings.city).of
        for record in records:
            empty = False
            typer.echo(_row(record, settings, reveal, called))
        if empty:
            typer.echo("没有符合条件的来电")
    end(complete=all(whole))


def _print_list(rows: Iterator[str]) -> None:
    """A JSON list, a row at a time."""
    first = next(rows, None)
    typer.echo("[]" if first is None else f"[\n{indent(first, '  ')}", nl=first is None)
    for row in rows:
        typer.echo(f",\n{indent(row, '  ')}", nl=False)
    typer.echo("" if first is None else "\n]", nl=first is not None)


async def _page(journal: Path, node: str, wanted: CallFilter, database: Database | None) -> list[CallRecord]:
    return await calls_now(database, journal, node, wanted)


def _pages(settings: Settings, wanted: CallFilter, whole: list[bool]) -> Iterator[list[CallRecord]]:
    """The calls wanted, a page at a time, however many there are; ``whole`` gets whether the database told each."""
    journal, left = settings.data_dir / "journal", wanted.limit
    while left > 0:
        page = replace(wanted, limit=min(left, PAGE))
        records, complete = _ask(settings, partial(_page, journal, settings.node, page))
        whole.append(complete)
        yield records
        left -= len(records)
        if len(records) < page.limit:
            return
        wanted = replace(wanted, before=(records[-1].entered_at, records[-1].call))


@app.command("show")
def show_command(
    call: Annotated[str, typer.Argument(help="呼叫编号，或 last（最近一次来电）")],
    reveal: Annotated[bool, typer.Option("--reveal", help="显示完整的来电号码")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """讲述一次来电的经过。"""
    settings = _settings()
    journal = settings.data_dir / "journal"
    if call == "last":
        latest, _ = _ask(settings, lambda database: calls_now(database, journal, settings.node, CallFilter(limit=1)))
        if not latest:
            typer.echo("流水里还没有来电", err=True)
            raise typer.Exit(UNKNOWN)
        call = latest[0].call
    if not CALL_ID.fullmatch(call):
        raise _stop(f"{call[:80]!r} 不是呼叫编号；例如 {settings.node}-1700000000.12，可用 ./hotline calls list 查到")
    facts, whole = _ask(settings, lambda database: facts_now(database, journal, settings.node, CallId(call)))
    record = fold(facts)
    if record is None:
        typer.echo(f"流水里没有呼叫 {call}；可用 ./hotline calls list 查看有哪些", err=True)
        raise typer.Exit(UNKNOWN)
    called = names_in_file(settings.snapshot_file, settings.city).of
    if as_data:
        told = as_json(record, facts, reveal=reveal, called=called)
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"呼叫 {record.call}，{record.entered_at.astimezone(settings.zone):%Y-%m-%d %H:%M:%S}")
        for line in tell(facts, reveal=reveal, called=called):
            typer.echo(str(line))
    end(complete=whole)


@app.command("wrap-up")
def wrap_up_command(
    call: Annotated[str, typer.Argument(help="呼叫编号，例如 hl1-1700000000.12")],
    code: Annotated[str, typer.Argument(help="处理结果的编号，例如 answered")],
    reason: Annotated[str, typer.Option("--reason", help="为什么由您来填，写入审计记录")],
    remark: Annotated[str, typer.Option("--remark", help="备注")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """填写或更改一次来电的处理结果。座席自己在话后整理时在网页里填。"""
    told = ask(f"/api/calls/{call}/wrap-up", {"code": code, "remark": remark, "reason": reason, "by": who()})
    typer.echo(json.dumps(told, ensure_ascii=False) if as_data else f"呼叫 {told['call']} 的处理结果：{told['name']}")


@app.command("repair")
def repair_command(
    reason: Annotated[str, typer.Option("--reason", help="为什么更正，写入审计记录；不写则只看不改")] = "",
    by: Annotated[str, typer.Option("--as", help="操作人姓名")] = "",
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """把误计为来电的系统呼出（应急工单值班电话、回拨、值班电话）从历史指标中去掉，并逐日说明改了什么。"""
    settings = _settings()
    who_acts = actor(by) if reason.strip() else None

    async def run() -> Repair:
        database = open_database(settings.database_url, must_exist=True)
        try:
            told = await repair(database, settings.zone, who_acts, reason.strip())
            if who_acts is not None:
                await anchor_new_entries(database, settings.data_dir)
            return told
        finally:
            await database.close()

    try:
        told = asyncio.run(run())
    except (DatabaseError, SQLAlchemyError) as error:
        raise _stop(str(error) if isinstance(error, DatabaseError) else NO_TABLES) from None
    if as_data:
        typer.echo(
            json.dumps({"done": who_acts is not None, **asdict(told)}, ensure_ascii=False, default=str, indent=2)
        )
        return
    for call in told.calls:
        typer.echo(f"{call}  系统呼出，不是来电")
    for day in told.days:
        typer.echo(str(day))
    if not told.calls:
        typer.echo("没有误计为来电的系统呼出")
    elif who_acts is None:
        typer.echo("以上只是查看，什么都没有改；要更正请加 --reason 说明原因")
    else:
        typer.echo(f"已更正 {len(told.calls)} 通；大屏上最近 24 小时的数字在引擎下次启动时更新")


def _row(record: CallRecord, settings: Settings, reveal: bool, called: Called) -> str:
    if record.answered_at:
        name = called("agents", record.agent)
        who = f"工号 {record.agent}" + (f" {name}" if name != record.agent else "") if record.agent else record.seat
        fate = f"{ANSWERED_BY.get(record.answered_by, '接听')} {who}".strip()
        fate += f"，等候 {(record.waited_ms or 0) / 1000:.1f} 秒"
        fate += f"，通话 {record.talk_ms / 1000:.0f} 秒" if record.talk_ms is not None else ""
    else:
        fate = "未接听"
    fate += "" if record.ended_at else "（进行中）"
    fate += f"，评价 {record.rating_level}" if record.rating_level else ""
    fate += (
        f"，处理结果 {called('wrap_up_codes', record.wrap_up_code) or '未填'}"
        if record.answered_by == "agent" and record.ended_at
        else ""
    )
    fate += "".join(f"，转接 {called('partners', one.target)}" for one in record.transfers)
    caller = record.caller if reveal and record.caller else mask(record.caller)
    when = f"{record.entered_at.astimezone(settings.zone):%m-%d %H:%M:%S}"
    return f"{record.call}  {when}  {caller} → {record.number or '?'}  {called('groups', record.group) or '-'}  {fate}"


def area_code(settings: Settings) -> str:
    """Of the published table; empty when there is none."""
    try:
        return load_snapshot(settings.snapshot_file).area_code
    except (SnapshotMissing, SnapshotCorrupt):
        return ""


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        raise _stop(str(error)) from None


def _stop(sentence: str) -> typer.Exit:
    typer.echo(sentence, err=True)
    return typer.Exit(UNUSABLE)


def _moment(text: str, settings: Settings, option: str, *, whole_day: bool = False) -> datetime | None:
    """A time in the city's zone unless it names its own; a bare date as an end includes that day."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if whole_day and len(text) <= len("2026-10-10"):
            moment += timedelta(days=1)
        return moment if moment.tzinfo else moment.replace(tzinfo=settings.zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{option} {text!r} 不是时间；例如 2026-10-10 或 2026-10-10T09:00") from None


def _ask(settings: Settings, question: Callable[[Database | None], Awaitable[T]]) -> tuple[T, bool]:
    """Ask database and journal; without the database, the journal alone, and say so. Whether the answer is whole."""
    try:
        return asyncio.run(_answered(settings, question)), True
    except (DatabaseError, SQLAlchemyError) as error:
        sentence = str(error) if isinstance(error, DatabaseError) else NO_TABLES
        typer.echo(f"{sentence}\n{JOURNAL_ONLY}", err=True)
        return asyncio.run(_awaited(question(None))), False


async def _answered(settings: Settings, question: Callable[[Database | None], Awaitable[T]]) -> T:
    database = open_database(settings.database_url)
    try:
        return await question(database)
    finally:
        await database.close()


async def _awaited(answer: Awaitable[T]) -> T:
    return await answer
