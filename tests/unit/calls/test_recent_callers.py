"""Who called before: the class of priority, the agent to wait for, and what is forgotten."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calls.recent_callers import MOST_CALLERS, RecentCallers, is_dropped_call
from ivr.ports import CallerPriority
from ledger.records import CallRecord
from routing.model import CallerList
from telephony.model import AgentId, CallId, Priority
from tests.support.engine_harness import NOW, TABLE

pytestmark = pytest.mark.unit

NUMBER, AGENT = "13900000001", AgentId("1001")
MINUTE_MS = 60_000


def standing(callers: RecentCallers, number: str = NUMBER, trunk: str = "pstn", now: int = NOW) -> CallerPriority:
    return callers.standing(number, trunk, TABLE, now)


@pytest.mark.parametrize(("dropped", "priority"), [(False, Priority.REPEAT), (True, Priority.DROPPED)])
def test_who_calls_again_within_the_minutes_of_the_table_waits_for_the_same_agent(
    dropped: bool, priority: Priority
) -> None:
    callers = RecentCallers()
    callers.ended(NUMBER, NOW - 30 * MINUTE_MS + 1, AGENT, dropped=dropped)
    assert standing(callers) == CallerPriority(priority, AGENT)
    assert standing(callers, now=NOW + 1) == CallerPriority()
    assert standing(callers, "13900000002") == CallerPriority()


def test_who_gave_up_waiting_is_a_repeat_caller_of_the_agent_before() -> None:
    callers = RecentCallers()
    callers.ended(NUMBER, NOW - 2 * MINUTE_MS, AGENT, dropped=True)
    callers.ended(NUMBER, NOW - MINUTE_MS, None, dropped=False)
    assert standing(callers) == CallerPriority(Priority.REPEAT, AGENT)


def test_a_number_that_is_not_told_is_nobody() -> None:
    callers = RecentCallers()
    callers.ended("", NOW, AGENT, dropped=True)
    assert standing(callers, "") == CallerPriority()


@pytest.mark.parametrize("trunk", ["emergency-110", "emergency-119-backup"])
def test_a_centre_that_calls_us_comes_before_repeat_callers(trunk: str) -> None:
    assert standing(RecentCallers(), trunk=trunk) == CallerPriority(Priority.CENTRE)


@pytest.mark.parametrize(
    ("listed", "dropped", "known"),
    [
        (CallerList.PRIORITY, None, CallerPriority(Priority.LISTED)),
        (CallerList.PRIORITY, False, CallerPriority(Priority.LISTED, AGENT)),
        (CallerList.PRIORITY, True, CallerPriority(Priority.DROPPED, AGENT)),
        (CallerList.NUISANCE, None, CallerPriority(Priority.NUISANCE)),
        (CallerList.NUISANCE, True, CallerPriority(Priority.NUISANCE)),
        (CallerList.STAFF, None, CallerPriority()),
        (CallerList.STAFF, False, CallerPriority(Priority.REPEAT, AGENT)),
    ],
)
def test_a_list_of_the_table_raises_or_lowers_and_staff_are_like_anybody(
    listed: CallerList, dropped: bool | None, known: CallerPriority
) -> None:
    callers = RecentCallers()
    if dropped is not None:
        callers.ended(NUMBER, NOW - MINUTE_MS, AGENT, dropped=dropped)
    assert callers.standing(NUMBER, "pstn", TABLE, NOW, listed) == known


def test_a_centre_is_first_whatever_list_its_number_is_on() -> None:
    here = RecentCallers().standing(NUMBER, "emergency-110", TABLE, NOW, CallerList.NUISANCE)
    assert here == CallerPriority(Priority.CENTRE)


def test_nobody_repeats_when_the_table_says_so() -> None:
    callers = RecentCallers()
    callers.ended(NUMBER, NOW, AGENT, dropped=False)
    assert callers.standing(NUMBER, "pstn", replace(TABLE, repeat_minutes=0), NOW) == CallerPriority()


def test_memory_is_bounded_and_the_least_recent_is_forgotten() -> None:
    callers = RecentCallers()
    for n in range(MOST_CALLERS + 1):
        callers.ended(str(13_000_000_000 + n), NOW, AGENT, dropped=False)
    assert standing(callers, "13000000000") == CallerPriority()
    assert standing(callers, "13000000001") == CallerPriority(Priority.REPEAT, AGENT)


@pytest.mark.parametrize(
    ("talking", "cause", "dropped"),
    [(True, "16", False), (True, "127", True), (True, "38", True), (False, "38", False)],
)
def test_a_talk_that_the_network_ended_broke_off(talking: bool, cause: str, dropped: bool) -> None:
    assert is_dropped_call(talking, cause) is dropped


def test_after_a_restart_the_ledger_tells_and_what_was_heard_since_is_newer() -> None:
    ended = datetime.fromtimestamp(NOW / 1000, UTC) - timedelta(minutes=5)
    record = CallRecord(
        CallId("hl1-1795351000.1"), "12345", NUMBER, ended, ended, ended, "general", AGENT, "8001", "agent",
        "", "hotline", 1, None, 1000, 0, "38", "caller", (), "engine",
    )  # fmt: skip
    callers = RecentCallers()
    callers.recall([record])
    assert standing(callers) == CallerPriority(Priority.DROPPED, AGENT)
    callers.ended(NUMBER, NOW, AgentId("1002"), dropped=False)
    callers.recall([record, replace(record, ended_at=None)])
    assert standing(callers) == CallerPriority(Priority.REPEAT, AgentId("1002"))
