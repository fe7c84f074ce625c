"""Callers on a list: shown, before or behind the others, and never turned away."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar import CITY
from routing.model import CallerList, CallFacts, Decision, ListedCaller, Snapshot, TargetKind
from routing.rules import decide, listed
from routing.snapshot import freeze, from_json, to_json
from telephony.model import EMERGENCY_NUMBERS
from tests.unit.routing.tables import DIALLED, MOMENTS, SAMPLE

pytestmark = pytest.mark.unit

END = datetime(2026, 12, 1, 18, tzinfo=CITY)
INSTANT = timedelta(microseconds=1)
NUISANCE, FAVOURED, STAFF = "13800000001", "13800000002", "8768123"
ROWS = (
    ListedCaller(NUISANCE, CallerList.NUISANCE, "一天来电 30 次", END),
    ListedCaller(FAVOURED, CallerList.PRIORITY, "行动不便"),
    ListedCaller(STAFF, CallerList.STAFF, "值班室"),
)


def frozen(*rows: ListedCaller) -> Snapshot:
    return freeze(replace(SAMPLE, callers=rows), 1, datetime(2026, 1, 1, tzinfo=UTC))


TABLE, NO_LISTS = frozen(*ROWS), frozen()


def ask(caller: str, number: str = "12345", at: datetime = END - INSTANT, table: Snapshot = TABLE) -> Decision:
    return decide(CallFacts(number, caller), table, at)


@pytest.mark.parametrize(
    ("caller", "list_", "said", "reason"),
    [
        (NUISANCE, CallerList.NUISANCE, "来电人在骚扰名单，排在其他来电之后，照常接通", "一天来电 30 次"),
        (FAVOURED, CallerList.PRIORITY, "来电人在优先名单，优先接听", "行动不便"),
        (STAFF, CallerList.STAFF, "来电人是内部人员，按普通来电接听", "值班室"),
    ],
)
def test_who_is_on_a_list_is_told_in_reason_and_trace(caller: str, list_: CallerList, said: str, reason: str) -> None:
    decision = ask(caller)
    assert decision.list is list_
    assert decision.reason.endswith(f"；{said}")
    assert decision.trace[-1] == f"{said}（{reason}）"
    assert caller not in decision.reason + "".join(decision.trace), "a number is nobody's business in a log"


@pytest.mark.parametrize("written", ["06638768123", "0663-8768123", "+866638768123", "00866638768123"])
def test_a_caller_is_known_however_the_carrier_writes_the_number(written: str) -> None:
    assert ask(written).list is CallerList.STAFF


def test_a_row_counts_until_the_exact_moment_it_ends() -> None:
    assert ask(NUISANCE, at=END - INSTANT).list is CallerList.NUISANCE
    for moment in (END, END.astimezone(UTC), END + timedelta(days=400)):
        assert ask(NUISANCE, at=moment) == ask("", at=moment), "an expired row counts no more"


@pytest.mark.parametrize("caller", ["", "anonymous", "1380000000", "138000000011"])
def test_a_withheld_or_unknown_number_matches_nothing(caller: str) -> None:
    assert ask(caller) == ask("", table=NO_LISTS)


@pytest.mark.parametrize("number", EMERGENCY_NUMBERS)
def test_no_list_touches_an_emergency_call(number: str) -> None:
    decision = ask(NUISANCE, number)
    assert decision.target.kind is TargetKind.EMERGENCY
    assert decision == ask("", number, table=NO_LISTS)


def test_a_table_with_lists_comes_back_from_disk() -> None:
    assert from_json(to_json(TABLE)) == TABLE


@settings(max_examples=300)
@given(
    DIALLED,
    MOMENTS,
    st.sampled_from(["13800000001", "8768123", "+8613800000001", "0663-8768123", "", "999"]),
    st.lists(
        st.builds(
            ListedCaller,
            st.sampled_from(["13800000001", "8768123", "13800000002"]),
            st.sampled_from(CallerList),
            st.just("x"),
            st.none() | MOMENTS,
        ),
        unique_by=lambda row: row.number,
    ),
)
def test_a_list_never_changes_where_a_call_goes(
    number: str, moment: datetime, caller: str, rows: list[ListedCaller]
) -> None:
    """Whoever calls reaches the humans that anybody would reach; the list found is that of a slow search."""
    here = ask(caller, number, moment, frozen(*rows))
    there = ask("", number, moment, NO_LISTS)
    told = {"reason", "trace", "list"}
    assert all(getattr(here, one.name) == getattr(there, one.name) for one in fields(Decision) if one.name not in told)
    short = {"+8613800000001": "13800000001", "0663-8768123": "8768123"}.get(caller, caller)
    live = [row for row in rows if row.number == short and not (row.until and row.until <= moment)]
    found = listed(caller, frozen(*rows), moment)
    assert ([found] if found else []) == live
