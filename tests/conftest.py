"""Fixtures that every test may ask for."""

import pytest
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

REAL_TIME = ("asterisk", "browser", "load")
"""Tiers whose tests talk with other processes in real time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A machine that stands still for a second may fail a test of real time: it has a second try, named at the end."""
    for item in items:
        if any(item.get_closest_marker(tier) for tier in REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Why a test needed its second try: it may be a fault all the same."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"second try: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)


# A busy machine is no fault of the code: properties have no deadline.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
