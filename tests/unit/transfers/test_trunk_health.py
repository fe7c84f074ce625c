"""Trunks' health: which one that does not answer is an alarm, and from when on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.engine_harness import TABLE, House

pytestmark = pytest.mark.unit

PARTNER = "utility-water"


def house(host: str) -> House:
    trunks = {**TABLE.trunks, PARTNER: replace(TABLE.trunks[PARTNER], host=host)}
    return House(replace(TABLE, trunks=trunks))


def test_a_partners_trunk_that_never_answered_is_an_alarm_and_no_grave_one() -> None:
    made = house("10.1.2.3")
    made.routes.hear(PARTNER, "UNAVAILABLE")
    assert not made.alarms.standing[f"trunk-{PARTNER}"].grave
    made.routes.hear(PARTNER, "NOT_INUSE")
    assert made.alarms.standing == {}


def test_one_of_the_sample_is_an_alarm_once_it_has_answered() -> None:
    made = house("127.0.0.1")
    made.routes.hear(PARTNER, "UNAVAILABLE")
    assert made.alarms.standing == {}
    made.routes.hear(PARTNER, "NOT_INUSE")
    made.routes.hear(PARTNER, "UNAVAILABLE")
    assert f"trunk-{PARTNER}" in made.alarms.standing
