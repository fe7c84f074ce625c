"""The demo's call as a newcomer makes it: its story, its measurements, its exit status, and nothing left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phones.phone import Answer
from routing.model import Table
from setup.demo_access import DEMO_FILE, DemoAccess, write_demo
from tests.asterisk.support.product import Product, product

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(360)]


def open_demo(running: Product) -> None:
    """What ``up --demo`` writes."""
    write_demo(
        running.settings.data_dir / DEMO_FILE, running.settings, running.credentials, running.table, DemoAccess()
    )


async def demo(running: Product, *arguments: str) -> tuple[int, Any]:
    """The command's exit status and what it printed as JSON; its progress comes before."""
    status, said = await running.hotline("demo", "call", *arguments, "--json")
    return status, json.loads(said[said.index("\n{") :]) if "\n{" in said else said


async def who_is_where(running: Product) -> list[tuple[str, str | None, bool]]:
    agents = {row["seat"]: row["agent"] for row in (await running.ask("/api/agents"))["agents"]}
    seats = (await running.ask("/api/seats"))["seats"]
    return [(row["seat"], agents.get(row["seat"]), row["reachable"]) for row in seats]


def all_day(table: Table) -> Table:
    """Sub-centres that are open whenever the test runs."""
    return replace(table, numbers=tuple(replace(n, schedule="") if n.trunk else n for n in table.numbers))


@pytest.mark.parametrize(
    ("number", "prompt"), [("12345", "greeting-12345"), ("12333", "legacy-12333-during"), ("110", ""), ("12366", "")]
)
async def test_a_call_is_as_it_should_be_and_leaves_nothing_behind(home: Path, number: str, prompt: str) -> None:
    async with product(home, edit=all_day) as hotline:
        open_demo(hotline)
        before = await who_is_where(hotline)
        status, told = await demo(hotline, number)
        assert isinstance(told, dict), told
        assert [check["text"] for check in told["checks"] if not check["ok"]] == []
        assert (status, told["ok"]) == (0, True)
        measured = {check["name"] for check in told["checks"]}
        assert {"routed", "prompt", "answered", "citizen-heard", "answerer-heard"} <= measured
        assert {"recorded-caller", "recorded-agent"} <= measured
        assert ({"rating-asked", "rated"} <= measured) == (number != "110")
        if prompt:
            assert prompt in next(check["text"] for check in told["checks"] if check["name"] == "prompt")
        assert told["call"]["number"] == number
        assert "13800001234" not in json.dumps(told), "a caller's number is masked"
        assert await who_is_where(hotline) == before


async def test_people_who_are_there_are_left_alone(hotline: Product) -> None:
    open_demo(hotline)
    await hotline.seat("8001", "1001", tone_hz=880)
    await hotline.ask("/api/agents/1001/pause", {"reason": "小休"})
    await hotline.seat("8002")
    before = await who_is_where(hotline)
    status, told = await demo(hotline, "12333", "--agent", "1002")
    assert status == 0, [check for check in told["checks"] if not check["ok"]]
    assert (told["call"]["agent"], told["call"]["seat"]) == ("1002", "8003")
    assert await who_is_where(hotline) == before
    status, said = await demo(hotline, "12333", "--agent", "1001")
    assert status == 2
    assert "话机 8001" in said


async def test_a_call_that_somebody_else_answers_says_who(hotline: Product) -> None:
    open_demo(hotline)
    await hotline.seat("8005", "1001", tone_hz=880, behaviour=Answer(hang_up_after=8))
    status, told = await demo(hotline, "12333", "--agent", "1002")
    assert status == 1
    failed = {check["name"]: check["text"] for check in told["checks"] if not check["ok"]}
    assert "8005" in failed["answered"]
    assert "citizen-heard" in failed


async def test_without_an_instance_there_is_a_sentence(home: Path) -> None:
    async with product(home, started=False) as nothing:
        status, said = await nothing.hotline("demo", "call", "12345")
        assert (status, "./hotline up --demo" in said, "Traceback" in said) == (2, True, False)
        open_demo(nothing)
        status, said = await nothing.hotline("demo", "call", "12345")
        assert (status, "./hotline up --demo" in said, "Traceback" in said) == (3, True, False)
