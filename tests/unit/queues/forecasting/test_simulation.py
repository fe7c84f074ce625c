"""The core in virtual time: it agrees with theory, it repeats itself, and people in it behave as people do."""

from __future__ import annotations

from math import isnan

import pytest

from queues.forecasting.erlang import erlang_a, erlang_c
from queues.forecasting.figures import estimate, over_runs, student
from queues.forecasting.scenario import Duration, Habits, Shape
from queues.forecasting.simulation import Run, simulate
from queues.policy import GroupPolicy, Policy
from queues.states import AgentState
from tests.unit.queues.forecasting.floors import START, agent, agents, at, poisson, scenario

pytestmark = pytest.mark.unit

TALK = Duration(180)


def histories(seats: int, habits: Habits, runs: int = 20, per_hour: float = 200) -> list[Run]:
    floor = scenario(agents(seats), poisson(per_hour), hours=6, habits=habits, warm_up_ms=1_800_000)
    return [simulate(floor, seed) for seed in range(runs)]


def test_the_simulation_agrees_with_erlang_c_within_its_confidence_interval() -> None:
    found, theory = over_runs(histories(14, Habits(TALK)), 20), erlang_c(10, 14, 180)
    assert found["wait_share"].holds(theory.wait_share)
    assert found["in_time"].holds(theory.service_level(20))
    assert found["answer_seconds"].holds(theory.answer_seconds)
    assert found["occupancy"].holds(theory.occupancy)
    # An interval that holds everything would say nothing.
    assert found["wait_share"].half < 0.04
    assert not found["wait_share"].holds(erlang_c(10, 13, 180).wait_share)
    assert not found["wait_share"].holds(erlang_c(10, 15, 180).wait_share)


def test_the_simulation_agrees_with_erlang_a_within_its_confidence_interval() -> None:
    found = over_runs(histories(14, Habits(TALK, patience=Duration(300))), 20)
    theory = erlang_a(10, 14, 180, 300)
    assert found["abandoned"].holds(theory.abandon_share)
    assert found["wait_share"].holds(theory.wait_share)
    assert found["in_time"].holds(theory.service_level(20))
    assert found["wait_seconds"].holds(theory.answer_seconds)
    assert found["abandoned"].half < 0.006
    assert not found["abandoned"].holds(erlang_a(10, 13, 180, 300).abandon_share)


def test_equal_seeds_give_equal_histories_and_others_do_not() -> None:
    floor = scenario(agents(4), poisson(60), habits=Habits(TALK, ring=Duration(3), patience=Duration(60)))
    assert simulate(floor, 7) == simulate(floor, 7)
    assert simulate(floor, 7).fates != simulate(floor, 8).fates


def test_two_floors_meet_the_same_callers() -> None:
    habits = Habits(TALK, ring=Duration(3), missed_share=0.2)
    few, many = (simulate(scenario(agents(n), poisson(90), habits=habits), 1) for n in (4, 9))
    assert [fate.at_ms for fate in few.fates] == [fate.at_ms for fate in many.fates]
    assert over_runs([many], 15)["wait_seconds"].mean < over_runs([few], 15)["wait_seconds"].mean


def test_the_oldest_caller_is_served_first_and_a_freed_seat_at_once() -> None:
    run = simulate(scenario([agent(1)], [at(0, 60), at(1, 60), at(2, 60)]), 0)
    assert [fate.answered_ms for fate in run.fates] == [START, START + 60_000, START + 120_000]


def test_a_second_group_answers_from_its_widening_step_on() -> None:
    callers = [at(0, 600, group="expert"), at(1, 60, group="expert", overflow=((20, "general"),))]
    run = simulate(scenario([agent(1, "expert"), agent(2, "general")], callers), 0)
    assert [(fate.agent, fate.answered_ms) for fate in run.fates] == [("1001", START), ("1002", START + 21_000)]


def test_who_loses_patience_leaves_and_who_talks_does_not() -> None:
    habits = Habits(Duration(100, Shape.FIXED), patience=Duration(30, Shape.FIXED))
    run = simulate(scenario([agent(1)], [at(0), at(10)], habits=habits), 0)
    first, second = run.fates
    assert (first.answered_ms, first.gone_ms) == (START, None)
    assert (second.answered_ms, second.gone_ms, second.wait_ms) == (None, START + 40_000, 30_000)


@pytest.mark.parametrize(("seconds", "free"), [(4.0, 64), (10.0, 70), (34.5, 94.5)])
def test_wrap_up_takes_as_long_as_it_takes_not_as_long_as_the_policy_gives(seconds: float, free: float) -> None:
    habits = Habits(wrap_up=Duration(seconds, Shape.FIXED))
    policy = Policy(default=GroupPolicy(ring_seconds=20, wrap_up_seconds=10))
    run = simulate(scenario([agent(1)], [at(0, 60), at(1, 60)], habits=habits, policy=policy), 0)
    assert run.fates[1].answered_ms == START + round(free * 1000)
    assert run.seat_ms[AgentState.WRAP_UP] == round(2 * seconds * 1000)


def test_without_a_wrap_up_of_their_own_agents_take_the_policys() -> None:
    policy = Policy(default=GroupPolicy(ring_seconds=20, wrap_up_seconds=10))
    run = simulate(scenario([agent(1)], [at(0, 60), at(1, 60)], policy=policy), 0)
    assert run.fates[1].answered_ms == START + 70_000


def test_a_phone_that_rings_out_costs_the_caller_the_ringing_and_the_seat_its_place() -> None:
    habits = Habits(ring=Duration(25, Shape.FIXED))
    run = simulate(scenario([agent(1), agent(2)], [at(0, 60)], habits=habits, hours=0.01), 0)
    assert run.seat_ms[AgentState.RINGING] >= 36_000
    assert AgentState.NOT_RESPONDING in run.seat_ms


def test_shifts_begin_and_end_and_an_agent_who_talks_stays_till_the_end_of_the_call() -> None:
    shifts = [agent(1, end=30), agent(2, start=100)]
    run = simulate(scenario(shifts, [at(0, 60), at(1, 10)]), 0)
    assert [(fate.agent, fate.answered_ms) for fate in run.fates] == [("1001", START), ("1002", START + 100_000)]


def test_who_still_waits_when_everybody_has_gone_home_is_neither_answered_nor_gone() -> None:
    run = simulate(scenario([agent(1, end=30)], [at(0, 60), at(1, 10)]), 0)
    assert run.fates[1].wait_ms is None
    assert over_runs([run], 15)["answered"].mean == 0.5


def test_occupancy_is_work_over_work_and_readiness() -> None:
    run = simulate(scenario(agents(2), [at(0, 360)], hours=0.1), 0)
    assert over_runs([run], 15)["occupancy"].mean == pytest.approx(0.5)


def test_an_interval_needs_more_than_one_run_and_somebody_who_calls() -> None:
    assert isnan(estimate([1.0]).half)
    assert isnan(estimate([]).mean)
    assert estimate([1.0, 3.0]).mean == 2.0
    assert estimate([1.0, 3.0]).half == pytest.approx(12.7062)
    assert over_runs([simulate(scenario(agents(1), []), 0)], 15)["in_time"].mean is not None


@pytest.mark.parametrize(("freedom", "value"), [(1, 12.7062), (10, 2.2281), (11, 2.2010), (29, 2.0452), (99, 1.9842)])
def test_students_quantile(freedom: int, value: float) -> None:
    assert student(freedom) == pytest.approx(value, abs=1e-3)
