"""The past as measures and foresight want it: outcomes of calls, and agents' time, from database and journal.

One job: read. Without the database, what the journal still has, and it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import typer
from sqlalchemy.exc import SQLAlchemyError

from cli.forecasting.show import wrong
from config.settings import Settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from engine.engine import journal_folder
from ledger.measures import HALF_HOUR, AgentTime, Outcome, agent_time, outcome
from ledger.model import Kind
from ledger.reader import kind_between, stories_between

JOURNAL_ONLY: Final = "以下只含本机日志中尚未入库的流水"
NO_TABLES: Final = "数据库读不出流水，可能还没有建表；请运行 ./hotline db upgrade"


INCOMPLETE_PAST: Final = "数据库读不到，只有一部分来电记录，据此推算会偏低；请待数据库恢复后再试"


@dataclass(frozen=True, slots=True)
class Past:
    """What happened in a stretch of time."""

    calls: list[Outcome]
    """In the order in which they came in."""
    times: list[AgentTime]
    complete: bool
    """False: the database could not be asked."""


def day_of(text: str, settings: Settings, option: str = "--day") -> datetime:
    """Midnight of a day on the city's clock. Ends the command when it is no day."""
    try:
        day = datetime.fromisoformat(text)
        if day.tzinfo or len(text) != len("2026-10-10"):
            raise ValueError
        return day.replace(tzinfo=settings.zone)
    except ValueError:
        raise wrong(f"{option} {text!r} 不是日期；例如 {option} 2026-10-10") from None


async def history(settings: Settings, since: datetime, until: datetime) -> Past:
    """The calls that came in from ``since`` up to, but not at, ``until``, and who worked meanwhile."""
    database = open_database(settings.database_url)
    try:
        return await past(settings, database, since, until)
    except (DatabaseError, SQLAlchemyError) as error:
        sentence = str(error) if isinstance(error, DatabaseError) else NO_TABLES
        typer.echo(f"{sentence}\n{JOURNAL_ONLY}", err=True)
        return await past(settings, None, since, until)
    finally:
        await database.close()


async def past(settings: Settings, database: Database | None, since: datetime, until: datetime) -> Past:
    """The same from an open database, or from the journal alone. Raises DatabaseError."""
    folder = journal_folder(settings.data_dir)
    stories = await stories_between(database, folder, settings.node, since, until)
    calls = sorted((found for story in stories if (found := outcome(story))), key=lambda call: call.entered_at)
    # A half-hour is told of when it is over, or when the engine stops in it: a little after it began at the soonest.
    facts = await kind_between(database, folder, settings.node, Kind.AGENT_TIME, since, until + HALF_HOUR * 2)
    known = filter(None, map(agent_time, facts))
    times = [time for time in known if since <= time.start + HALF_HOUR / 2 < until]
    return Past(calls, times, complete=database is not None)


def days_back(day: datetime, weeks: int) -> list[datetime]:
    """The same weekday of the weeks before, the nearest first."""
    return [day - timedelta(weeks=week) for week in range(1, weeks + 1)]
