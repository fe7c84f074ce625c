"""What carriers send besides the plain call: identities in many forms, one INVITE by two paths, very long numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from phones.centre import asserted_identity
from phones.citizen import Citizen
from phones.phone import Phone, PhoneCall, RingForEver
from routing.model import Table
from tests.asterisk.support.scene import BRIEFLY, Scene, all_of, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
ASSERTED = (
    # what stands in P-Asserted-Identity ({n}: the caller's own number), and who calls
    ("<sip:{n}@c>, <tel:+86{n}>", "{n}"),
    ("<tel:+86{n}>, <sip:{n}@c>", "+86{n}"),
    ("<sip:{n}@c>,<tel:+86{n}>", "{n}"),
    ("<sip:+86{n}@ims.example.cn;user=phone>;x=y, <tel:+86{n};cpc=ordinary>", "+86{n}"),
    ('"Wang, Li" <sip:{n}@c>, <tel:+86{n}>', "{n}"),
    ('"x <sip:110@c>, y" <sip:{n}@c>, <tel:+86{n}>', "{n}"),
    ("<sip:{n}@c>,\r\n <tel:+86{n}>", "{n}"),
    ("<sip:someone@c>, <tel:+86{n}>", "+86{n}"),
    ("<tel:+86-{n}>, <sip:{n}@c>", "+86{n}"),
    ("<sip:{n}@c>", "{n}"),
    ("<sip:{n}:secret@c:5060>, <tel:+86{n}>", "{n}"),
)
NOBODY = (
    "<sip:anonymous@anonymous.invalid>, <sip:unavailable@unknown.invalid>",
    ",,,",
    '"\\" <sip:1@c>, <sip:2@c>"',
    "",
)


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


async def calls_110(citizen: Citizen, asserted: str, caller: str, *hidden: tuple[str, str]) -> None:
    header = (("P-Asserted-Identity", asserted),) if asserted else ()
    call = await citizen.call("110", from_header=caller, headers=(*hidden, *header))
    await call.answered()
    await call.hang_up()


async def test_the_centre_gets_the_number_however_the_network_asserts_it(here: Scene) -> None:
    centre = await here.far_end("emergency-110")
    for index, (asserted, right) in enumerate(ASSERTED):
        number = f"138000027{index:02}"
        for hidden, caller in (((("Privacy", "id"),), ANONYMOUS), ((), f"<sip:{number}@127.0.0.1>")):
            before = len(centre.calls)
            await calls_110(here.hotline.citizen(), asserted.format(n=number), caller, *hidden)
            there = centre.calls[before]
            assert asserted_identity(there) == right.format(n=number), (asserted, caller)
            assert there.header("Privacy") == ("id" if hidden else ""), (asserted, caller)


async def test_an_identity_that_is_none_is_nobody_s(here: Scene) -> None:
    centre = await here.far_end("emergency-110")
    for asserted in NOBODY:
        before = len(centre.calls)
        await calls_110(here.hotline.citizen(), asserted, ANONYMOUS)
        assert not any(char.isdigit() for char in asserted_identity(centre.calls[before])), asserted


async def test_the_ledger_has_the_number_too(here: Scene) -> None:
    await here.agent("1001", "8001", behaviour=BRIEFLY)
    pair = (("Privacy", "id"), ("P-Asserted-Identity", "<sip:13800002799@c>, <tel:+8613800002799>"))
    call = await here.hotline.citizen().call("12345", from_header=ANONYMOUS, headers=pair)
    record = await here.told("13800002799", lambda record: record.answered_at is not None)
    assert record.number == "12345"
    await call.hang_up()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("number", ["12345", "110"])
async def test_one_invite_by_two_paths_is_one_call(here: Scene, delay: float, number: str) -> None:
    caller = f"1380000{round(delay * 100):02}{len(number)}0"
    phones: list[Phone] = [await here.agent("1001", "8001"), await here.agent("1002", "8002")]
    phones.append(await here.far_end("emergency-110"))
    call = await here.hotline.citizen().call(number, caller=caller)
    await asyncio.sleep(delay)
    second = await call.repeat(30)
    if delay or second.status == 482:
        assert second.status == 482
        await call.answered()
        await soon(lambda: sum(len(phone.calls) for phone in phones) >= 1, "somebody to be called")
        await call.hang_up()
    else:  # at the same moment either path may be the first
        assert (second.status, (await call.ended()).status) == (200, 482)
    assert sum(len(phone.calls) for phone in phones) <= 1
    await here.told(caller)
    assert [record.caller for record in await here.hotline.calls()].count(caller) == 1
    await until(here._no_channels, "all channels to end")


async def test_calls_at_the_same_moment_are_all_let_in(here: Scene) -> None:
    await all_of(*(here.agent(f"10{n:02}", f"80{n:02}", behaviour=BRIEFLY) for n in range(1, 9)))
    callers = [f"138000028{n:02}" for n in range(24)]
    calls = await all_of(*(here.hotline.citizen().call("12345", caller=caller) for caller in callers))
    await all_of(*(call.answered(60) for call in calls))
    assert not [call for call in calls if call.status == 482]
    await all_of(*(call.hang_up() for call in calls))


async def test_a_number_longer_than_any_is_kept_short_and_is_not_withheld(here: Scene) -> None:
    await here.agent("1001", "8001", behaviour=BRIEFLY)
    call = await here.hotline.citizen().call("12345", caller="1234567890" * 6 + "1234")
    record = await here.told(("1234567890" * 4)[:32], lambda record: record.answered_at is not None)
    assert len(record.caller) == 32
    await call.hang_up()


async def test_a_request_uri_without_a_user_is_a_call_to_us(here: Scene) -> None:
    await here.agent("1001", "8001", behaviour=BRIEFLY)
    settings = here.hotline.settings
    call = await here.hotline.citizen().call(
        "", caller="13800002901", uri=f"sip:{settings.bind}:{settings.sip_port}"
    )  # fmt: skip
    record = await here.told("13800002901", lambda record: record.answered_at is not None)
    assert record.answered_by == "agent"
    await call.hang_up()


@pytest.mark.parametrize("uri", ["tel:12345", "tel:+8666312345;phone-context=+86"])
async def test_a_trunk_may_call_by_a_tel_uri(here: Scene, uri: str) -> None:
    await here.agent("1001", "8001", behaviour=BRIEFLY)
    centre = await here.far_end("emergency-110")
    settings = here.hotline.settings
    call = await centre.dial(
        "12345", (settings.bind, settings.sip_port), from_header="<sip:13800002902@127.0.0.1>", uri=uri
    )
    await call.answered()
    await call.hang_up()


REFRESH = (("Supported", "timer"), ("Session-Expires", "90;refresher=uac"), ("Min-SE", "90"))


async def refreshed(call: PhoneCall) -> None:
    """By UPDATE and by re-INVITE, as carriers do."""
    answer = await call.ask("UPDATE", headers=REFRESH)
    assert (answer.status, answer.header("Session-Expires").partition(";")[0]) == (200, "90")
    assert await call.change("sendrecv") == 200


async def test_a_session_is_refreshed_in_every_state_of_the_call(here: Scene) -> None:
    """Greeting, waiting, offer, talk, hold and conference, on the citizen's and on the centre's leg."""
    call = await here.hotline.citizen().call("12345", caller="13800002903", headers=REFRESH)
    await call.answered()
    await refreshed(call)

    async def waits() -> bool:
        return "!waiting!" in await here.hotline.cli("core show channels concise")

    await until(waits, "the caller to wait")
    await refreshed(call)
    seat = await here.hotline.seat("8001", behaviour=RingForEver())
    await here.hotline.ask("/api/agents/1001/sign-in", {"seat": "8001"})
    offered = await seat.wait_ringing()
    await refreshed(call)
    offered.accept()
    await offered.answered()
    await refreshed(call)
    assert await offered.change("sendonly") == 200
    await refreshed(call)
    assert await offered.change("sendrecv") == 200
    centre = await here.far_end("emergency-110")
    await offered.send_digits("*110")
    there = await centre.wait_talking(20)
    await refreshed(call)
    await refreshed(there)
    assert all(party.is_talking for party in (call, offered, there))
    await call.hang_up()


async def test_who_does_not_answer_or_send_the_refresh_is_gone(here: Scene) -> None:
    """Both roles at once: the shortest session lasts 90 s, the refresh is due after half of it."""
    first, second = await here.agent("1001", "8001"), await here.agent("1002", "8002")
    theirs = tuple((name, value.replace("refresher=uac", "refresher=uas")) for name, value in REFRESH)
    deaf = here.hotline.citizen()
    await deaf.call("12345", caller="13800002904", headers=theirs)
    await deaf.talk.answered()
    await here.hotline.citizen().call("12345", caller="13800002905", headers=REFRESH)
    talks = await all_of(first.wait_talking(30), second.wait_talking(30))
    deaf.play_dead()  # its sound goes on: only the signalling is gone
    await all_of(*(talk.ended(90) for talk in talks))
    for caller in ("13800002904", "13800002905"):
        assert (await here.told(caller)).ended_at is not None
