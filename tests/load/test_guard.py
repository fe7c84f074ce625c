"""No change may cost each call tens of milliseconds: the product beside the static dialplan, with wide margins."""

from __future__ import annotations

import pytest

from bench.guard import guard

pytestmark = [pytest.mark.load, pytest.mark.exclusive, pytest.mark.timeout(400)]


async def test_no_step_of_a_call_takes_tens_of_milliseconds_more_than_in_a_static_dialplan() -> None:
    broken = [str(figure) for figure in await guard() if not figure.holds]
    assert broken == []
