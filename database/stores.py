"""Which modules hold tables. A new store is named here, so that migrations and checks see its tables."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Final

STORES: Final = (
    "routing.store",
    "routing.release_store",
    "audit.store",
    "ledger.store",
    "ledger.outbox_store",
    "ledger.lease",
    "recordings.store",
    "callbacks.store",
    "orders.store",
    "outbound.store",
    "feeds.store",
    "queues.pins.store",
    "users.store",
)


def load_stores() -> None:
    """Import every store there is, which puts its tables into ``Base.metadata``."""
    for name in STORES:
        if find_spec(name) is not None:
            import_module(name)
