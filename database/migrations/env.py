"""How Alembic reaches the database: over the connection that database/schema.py has already opened."""

from __future__ import annotations

from alembic import context

from database.base import Base
from database.stores import load_stores

load_stores()
connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run inside the program: ./hotline db upgrade")

context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True, compare_server_default=True)
context.run_migrations()
