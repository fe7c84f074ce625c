"""What the manager link promises, against a scripted manager on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from telephony.ami_link import LinkState
from telephony.errors import AmiDeadline, AmiDown, AmiLoginRefused, AmiRefused, AmiUnsafeValue
from telephony.events import Event, OriginateOutcome
from tests.protocol.conftest import PLAYED, Linked, until
from tests.protocol.fake_ami import SECRET, Connection, FakeAmi, Headers

pytestmark = pytest.mark.protocol
MakeLink = Callable[..., Linked]


async def test_the_link_comes_up_and_is_told_once(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    await until(lambda: linked.ups == 1)
    assert linked.link.state is LinkState.UP
    assert linked.link.counters.connected == 1


async def test_starting_does_not_wait_for_an_asterisk_that_is_not_there(ami: FakeAmi, make_link: MakeLink) -> None:
    await ami.stop()
    linked = make_link()
    await linked.link.start()
    assert not linked.link.up
    with pytest.raises(AmiDown):
        await linked.link.send("Status")
    await ami.start()
    await until(lambda: linked.ups == 1)


async def test_an_asterisk_that_still_boots_is_waited_for(ami: FakeAmi, make_link: MakeLink) -> None:
    ami.booted = False
    linked = make_link(deadline_seconds=0.1)
    starting = asyncio.ensure_future(linked.link.start())
    await until(lambda: ami.logins >= 2)
    assert linked.ups == 0
    ami.booted = True
    await starting
    await until(lambda: linked.ups == 1)


async def test_after_a_restart_the_link_comes_back(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    await until(lambda: linked.ups == 1)
    await ami.stop()
    await until(lambda: linked.downs == 1)
    assert not linked.link.up
    await ami.start()
    await until(lambda: linked.ups == 2)
    assert (linked.link.counters.connected, linked.link.counters.lost) == (2, 1)


async def test_a_secret_that_turns_wrong_stops_the_link(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    linked.link._login["Secret"] = "wrong"
    ami.connection.transport.abort()
    await until(lambda: linked.link.state is LinkState.REFUSED)
    assert linked.downs == 1


async def test_a_failing_on_up_makes_the_link_anew(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()

    async def reconcile() -> None:
        if linked.ups == 1:
            raise RuntimeError("could not reconcile")

    linked.on_up = reconcile
    await linked.link.start()
    await until(lambda: linked.ups == 2)
    assert (linked.downs, linked.link.counters.handler_errors) == (1, 1)


async def test_actions_may_be_sent_from_on_up(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    ami.on["Status"] = status_of(2)
    found: list[Event] = []

    async def reconcile() -> None:
        found.extend(await linked.link.collect("Status", until="StatusComplete"))

    linked.on_up = reconcile
    await linked.link.start()
    await until(lambda: len(found) == 2)


def status_of(count: int) -> Callable[[Connection, Headers], None]:
    def answer(connection: Connection, action: Headers) -> None:
        connection.respond(action, EventList="start", Message="Channel status will follow")
        for n in range(count):
            connection.event("Newchannel", Channel="between")
            connection.event("Status", Channel=f"c{n}", ActionID=action["ActionID"])
        connection.event("StatusComplete", EventList="Complete", ActionID=action["ActionID"])

    return answer


async def test_a_list_is_collected_and_kept_from_the_events(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    ami.on["Status"] = status_of(3)
    listed = await linked.link.collect("Status", {"Variables": "HL_CALL"}, until="StatusComplete")
    assert [event["Channel"] for event in listed] == ["c0", "c1", "c2"]
    assert [event.name for event in linked.events if event.name != "FullyBooted"] == ["Newchannel"] * 3


async def test_two_lists_at_once_do_not_mix(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    first, second = (asyncio.ensure_future(linked.link.collect("Status", until="StatusComplete")) for _ in range(2))
    await until(lambda: len(ami.actions) == 2)
    ids = [action["ActionID"] for action in ami.actions]
    for action in ami.actions:
        ami.connection.respond(action)
    for n in range(4):
        ami.connection.event("Status", N=str(n), ActionID=ids[n % 2])
    for action_id in reversed(ids):
        ami.connection.event("StatusComplete", ActionID=action_id)
    assert [event["N"] for event in await first] == ["0", "2"]
    assert [event["N"] for event in await second] == ["1", "3"]


async def test_a_refusal_is_raised_with_asterisks_words(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    ami.on["Redirect"] = lambda connection, action: connection.respond(
        action, "Error", Message="Channel does not exist"
    )
    with pytest.raises(AmiRefused, match="Channel does not exist"):
        await linked.link.send("Redirect", {"Channel": "x"})
    ami.on["QueueStatus"] = lambda connection, action: connection.respond(action, "Error", Message="no")
    with pytest.raises(AmiRefused):
        await linked.link.collect("QueueStatus", until="QueueStatusComplete")
    assert linked.link.up


async def test_what_was_open_when_the_link_went_has_an_unknown_outcome(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    open_ones = [
        asyncio.ensure_future(linked.link.send("Redirect", {"Channel": "x"})),
        asyncio.ensure_future(linked.link.collect("Status", until="StatusComplete")),
        asyncio.ensure_future(linked.link.originate(PLAYED, context="c", exten="s")),
    ]
    await until(lambda: len(ami.actions) == 3)
    ami.connection.respond(ami.actions[2], Message="Originate successfully queued")
    ami.connection.transport.close()
    for outcome in await asyncio.gather(*open_ones, return_exceptions=True):
        assert isinstance(outcome, AmiDeadline)


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        (
            {"Response": "Success", "Reason": "4", "Channel": "Local/1@x-1;1", "Uniqueid": "n1-1.0"},
            OriginateOutcome(True, 4, "Local/1@x-1;1", "n1-1.0"),
        ),
        (
            {"Response": "Failure", "Reason": "5", "Channel": "Local/1@x", "Uniqueid": "<unknown>"},
            OriginateOutcome(False, 5, "Local/1@x", None),
        ),
    ],
)
async def test_an_originate_is_known_by_its_response(
    ami: FakeAmi, make_link: MakeLink, headers: Headers, outcome: OriginateOutcome
) -> None:
    linked = make_link()
    await linked.link.start()

    def answer(connection: Connection, action: Headers) -> None:
        connection.event("OriginateResponse", ActionID="somebody-else", Response="Failure", Reason="0")
        connection.respond(action, Message="Originate successfully queued")
        connection.event("OriginateResponse", ActionID=action["ActionID"], **headers)

    ami.on["Originate"] = answer
    result = await linked.link.originate(
        PLAYED, context="c", exten="s", ring_seconds=1.5, caller_id="12345", variables={"HL_A": "a b", "HL_B": "1"}
    )
    assert result == outcome
    (action,) = ami.actions
    assert (action["Async"], action["Timeout"], action["Exten"], action["CallerID"]) == ("true", "1500", "s", "12345")
    assert b"Variable: HL_A=a b\r\nVariable: HL_B=1\r\n" in b"".join(ami.raw)
    assert len(linked.named("OriginateResponse")) == 2


@pytest.mark.parametrize(
    "channel",
    [
        *("PJSIP/8001", "PJSIP/pstn/sip:1@127.0.0.1", "Local/110@from-seats/n", "Local/message-play@ring-phone", ""),
        *("Local/message-play@ring-phone/n&PJSIP/8001", "Local/x@ring-phone/n", "Local/message-play@ring-out/n"),
    ],
)
async def test_nothing_is_originated_that_would_obey_a_redirect(
    ami: FakeAmi, make_link: MakeLink, channel: str
) -> None:
    linked = make_link()
    await linked.link.start()
    with pytest.raises(AmiUnsafeValue, match="never originated"):
        await linked.link.originate(channel, context="c", exten="s")
    for action, header in (("Originate", "Channel"), ("originate", "channel")):
        with pytest.raises(AmiUnsafeValue, match="never originated"):
            await linked.link.send(action, {header: channel})
    with pytest.raises(AmiUnsafeValue, match="never originated"):
        await linked.link.send("Originate", [("Channel", PLAYED), ("Channel", PLAYED)])
    assert ami.actions == []


async def test_the_ids_of_actions_are_ours(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link()
    await linked.link.start()
    with pytest.raises(AmiUnsafeValue):
        await linked.link.send("Ping", {"actionid": "x"})
    with pytest.raises(AmiUnsafeValue):
        await linked.link.send("Ping", [("Variable", "a=b")] * 200)


@pytest.mark.parametrize("junk", [b"SSH-2.0-OpenSSH\r\n", b"\0" * 10, b"Asterisk Call Manager/11.0.0" + b"x" * 5000])
async def test_a_peer_that_is_no_manager_is_left(junk: bytes, make_link: MakeLink) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(junk)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    linked = make_link()
    linked.link._port = server.sockets[0].getsockname()[1]
    await linked.link.start()
    assert linked.link.state is LinkState.WAITING
    await linked.link.stop()
    server.close()
    await server.wait_closed()


async def test_stopping_while_connecting_ends_the_start(ami: FakeAmi, make_link: MakeLink) -> None:
    ami.booted = False
    linked = make_link()
    starting = asyncio.ensure_future(linked.link.start())
    await until(lambda: ami.logins == 1)
    await linked.link.stop()
    with pytest.raises(AmiDown):
        await starting


async def test_a_link_may_be_started_again(ami: FakeAmi, make_link: MakeLink) -> None:
    linked = make_link(secret="wrong")
    with pytest.raises(AmiLoginRefused):
        await linked.link.start()
    await linked.link.stop()
    linked.link._login["Secret"] = SECRET
    await linked.link.start()
    assert linked.link.up
