"""A wall clock that is set makes nobody wait longer or shorter, and is told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.steady_clock import ALARM, SHOWN_SECONDS, ClockWatch, SteadyClock
from ledger.alarms import Alarms
from ledger.journal import Journal
from telephony.model import NodeId

pytestmark = pytest.mark.unit

NS = 1_000_000
HOUR = 3_600_000


class Time:
    """Both clocks, in ms."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_700_000_000_000, 5_000
        self.clock = SteadyClock(lambda: self.wall * NS, lambda: self.steady * NS)

    def passes(self, ms: int) -> None:
        self.wall += ms
        self.steady += ms


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_changes_no_age(step: int) -> None:
    time = Time()
    before = time.clock.from_wall(time.wall)
    time.passes(10_000)
    time.wall += step
    assert time.clock() - before == 10_000
    rings = time.wall
    time.passes(4_000)
    assert time.clock() - time.clock.from_wall(rings) == 4_000


def test_a_moment_before_a_step_back_is_never_in_the_future_and_none_stays_none() -> None:
    time = Time()
    rang = time.wall
    time.wall -= HOUR
    assert time.clock.from_wall(rang) == time.clock()
    assert time.clock.from_wall(0) == 0


def test_a_slow_drift_is_left_alone() -> None:
    time = Time()
    time.wall += 400
    assert time.clock.from_wall(time.wall - 1000) == time.wall - 1000


def test_a_step_is_told_of_for_an_hour_and_a_second_one_anew(tmp_path: Path) -> None:
    time = Time()
    alarms = Alarms(Journal(tmp_path / "journal"), NodeId("hl1"))
    watch = ClockWatch(time.clock, alarms)
    watch.look()
    assert alarms.standing == {}
    time.wall += HOUR
    watch.look()
    assert "向前跳了 3600 秒" in alarms.standing[ALARM].text
    time.passes(1000)
    watch.look()
    assert "向前" in alarms.standing[ALARM].text
    time.wall -= 30_000
    watch.look()
    assert "向后跳了 30 秒" in alarms.standing[ALARM].text
    time.passes(int(SHOWN_SECONDS * 1000) + 1)
    watch.look()
    assert alarms.standing == {}
