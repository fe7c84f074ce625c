"""The running product as the tests of its behaviour start it: its engines are forked (see tests/support/warm.py), and
every schedule is open, for tests must pass at three in the night and on a holiday, too.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import time
from functools import partial
from pathlib import Path
from typing import Any

from routing.model import Period, Table
from tests.support.ports import free_ports, reserved_ports
from tests.support.product import Product, free_settings, now, until
from tests.support.product import existing as _existing
from tests.support.product import product as _product

existing = partial(_existing, forks=True)

ROUND_THE_CLOCK = (Period(frozenset(range(1, 8)), time(0), time(0)),)

__all__ = [
    "ROUND_THE_CLOCK",
    "Product",
    "always_open",
    "existing",
    "free_ports",
    "free_settings",
    "now",
    "product",
    "reserved_ports",
    "until",
]


def always_open(table: Table) -> Table:
    """The same table with every schedule open at all hours of all days."""
    schedules = (
        replace(schedule, periods=ROUND_THE_CLOCK, holiday_periods=ROUND_THE_CLOCK) for schedule in table.schedules
    )
    return replace(table, schedules=tuple(schedules))


def product(
    home: Path, *, edit: Callable[[Table], Table] = lambda table: table, hours: bool = False, **more: Any
) -> AbstractAsyncContextManager[Product]:
    """As tests.support.product.product; ``hours`` keeps the sample table's hours of service."""
    return _product(home, edit=edit if hours else lambda table: edit(always_open(table)), forks=True, **more)
