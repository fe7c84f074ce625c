"""Who is let in when more calls come than can be carried: the limit against a machine that carries so many a second."""

from __future__ import annotations

import pytest

from calls.admission import ALL, FLOOR_PER_SECOND, LATE_MS, LOOK_SECONDS, Limit

pytestmark = pytest.mark.unit

CARRIES = 70.0
"""Calls a second."""


class Machine:
    """Serves calls one after the other; how late a question comes is how long the line before it is."""

    def __init__(self) -> None:
        self.limit = Limit()
        self.line = 0.0
        self.served = 0.0

    def run(self, offered: float, seconds: float) -> None:
        self.served = 0.0
        for _ in range(round(seconds / LOOK_SECONDS)):
            admitted = round(offered * LOOK_SECONDS * self.limit.of_1000 / ALL)
            done = min(self.line + admitted, CARRIES * LOOK_SECONDS)
            self.line += admitted - done
            self.served += done
            self.limit.look(self.line / CARRIES * 1000, admitted)

    @property
    def late_ms(self) -> float:
        return self.line / CARRIES * 1000


@pytest.mark.parametrize(("times", "share"), [(1.5, 0.8), (2, 0.8), (3, 0.8), (10, 0.7)])
def test_the_machine_goes_on_serving_nearly_all_it_can(times: float, share: float) -> None:
    machine = Machine()
    machine.run(times * CARRIES, 10)
    machine.run(times * CARRIES, 60)
    assert machine.served >= share * CARRIES * 60
    assert machine.late_ms < 2000


@pytest.mark.parametrize("offered", [20, 60])
def test_everybody_is_let_in_again_soon_after_the_crowd(offered: int) -> None:
    machine = Machine()
    machine.run(3 * CARRIES, 60)
    assert machine.limit.of_1000 < ALL
    machine.run(offered, 5)
    assert machine.limit.of_1000 == ALL
    machine.run(offered, 5)
    assert (machine.limit.of_1000, machine.limit.per_second) == (ALL, None)


def test_a_machine_that_keeps_up_refuses_nobody() -> None:
    machine = Machine()
    machine.run(0.95 * CARRIES, 60)
    assert machine.limit.of_1000 == ALL


def test_few_calls_are_let_in_however_late_the_engine_is() -> None:
    limit = Limit()
    few = int(FLOOR_PER_SECOND * LOOK_SECONDS)
    assert {limit.look(20 * LATE_MS, few) for _ in range(100)} == {ALL}


def test_never_fewer_than_the_floor() -> None:
    limit = Limit()
    offered = 400 * LOOK_SECONDS
    for _ in range(400):
        limit.look(20 * LATE_MS, round(offered * limit.of_1000 / ALL))
    assert limit.of_1000 / ALL * 400 >= FLOOR_PER_SECOND * 0.7


def test_a_switch_at_a_stand_is_not_flooded() -> None:
    """Nobody comes through: the share stays, instead of letting everybody in who waits at the door."""
    machine = Machine()
    machine.run(3 * CARRIES, 20)
    share = machine.limit.of_1000
    assert share < ALL
    assert max(machine.limit.look(20 * LATE_MS, 0) for _ in range(20)) <= share
