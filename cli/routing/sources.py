"""Where the table comes from that a command is asked about: the draft, the published version, the sample, or a file.

One job: a word or a path to a table or a snapshot. Whatever cannot be had is a sentence that says what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, NoReturn, TypeVar

import typer

from config.settings import Settings, SettingsError, load_settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from routing.draft import Draft
from routing.exchange.faults import FileInvalid
from routing.exchange.files import read_file
from routing.faults import TableInvalid
from routing.lint import LintContext
from routing.model import Snapshot, Table
from routing.sample_table import sample_table
from routing.service import NoTable, load_draft
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, freeze, load_snapshot, thaw

DRAFT, PUBLISHED, SAMPLE = "draft", "published", "sample"
NOT_PUBLISHED: Final = 0
"""The version that a decision shows for a table that is no published version."""
FAILED: Final = 1
UNUSABLE: Final = 2

T = TypeVar("T")

SOURCES: Final = "draft（草稿）、published（已发布）、sample（示例），或 .toml、.xlsx 文件、CSV 文件夹"

AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON")]


def settings_or_stop() -> Settings:
    """The settings; a sentence and exit code 2 when they are wrong."""
    try:
        return load_settings()
    except SettingsError as error:
        stop(str(error), UNUSABLE)


def stop(sentence: str, code: int) -> NoReturn:
    """Tell why not, and end."""
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def table_from(source: str, settings: Settings) -> Table:
    """The table of a word of SOURCES, or of a file. Ends the command with a sentence when it cannot be had."""
    if source == PUBLISHED:
        return thaw(snapshot_from(PUBLISHED, settings))
    if source == SAMPLE:
        return sample_table()
    if source == DRAFT:
        return draft_now(settings).table
    try:
        return read_file(Path(source), None)
    except (FileInvalid, TableInvalid) as error:
        stop(f"{source}：{error}", FAILED)
    except OSError as error:
        stop(
            f"读不了 {source}（{error.strerror}）；可以写 draft（草稿）、published（已发布）、sample（示例）或文件",
            UNUSABLE,
        )


def snapshot_from(source: str, settings: Settings) -> Snapshot:
    """The same, ready to decide with."""
    if source != PUBLISHED:
        return freeze(table_from(source, settings), NOT_PUBLISHED, datetime.now(UTC))
    try:
        return load_snapshot(settings.snapshot_file)
    except (SnapshotMissing, SnapshotCorrupt) as error:
        stop(str(error), UNUSABLE)


def draft_now(settings: Settings) -> Draft:
    """The draft with its revision."""
    return in_database(settings, load_draft)


def in_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run the work on the database; a failure is a sentence and exit code 1."""

    async def run() -> T:
        database = open_database(settings.database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except (DatabaseError, NoTable, TableInvalid) as error:
        stop(str(error), FAILED)


def surroundings(settings: Settings, today: datetime) -> LintContext:
    """What the lint may know of this instance: its prompts as built, its addresses, the version in force."""
    from setup.lint_context import lint_context as around

    try:
        published = load_snapshot(settings.snapshot_file)
    except (SnapshotMissing, SnapshotCorrupt):
        published = None
    return around(settings, published, today)
