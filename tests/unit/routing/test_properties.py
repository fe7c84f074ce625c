"""For random tables that pass the lint, random calls at random times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.model import CallFacts, Decision, MergeMode, Snapshot, Table, TargetKind
from routing.rules import decide
from routing.snapshot import freeze
from telephony.model import EMERGENCY_NUMBERS
from tests.unit.routing.tables import DIALLED, MOMENTS, SAMPLE, reference, reference_normal, tables

pytestmark = pytest.mark.unit

MOST_STEPS = 3
"""A call rings at one place, is taken back from a sub-centre at most once, and widens at most once."""

slow = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def frozen(table: Table) -> Snapshot:
    return freeze(table, 1, datetime(2026, 1, 1, tzinfo=UTC))


def ends(decision: Decision, snapshot: Snapshot) -> list[str]:
    """The steps of a call until somebody who exists can answer: the reader follows them as a caller would."""
    steps = []
    match decision.target.kind:
        case TargetKind.EMERGENCY:
            assert decision.target.id in EMERGENCY_NUMBERS
            return [f"emergency centre {decision.target.id}"]
        case TargetKind.SUBCENTRE:
            assert snapshot.trunks[decision.target.id].role == "subcentre"
            steps.append(f"sub-centre {decision.target.id}")
    staffed = {group for agent in snapshot.agents.values() for group in agent.groups}
    for group in (decision.group, *(group for _, group in decision.overflow)):
        assert group in snapshot.groups
        steps.append(f"group {group}")
        if group in staffed:
            return steps
    raise AssertionError(f"nobody answers: {steps}")


@slow
@given(tables(), st.lists(st.tuples(DIALLED, MOMENTS), min_size=1, max_size=8))
def test_every_call_ends_at_a_human_or_an_emergency_centre_within_the_step_limit(
    table: Table, calls: list[tuple[str, datetime]]
) -> None:
    snapshot = frozen(table)
    for dialled, moment in calls:
        assert 1 <= len(ends(decide(CallFacts(dialled), snapshot, moment), snapshot)) <= MOST_STEPS


@slow
@given(tables(), st.lists(st.tuples(DIALLED, MOMENTS), min_size=1, max_size=8))
def test_decide_equals_a_slow_obvious_reference(table: Table, calls: list[tuple[str, datetime]]) -> None:
    snapshot = frozen(table)
    for dialled, moment in calls:
        found = decide(CallFacts(dialled), snapshot, moment)
        seen = (str(found.target.kind), found.target.id, found.rule, found.prompts, found.overflow)
        assert seen == reference(table, dialled, moment)
        assert found.number == reference_normal(dialled)


@slow
@given(tables(), DIALLED, MOMENTS)
def test_a_moment_in_another_zone_is_the_same_moment(table: Table, dialled: str, moment: datetime) -> None:
    snapshot = frozen(table)
    here, there = (decide(CallFacts(dialled), snapshot, at) for at in (moment, moment.astimezone(UTC)))
    assert here == there


def test_the_random_tables_reach_every_rule() -> None:
    """Else the properties above would prove less than they say."""
    seen: set[str] = set()

    @settings(max_examples=150, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(tables(), MOMENTS)
    def look(table: Table, moment: datetime) -> None:
        snapshot = frozen(table)
        seen.update(decide(CallFacts(row.number), snapshot, moment).rule for row in table.numbers)

    look()
    phases = ("before", "during", "after")
    states = [
        f"legacy.{mode}.{phase}.{state}"
        for mode in ("dual", "subcentre")
        for phase in phases
        for state in ("open", "closed")
    ]
    assert seen >= {*(f"legacy.full.{phase}" for phase in phases), *states}
    assert {row.mode for row in SAMPLE.numbers} == set(MergeMode)
