"""The ACD's finer rules on a real Asterisk: an agent who answers and drops, and the skills of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.model import Kind
from phones.phone import Answer
from queues.states import AgentState
from routing.model import Overflow, Table
from telephony.model import OverflowTo, OverflowWhen
from tests.asterisk.support.crowd import line, number_of, staff, staffed, waiting
from tests.asterisk.support.product import product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]


def finer(seats: int) -> Callable[[Table], Table]:
    """Agents 1001 upwards have levels 1, 2, … of one skill; level 2 may answer after 2 s, others after 4 s."""

    def edit(table: Table) -> Table:
        table = staffed(seats)(table)
        security, general = (next(g for g in table.groups if g.id == name) for name in ("social-security", "general"))
        ask = replace(
            security, skills=("teochew",), level_seconds=2, overflow=(_row(4),), short_talk_seconds=3, whisper=False
        )
        agents = (
            replace(table.agents[0], groups=(), skills={"teochew": 1}),
            replace(table.agents[1], groups=(), skills={"teochew": 2}),
            *(replace(agent, groups=(general.id,)) for agent in table.agents[2:]),
        )
        groups = tuple(ask if group.id == security.id else group for group in table.groups)
        return replace(table, agents=agents, groups=groups)

    return edit


def _row(seconds: int) -> Overflow:
    return Overflow(OverflowWhen.WAITED, seconds, OverflowTo.EVERYONE)


async def test_an_expert_is_waited_for_then_the_next_level_then_everyone_and_who_drops_costs_nothing(
    home: Path,
) -> None:
    async with product(home, edit=finer(3)) as hotline:
        expert, second, general = await staff(hotline, 3)
        citizen = hotline.citizen()
        first = await citizen.call("12333", caller=number_of(1), tone_hz=None)
        talk = await expert.wait_talking(20)  # who answers best
        call = await citizen.call("12333", caller=number_of(2), tone_hz=None)
        await waiting(hotline, 1)
        [(_, born, _, _)] = await line(hotline)
        second.behaviour = Answer(after=0, hang_up_after=0.3)
        general.behaviour = Answer(after=0)
        dropped = await second.wait_talking(10)
        await dropped.ended(5)
        taken = await general.wait_talking(10)
        assert [one.caller for one in (dropped, taken)] == [number_of(2)] * 2
        assert not call.is_over
        seats = {row["seat"]: row["state"] for row in (await hotline.ask("/api/seats"))["seats"]}
        assert seats["8002"] == AgentState.NOT_RESPONDING
        rows = (await hotline.ask("/api/queues"))["calls"]
        assert [row["since_ms"] for row in rows if row["seat"] == "8003"] == [born]
        await taken.hang_up()
        await call.hang_up()
        await talk.hang_up()
        await first.hang_up()

        async def over() -> bool:
            return (
                all(record.ended_at is not None for record in await hotline.calls())
                and not (await hotline.ask("/api/queues"))["calls"]
            )

        await until(over, "both calls to be over")
        record = next(record for record in await hotline.calls() if record.caller == number_of(2))
        kinds = await hotline.kinds(record.call)
        assert (kinds.count(Kind.OFFERED), kinds.count(Kind.ANSWERED)) == (2, 2), kinds
