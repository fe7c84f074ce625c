"""Fixtures that every test may ask for."""

from tests.databases import (
    database,
    database_kind,
    database_url,
    postgres_cluster,
    upgraded_postgres,
    upgraded_sqlite,
)

__all__ = [
    "database",
    "database_kind",
    "database_url",
    "postgres_cluster",
    "upgraded_postgres",
    "upgraded_sqlite",
]
