"""A hostile row in the routing table must not become a part of the switch's configuration that it is not."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from asterisk_conf.render import render
from routing.lint import lint
from routing.sample_table import sample_table
from tests.unit.asterisk_conf.plans import TABLE, plan

pytestmark = pytest.mark.unit


SECTIONS = set(re.findall(r"^\[([^]]+)\]", render(plan())["etc/pjsip.conf"], re.MULTILINE)) - set(TABLE.trunks)


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_trunk_cannot_take_the_name_of_a_seat_or_of_the_switch_s_own(name: str) -> None:
    table = sample_table()
    stolen = replace(table.trunks[0], id=name)
    assert f"trunks.{name}" in {fault.path for fault in lint(replace(table, trunks=(*table.trunks, stolen)))}
