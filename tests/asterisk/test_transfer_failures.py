"""Whatever a centre's line does, a human hears the caller at every moment: told by the sound, not by the states.

Every failure in every form, however it was asked for. All failures of one form and one way run at the same time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import Answer, Behaviour, EarlyMedia, PhoneCall, Refuse, RingForEver
from phones.seat_phone import SeatPhone
from phones.sounds import quiet
from phones.tones import longest_silence, tone_share
from tests.asterisk.support.crowd import staff, staffed
from tests.asterisk.support.scene import Scene, all_of, comes_to_hear, scene, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(360)]

HZ = 440
UNHEARD_SECONDS = 2.0
"""The longest that a caller may be heard by nobody."""


@dataclass(frozen=True)
class Failure:
    """What one trunk, or both, of a centre does."""

    number: str
    main: Behaviour | None = None
    """None: as the whole trunk does, see :func:`lines`."""
    reached: bool = True
    """The backup answers."""


FAILURES: Mapping[str, Failure] = {
    "busy": Failure("110", Refuse(486)),
    "404": Failure("110", Refuse(404)),
    "480": Failure("110", Refuse(480, after=0.5)),
    "500": Failure("110", Refuse(500)),
    "503": Failure("110", Refuse(503)),
    "603": Failure("110", Refuse(603)),
    "answered and dropped": Failure("110", Answer(hang_up_after=0.5)),
    "rings for ever": Failure("110", RingForEver()),
    "early media for ever": Failure("110", EarlyMedia()),
    "no sound after the answer": Failure("110", Answer(mute=True)),
    "408 by silence": Failure("119"),
    "port closed": Failure("120"),
    "backup refuses too": Failure("122", Refuse(486), reached=False),
}
NAMES = list(FAILURES)
CALLER = {f"1310000{place:04}": name for place, name in enumerate(NAMES)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    policy = {"centre_ring_seconds": 5, "centre_silence_seconds": 3, "caller_centre_key": "*"}
    async with scene(staffed(len(FAILURES)), **policy) as running:
        yield running


async def lines(here: Scene) -> None:
    """Every trunk of every centre, as the failures want it."""
    for number in ("110", "119", "122"):
        main = await here.far_end(f"emergency-{number}")
        main.behaves = lambda call: FAILURES[CALLER[call.caller]].main or Answer()
        main.voice = quiet
        main.play_dead(number == "119")
    for number in ("110", "119", "120", "122"):
        backup = await here.far_end(f"emergency-{number}-backup")
        backup.behaviour = Refuse(503) if number == "122" else Answer()
        backup.voice = quiet
    await here.notice("emergency-120", "Unavail")


def longest_unheard(listener: PhoneCall, since: float, until_: float) -> float:
    """The longest time, s, in which this phone did not hear the caller's tone."""
    pcm = listener.heard.pcm(since, until_)
    heard = [tone_share(pcm[at : at + 800], HZ) > 0 for at in range(0, len(pcm) - 800, 800)]
    edges = np.flatnonzero(np.concatenate(([True], heard, [True])))
    return float(np.diff(edges).max() - 1) / 10


def now() -> float:
    return asyncio.get_running_loop().time()


async def backup_talks(here: Scene, name: str, caller: str) -> PhoneCall:
    """The backup's call for this caller, once it talks."""
    trunk = here.hotline.table.trunks[f"emergency-{FAILURES[name].number}-backup"]
    (backup,) = (phone for phone in here.hotline._phones if phone.address[1] == trunk.port)
    found: list[PhoneCall] = []

    async def there() -> bool:
        found[:] = [call for call in backup.calls if call.caller == caller and call.is_talking]
        return bool(found)

    await until(there, f"the backup to talk with {caller} ({name})", 30)
    return found[0]


async def settled(here: Scene, caller: str) -> None:
    """The caller is with the backup, or the failure is told of."""
    name = CALLER[caller]
    if FAILURES[name].reached:
        there = await backup_talks(here, name, caller)
        await comes_to_hear(there, HZ)
    else:
        await here.fact(caller, Kind.TRANSFER, 30, state="failed")
        await asyncio.sleep(2.5)


async def one(here: Scene, call: PhoneCall, talk: PhoneCall, caller: str, press: str, three: bool) -> str:
    """One failure from the key to its end; what went wrong, or nothing."""
    name = CALLER[caller]
    number = FAILURES[name].number
    began = now() - 1
    if press == "keys":
        await talk.send_digits(f"*{'3' if three else ''}{number}")
    else:
        record = await here.told(caller, lambda record: record.answered_at is not None)
        form = "three-party" if three else "one-key"
        await here.hotline.ask(f"/api/calls/{record.call}/transfer", {"target": number, "form": form})
    await settled(here, caller)
    unheard = longest_unheard(talk, began, now() - 0.2)
    # In the agent's ear the caller's tone lies over the words; the same words come to the caller without it.
    told = FAILURES[name].reached or here.heard(call, "emergency-failed", began) > 0.75
    await call.hang_up()
    faults = [f"unheard for {unheard} s"] if unheard > UNHEARD_SECONDS else []
    faults += [] if told else ["they were not told"]
    return f"{name}: {', '.join(faults)}" if faults else ""


@pytest.mark.parametrize("three", [False, True], ids=["one key", "three parties"])
@pytest.mark.parametrize("press", ["keys", "command"])
async def test_every_failure_leaves_the_caller_with_a_human(here: Scene, press: str, three: bool) -> None:
    await lines(here)
    seats: list[SeatPhone] = await staff(here.hotline, len(FAILURES))
    for seat in seats:
        seat.voice = lambda: None
    citizen = here.hotline.citizen()
    calls = {}
    for caller in CALLER:
        calls[caller] = await citizen.call("12345", caller=caller, tone_hz=HZ)
        await asyncio.sleep(0.1)
    talks = {talk.caller: talk for talk in await all_of(*(seat.wait_talking(30) for seat in seats))}
    await asyncio.sleep(1.2)
    faults = await all_of(*(one(here, calls[caller], talks[caller], caller, press, three) for caller in CALLER))
    assert list(filter(None, faults)) == []
    alarms = (await here.hotline.ask("/api/status"))["alarms"]
    assert "centre-122" in {alarm["alarm"] for alarm in alarms}


async def pressed_alone(here: Scene, caller: str) -> str:
    """A caller who asks by a key in the greeting: never in silence, and with a human at the end."""
    name = CALLER[caller]
    call = await here.hotline.citizen().call("12345", caller=caller, tone_hz=HZ)
    await call.answered()
    await call.send_digits("*" + {"110": "1", "119": "2", "120": "3", "122": "4"}[FAILURES[name].number])
    began = now()
    if FAILURES[name].reached:
        await settled(here, caller)
    else:
        assert (await here.fact(caller, Kind.WAITING, 30)).data["priority"] == 9
    silence = longest_silence(call.heard.pcm(began, now() - 0.2 if not FAILURES[name].reached else now() - 2))
    await call.hang_up()
    return f"{name}: silent for {silence} s" if silence > UNHEARD_SECONDS + 3 else ""


async def test_every_failure_of_a_callers_own_key_ends_with_a_human(here: Scene) -> None:
    await lines(here)
    faults = await all_of(*(pressed_alone(here, caller) for caller in CALLER))
    assert list(filter(None, faults)) == []
