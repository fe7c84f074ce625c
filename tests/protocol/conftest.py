"""A manager link and the scripted manager it talks to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from telephony.ami_link import AmiLink
from telephony.events import Event
from tests.protocol.fake_ami import SECRET, FakeAmi

PLAYED = "Local/message-play@ring-phone/n"
"""A channel that may be originated."""


class Linked:
    """A link, what it told, and how to wait for it."""

    link: AmiLink

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ups = 0
        self.downs = 0
        self.on_event: Callable[[Event], None] = lambda _event: None
        self.on_up: Callable[[], Awaitable[None]] | None = None

    def take(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)

    async def up(self) -> None:
        self.ups += 1
        if self.on_up is not None:
            await self.on_up()

    def down(self) -> None:
        self.downs += 1

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def ami() -> AsyncIterator[FakeAmi]:
    fake = FakeAmi()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def make_link(ami: FakeAmi) -> AsyncIterator[Callable[..., Linked]]:
    made: list[Linked] = []

    def make(**settings: Any) -> Linked:
        settings = {"secret": SECRET, "ping_seconds": 60, "deadline_seconds": 5, **settings}
        linked = Linked()
        linked.link = AmiLink(
            "127.0.0.1",
            ami.port,
            "engine",
            on_event=linked.take,
            on_up=linked.up,
            on_down=linked.down,
            **settings,
        )
        made.append(linked)
        return linked

    yield make
    for linked in made:
        await linked.link.stop()
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"ami-link", "ami-link-up", "ami-link-ping"})
