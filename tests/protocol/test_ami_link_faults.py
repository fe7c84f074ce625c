"""Each fault of panoramisk 1.4, by name, and the proof that our link does not have it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable

import pytest

from telephony.ami_link import LinkState, _Manager
from telephony.errors import AmiDeadline, AmiDown, AmiLoginRefused, AmiUnsafeValue
from telephony.events import Event
from tests.protocol.conftest import PLAYED, Linked, until
from tests.protocol.fake_ami import Connection, FakeAmi, Headers

pytestmark = pytest.mark.protocol
MakeLink = Callable[..., Linked]


def refuse_none(connection: Connection, action: Headers) -> None:
    connection.respond(action, Message="done")


def pending_tries() -> list[object]:
    """What could still connect: the supervisor, or a timer of panoramisk's manager."""
    timers = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
    owners = [getattr(timer._callback, "__self__", None) for timer in timers if not timer.cancelled()]
    tasks = [task for task in asyncio.all_tasks() if task.get_name() == "ami-link"]
    return [*tasks, *(owner for owner in owners if isinstance(owner, _Manager))]


async def test_an_exception_in_a_callback_drops_the_link(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()

    def fail(event: Event) -> None:
        if event.name == "Hangup":
            raise RuntimeError("a handler's mistake")

    linked.on_event = fail
    await linked.link.start()
    ami.connection.event("Hangup", Uniqueid="n1-1.0")
    ami.connection.event("Newchannel", Uniqueid="n1-2.0")
    await until(lambda: len(linked.named("Newchannel")) == 1)
    assert linked.link.up
    assert linked.link.counters.handler_errors == 1


async def test_unanswered_actions_are_sent_again_after_reconnect(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    call = asyncio.ensure_future(linked.link.originate(PLAYED, context="c", exten="s"))
    await until(lambda: len(ami.actions) == 1)
    ami.connection.transport.abort()
    with pytest.raises(AmiDeadline):
        await call
    await until(lambda: linked.ups == 2)
    ami.on["Setvar"] = refuse_none
    await linked.link.send("Setvar", {"Variable": "X", "Value": "1"})
    assert [action["Action"] for action in ami.actions] == ["Originate", "Setvar"]


async def test_a_pong_is_never_awaited(ami: FakeAmi, make_link: MakeLink) -> None:
    del ami.on["Ping"]
    linked = make_link(ping_seconds=0.01, deadline_seconds=0.1)
    await linked.link.start()
    await until(lambda: linked.downs >= 1)
    assert linked.link.counters.late >= 1
    await until(lambda: linked.ups >= 2)


async def test_originate_without_async_kills_the_link(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()

    def queued(connection: Connection, action: Headers) -> None:
        connection.respond(action, Message="Originate successfully queued")
        if action.get("Async") == "true":
            connection.event("OriginateResponse", ActionID=action["ActionID"], Response="Success", Reason="4")

    ami.on["Originate"] = queued
    response = await linked.link.send("Originate", {"Channel": PLAYED, "Context": "c"})
    assert response.message == "Originate successfully queued"
    outcome = await linked.link.originate(PLAYED, context="c", exten="s")
    assert outcome.answered
    assert linked.link.up


@pytest.mark.parametrize("value", ["a\r\nAction: Command", "a\nb", "a\rb", "a\0b", "x" * 1100, "\ud800"])
async def test_values_are_not_checked_for_line_ends(ami: FakeAmi, make_link: MakeLink, value: str) -> None:
    linked = make_link()
    await linked.link.start()
    before = len(ami.raw)
    with pytest.raises(AmiUnsafeValue):
        await linked.link.send("Setvar", {"Variable": "X", "Value": value})
    with pytest.raises(AmiUnsafeValue):
        await linked.link.send("Setvar", [(f"Variable{value}", "x")])
    with pytest.raises(AmiUnsafeValue):
        await linked.link.send(value)
    with pytest.raises(AmiUnsafeValue):
        await linked.link.originate(PLAYED, context="c", variables={"X": value + ","})
    assert len(ami.raw) == before
    assert linked.link.up


async def test_each_chunk_is_decoded_alone(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    wire = "Event: Newchannel\r\nCallerIDName: 张三丰\r\n\r\n".encode()
    for i in range(len(wire)):
        ami.connection.transport.write(wire[i : i + 1])
        await asyncio.sleep(0)
    await until(lambda: len(linked.named("Newchannel")) == 1)
    assert linked.named("Newchannel")[0]["CallerIDName"] == "张三丰"


async def test_events_of_one_call_are_handled_out_of_order(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    for n in range(500):
        ami.connection.event("VarSet", Value=str(n))
    await until(lambda: len(linked.named("VarSet")) == 500)
    assert [event["Value"] for event in linked.named("VarSet")] == [str(n) for n in range(500)]


async def test_timed_out_actions_leak(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    with pytest.raises(AmiDeadline):
        await linked.link.send("Redirect", {"Channel": "x"}, deadline=0.01)
    with pytest.raises(AmiDeadline):
        await linked.link.collect("Status", until="StatusComplete", deadline=0.01)
    with pytest.raises(AmiDeadline):
        await linked.link.originate(PLAYED, context="c", exten="s", deadline=0.01)
    wire = linked.link._wire
    assert wire is not None
    assert wire.responses == {}
    assert wire._followers == {}
    for action in ami.actions:
        ami.connection.respond(action)
    await until(lambda: linked.link.counters.strays == 3)
    assert linked.link.counters.late >= 3
    assert linked.link.up


async def test_close_still_reconnects(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    await linked.link.stop()
    assert linked.link.state is LinkState.STOPPED
    assert (linked.ups, linked.downs) == (1, 1)
    assert not pending_tries()
    with pytest.raises(AmiDown):
        await linked.link.send("Ping")


async def test_a_wrong_password_is_retried_for_ever(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link(secret="wrong")
    with pytest.raises(AmiLoginRefused):
        await linked.link.start()
    assert linked.link.state is LinkState.REFUSED
    assert not pending_tries()
    assert (ami.logins, linked.ups, linked.downs) == (1, 0, 0)


async def test_an_unknown_header_reads_as_empty(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    ami.connection.event("Newchannel", AccountCode="")
    await until(lambda: len(linked.named("Newchannel")) == 1)
    (event,) = linked.named("Newchannel")
    assert event["accountcode"] == ""
    assert event.get("AcountCode") is None
    with pytest.raises(KeyError):
        event["AcountCode"]
    with pytest.raises(AttributeError):
        event.accountcode  # type: ignore[attr-defined]  # noqa: B018  the fault was that this works


async def test_an_empty_last_header_is_lost(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    ami.connection.event("Hangup", Uniqueid="n1-1.0", TechCause="")
    await until(lambda: len(linked.named("Hangup")) == 1)
    assert linked.named("Hangup")[0]["TechCause"] == ""


async def test_added_to_queue_waits_for_events_that_never_come(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    ami.on["QueueAdd"] = lambda connection, action: connection.respond(action, Message="Added interface to queue")
    response = await linked.link.send("QueueAdd", {"Queue": "duty", "Interface": "PJSIP/8001"})
    assert response.message == "Added interface to queue"


def test_importing_the_link_leaves_panoramisk_testing_alone() -> None:
    code = "import sys, telephony.ami_link; sys.exit('panoramisk.testing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
