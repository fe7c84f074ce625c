"""Fixtures that every test may ask for, and how a run is divided (tests/support/groups.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from phones.phone import Phone
from routing.beside import BESIDE
from tests.databases import (
    database,
    database_kind,
    database_url,
    postgres_cluster,
    upgraded_postgres,
    upgraded_sqlite,
)
from tests.support.groups import (
    FOLDERS,
    MAX_SECOND_TRIES,
    UNKNOWN_SECONDS,
    Group,
    Misplaced,
    folder_of,
    group_of,
    is_quick,
    known_seconds,
    note_seconds,
)
from tests.support.leaks import Watch, forbid_leaked_tasks
from tests.support.memory import keep_in_memory
from tests.support.patience import PATIENCE

__all__ = [
    "database",
    "database_kind",
    "database_url",
    "postgres_cluster",
    "upgraded_postgres",
    "upgraded_sqlite",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    ours = parser.getgroup("hotline")
    ours.addoption("--group", choices=[*Group], help="only the tests that may run side by side like this")
    ours.addoption("--quick", action="store_true", help="the quick modules of the computing group: make check")
    ours.addoption("--note-seconds", action="store_true", help="note how long each module takes, for the order of runs")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--group") != Group.EXCLUSIVE:
        keep_in_memory()
    Phone.patience = PATIENCE
    forbid_leaked_tasks()


PAST_DEADLINE = ("没有应答", "503")
"""What the failure of a test says whose product found the database too slow: the product's own deadline is seconds."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Folders in which this group has no tests are not read, nor modules that are not quick when those are wanted."""
    wanted, folder = _group(config), folder_of(collection_path)
    tiers = frozenset().union(*FOLDERS.values())
    if wanted and folder in tiers and folder not in FOLDERS[wanted]:
        return True
    slow = config.getoption("--quick") and not is_quick(str(collection_path.relative_to(config.rootpath)))
    return True if slow else None


def _group(config: pytest.Config) -> Group | None:
    return Group.COMPUTING if config.getoption("--quick") else config.getoption("--group")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The wanted group only, the longest module first, so that no worker begins it when the others are done."""
    try:
        groups = [group_of(item.nodeid, folder_of(item.path), (m.name for m in item.iter_markers())) for item in items]
    except Misplaced as error:
        raise pytest.UsageError(str(error)) from error
    for item, group in zip(items, groups, strict=True):
        # A machine that stands still for a second may fail a test of real time, any other only by the deadline
        of_deadline = {"only_rerun": list(PAST_DEADLINE)} if group is Group.COMPUTING else {}
        item.add_marker(pytest.mark.flaky(reruns=1, **of_deadline))
    wanted = _group(config)
    if wanted is None:
        return
    others = [item for item, group in zip(items, groups, strict=True) if group != wanted]
    if others:
        config.hook.pytest_deselected(items=others)
    items[:] = [item for item, group in zip(items, groups, strict=True) if group == wanted]
    seconds = known_seconds()
    items.sort(key=lambda item: -seconds.get(item.nodeid.partition("::")[0], UNKNOWN_SECONDS))


_watches: dict[Path, Watch] = {}


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    _watches.setdefault(item.path, Watch())
    yield


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """What a module leaves behind fails its last test; a task fails the test whose loop was closed over it."""
    yield
    over = not getattr(item, "_finalizers_suspended", False)  # by rerunfailures: a second try takes on what is there
    if over and item.path in _watches and (nextitem is None or nextitem.path != item.path):
        BESIDE.stop()  # the worker that an engine keeps for as long as it lives
        _watches.pop(item.path).check()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Why a test needed its second try: it may be a fault all the same."""
    for report in terminalreporter.getreports("rerun"):
        terminalreporter.section(f"second try: {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
    if _too_many_second_tries(terminalreporter):
        terminalreporter.section(f"FAILED: more than {MAX_SECOND_TRIES} tests needed a second try")
    if config.getoption("--note-seconds"):
        note_seconds(_seconds_by_module(terminalreporter))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    reporter: pytest.TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == pytest.ExitCode.OK and _too_many_second_tries(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


def _too_many_second_tries(reporter: pytest.TerminalReporter) -> bool:
    return len({report.nodeid for report in reporter.getreports("rerun")}) > MAX_SECOND_TRIES


def _seconds_by_module(reporter: pytest.TerminalReporter) -> dict[str, float]:
    taken: defaultdict[str, float] = defaultdict(float)
    for reports in reporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                taken[report.nodeid.partition("::")[0]] += report.duration
    return taken


# A busy machine is no fault of the code: properties have no deadline.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
