"""The one metadata that every store's tables belong to.

One job: names and column types. It opens nothing; see database/connection.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, MetaData, Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeDecorator

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name of its own, so that a migration can speak of it on both databases."""


class Base(DeclarativeBase):
    """Parent of every table class."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, UTC in storage. PostgreSQL keeps ``timestamptz``; SQLite keeps the UTC wall time as text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: times in storage are aware")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def insert_ignore(dialect: str, table: type[Base] | Table, key: Iterable[str] = ()) -> Insert:
    """INSERT that leaves a row alone when its key is already there, so that replaying is harmless.

    ``dialect`` is ``connection.dialect.name``; ``key`` names the unique columns meant (all of them when empty).
    Any other violation still raises. Raises ValueError for a database that is neither SQLite nor PostgreSQL.
    """
    target: Any = table if isinstance(table, Table) else inspect(table).local_table
    columns = list(key) or None
    if dialect == "sqlite":
        return sqlite.insert(target).on_conflict_do_nothing(index_elements=columns)
    if dialect == "postgresql":
        return postgresql.insert(target).on_conflict_do_nothing(index_elements=columns)
    raise ValueError(f"unsupported database dialect {dialect!r}")
