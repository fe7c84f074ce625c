"""Wrong PINs are counted, and the door opens again by itself."""

from __future__ import annotations

import pytest

from queues.pins.lockout import Lockout

pytestmark = pytest.mark.unit

NOW = 1_795_351_330_000


def wrong(lockout: Lockout, times: int, now: int = NOW) -> None:
    for _ in range(times):
        lockout.begin_attempt("1001", now)


def test_the_fifth_wrong_try_locks_and_names_the_seconds() -> None:
    lockout = Lockout()
    wrong(lockout, 4)
    assert lockout.locked("1001", NOW) == 0
    wrong(lockout, 1)
    assert lockout.locked("1001", NOW) == 900
    assert lockout.locked("1001", NOW + 899_001) == 1
    assert lockout.locked("1002", NOW) == 0


def test_time_opens_it_and_forgets() -> None:
    lockout = Lockout()
    wrong(lockout, 5)
    assert lockout.locked("1001", NOW + 900_000) == 0
    wrong(lockout, 4, NOW + 900_000)
    assert lockout.locked("1001", NOW + 900_000) == 0


def test_slips_of_other_days_do_not_add_up() -> None:
    lockout = Lockout()
    for day in range(20):
        wrong(lockout, 1, NOW + day * 86_400_000)
        assert lockout.locked("1001", NOW + day * 86_400_000) == 0


def test_a_right_one_takes_back_its_own_try_and_a_clear_all_of_them() -> None:
    lockout = Lockout()
    wrong(lockout, 5)
    lockout.cancel_attempt("1001")
    assert lockout.locked("1001", NOW) == 0
    wrong(lockout, 1)
    assert lockout.locked("1001", NOW) == 900
    lockout.clear("1001")
    assert lockout.locked("1001", NOW) == 0
    lockout.cancel_attempt("1001")
    assert lockout.locked("1001", NOW) == 0
