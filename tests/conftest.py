"""Fixtures that every test may ask for."""

from hypothesis import settings

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

# A busy machine is no fault of the code: properties have no deadline.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
