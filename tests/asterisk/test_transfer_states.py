"""Who hangs up when, as the table of transfers/states.py says: tests made from the table, on a real Asterisk.

All cases run at the same time, each with people of its own; afterwards nothing of any of them is left in the switch.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, Behaviour, EarlyMedia, PhoneCall, Refuse, RingForEver
from phones.sounds import quiet
from phones.tones import tone_share
from telephony.model import Party
from tests.asterisk.support.crowd import staff, staffed
from tests.asterisk.support.scene import LONGER_THAN_A_DROP, Scene, all_of, comes_to_hear, scene, soon, states, until
from transfers.reference import hexadecimal
from transfers.states import LEAVE_EVENTS, TALKING, Form, TransferState, next_state

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(360)]

S = TransferState
AT = (S.DIALLING, S.EARLY_MEDIA, S.WAITING, S.ANSWERED, S.AGENT_LEFT, S.CENTRE_LEFT, S.FAILED)
"""States in which somebody can hang up; asked lasts for a millisecond, and returned is the line's own matter."""

FORMS = (Form.ONE_KEY, Form.THREE_PARTY)
NUMBER = {S.DIALLING: "119", S.EARLY_MEDIA: "120", S.WAITING: "119", S.FAILED: "122"}
"""Who rings for ever, who only sends sound, who refuses; every other state is reached with 110, who answers."""


FIRST = {"119": S.DIALLING, "120": S.EARLY_MEDIA, "122": S.FAILED, "110": S.ANSWERED}
"""The state that a case waits for first, by whom it calls."""


@dataclass(frozen=True)
class Case:
    """Somebody hangs up in a state."""

    state: TransferState
    party: Party
    form: Form
    caller: str

    @property
    def then(self) -> TransferState:
        found = next_state(self.state, LEAVE_EVENTS[self.party], self.form)
        assert found is not None
        return found


_numbers = count()
CASES = [
    Case(state, party, form, f"1320000{next(_numbers):04}")
    for form in FORMS
    for state in AT
    for party in sorted(TALKING[state])
]
SEATS = 20


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(staffed(SEATS + 2), centre_ring_seconds=60) as running:
        yield running


@dataclass
class People:
    """Of one case."""

    call: PhoneCall
    talk: PhoneCall
    centre: PhoneCall | None = None

    def of(self, party: Party) -> PhoneCall:
        found = {Party.CALLER: self.call, Party.AGENT: self.talk, Party.CENTRE: self.centre}[party]
        assert found is not None
        return found


async def lines(here: Scene) -> None:
    behaviours: dict[str, Behaviour] = {"110": Answer(), "119": RingForEver(), "120": EarlyMedia(), "122": Refuse(486)}
    for number, behaviour in behaviours.items():
        for trunk in (f"emergency-{number}", f"emergency-{number}-backup"):
            centre = await here.far_end(trunk, behaviour=behaviour)
            centre.voice = quiet


async def meet(here: Scene, callers: list[str]) -> dict[str, People]:
    """Each of these citizens talks with an agent; citizens and agents say nothing."""
    citizen = here.hotline.citizen()
    calls = {}
    for caller in callers:
        calls[caller] = await citizen.call("12345", caller=caller, sound=quiet())
        await asyncio.sleep(0.05)

    async def all_talk() -> bool:
        return len(talking(here)) == len(callers)

    await until(all_talk, "all to talk", 40)
    return {caller: People(calls[caller], talk) for caller, talk in talking(here).items()}


def talking(here: Scene) -> dict[str, PhoneCall]:
    """Seats' calls that talk, by the caller."""
    seats = [phone for phone in here.hotline._phones if hasattr(phone, "user")]
    return {call.caller: call for seat in seats for call in seat.calls if call.is_talking}


async def reach(here: Scene, case: Case, people: People) -> None:
    """Bring the transfer into the state of the case."""
    number = NUMBER.get(case.state, "110")
    await people.talk.send_digits(f"*{'3' if case.form is Form.THREE_PARTY else ''}{number}")
    await in_state(here, case, FIRST[number])
    if number == "110":
        ends = [
            phone
            for phone in here.hotline._phones
            if phone.address[1] == here.hotline.table.trunks["emergency-110"].port
        ]
        people.centre = next(call for end in ends for call in end.calls if call.caller == case.caller)
        await asyncio.sleep(LONGER_THAN_A_DROP)
    if case.state in (S.WAITING, S.AGENT_LEFT):
        await people.talk.hang_up()
    elif case.state is S.CENTRE_LEFT:
        await people.of(Party.CENTRE).hang_up()
    elif case.state is S.FAILED:
        await here.fact(case.caller, Kind.PARTY, party="centre", action="left")  # the words are over that say so
    await in_state(here, case, case.state)


async def in_state(here: Scene, case: Case, state: TransferState) -> None:
    async def there() -> bool:
        return state in await states(here, case.caller)

    await until(there, f"{case} to be {state}", 30)


async def ends_as_told(here: Scene, case: Case, people: People) -> None:
    """Somebody hangs up: who is left talks on, who is not is released, a caller alone goes to the rating or back."""
    await people.of(case.party).hang_up()
    left = TALKING[case.then]
    for party in TALKING[case.state] - {case.party} - left - {Party.CALLER}:
        await people.of(party).ended(15)
    if case.then is S.RETURNED:
        await here.fact(case.caller, Kind.TRANSFER, state="returned")
        await here.fact(case.caller, Kind.WAITING)
    elif case.then is S.ENDED and case.party is not Party.CALLER:
        await here.fact(case.caller, Kind.RATING_ASKED)
    await asyncio.sleep(1)
    for party in left:
        assert not people.of(party).is_over, f"{case}: {party} is to be left"
    if case.party is not Party.CALLER:
        assert not people.call.is_over
        await people.call.hang_up()
    for party in Party:
        if party is not Party.CENTRE or people.centre is not None:
            await people.of(party).ended(15)
    await here.told(case.caller)
    assert (await states(here, case.caller))[-1] == "ended"


async def whole(here: Scene, case: Case, people: People) -> None:
    await reach(here, case, people)
    await ends_as_told(here, case, people)


async def clean(here: Scene) -> None:
    """No conference, no channel, no recording goes on."""
    await here.quiet()
    conferences = await here.hotline.cli("confbridge list")
    assert "hl" not in conferences.split("=")[-1], conferences
    assert "0 active" in (await here.hotline.cli("core show channels")).lower() or await here.hotline.channels() == 0
    assert (await here.hotline.ask("/api/status"))["transfers"] == {}


@pytest.mark.parametrize("form", FORMS, ids=str)
async def test_whoever_hangs_up_in_any_state_the_others_end_as_the_table_says(here: Scene, form: Form) -> None:
    mine = [case for case in CASES if case.form is form]
    await lines(here)
    seats = await staff(here.hotline, len(mine))
    for seat in seats:
        seat.voice = quiet
    people = await meet(here, [case.caller for case in mine])
    for seat in seats:
        row = str(int(seat.user) - 8001 + 1001)
        await here.hotline.ask(f"/api/agents/{row}/pause", {"reason": "小休"})
    await all_of(*(whole(here, case, people[case.caller]) for case in mine))
    await clean(here)


async def test_an_engine_killed_in_any_state_finds_the_transfer_as_it_is(here: Scene) -> None:
    mine = [case for case in CASES if case.form is Form.THREE_PARTY and case.party is Party.CALLER]
    mine = [case for case in mine if case.state in (S.DIALLING, S.WAITING, S.ANSWERED, S.AGENT_LEFT)]
    await lines(here)
    for seat in await staff(here.hotline, len(mine)):
        seat.voice = quiet
    people = await meet(here, [case.caller for case in mine])
    await all_of(*(reach(here, case, people[case.caller]) for case in mine))
    shown = (await here.hotline.ask("/api/status"))["transfers"]
    assert sorted(one["state"] for one in shown.values()) == sorted(case.state for case in mine)
    await here.hotline.signal_engine(signal.SIGKILL)
    for case in mine:
        for party in TALKING[case.state]:
            assert not people[case.caller].of(party).is_over
    await here.hotline.start_engine()
    now = (await here.hotline.ask("/api/status"))["transfers"]
    assert {call: (one["state"], one["target"], one["form"], one["trunk"]) for call, one in now.items()} == {
        call: (one["state"], one["target"], one["form"], one["trunk"]) for call, one in shown.items()
    }
    for case in mine:
        for party in TALKING[case.state]:
            assert not people[case.caller].of(party).is_over
        await people[case.caller].call.hang_up()
    await clean(here)


async def test_twenty_transfers_in_the_same_second_none_mixed_none_lost(here: Scene) -> None:
    callers = [f"1330000{place:04}" for place in range(SEATS)]
    centre = await here.far_end("emergency-110")
    centre.voice = lambda: None
    for seat in await staff(here.hotline, SEATS):
        seat.voice = lambda: None
    citizen = here.hotline.citizen()
    hz = {caller: 300 + 60 * place for place, caller in enumerate(callers)}
    calls = {}
    for caller in callers:
        calls[caller] = await citizen.call("12345", caller=caller, tone_hz=hz[caller])
        await asyncio.sleep(0.05)
    await soon(lambda: len(talking(here)) == SEATS, "all to talk", 40)
    await all_of(*(talk.send_digits("*110") for talk in talking(here).values()))
    await soon(lambda: sum(call.is_talking for call in centre.calls) == SEATS, "all to be answered", 60)
    assert len(centre.calls) == SEATS
    records = {record.caller: record.call for record in await here.hotline.calls()}
    assert {call.caller: call.header("User-to-User") for call in centre.calls} == {
        caller: f"{hexadecimal(records[caller])};encoding=hex" for caller in callers
    }
    await all_of(*(comes_to_hear(there, hz[there.caller]) for there in centre.calls))
    for there in centre.calls:
        heard = {caller for caller, other in hz.items() if tone_share(there.heard.pcm(), other) > 0.3}
        assert heard == {there.caller}, "mixed with another"
    for call in calls.values():
        await call.hang_up()
    await clean(here)
