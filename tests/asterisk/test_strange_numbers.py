"""Numbers that are none: callers and dialled texts full of syntax reach a human, and nothing is ever executed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.errors import CallFailed, RegistrationRefused
from phones.seat_phone import SeatPhone
from routing.model import Table
from telephony.model import DIALLED
from tests.asterisk.support.scene import BRIEFLY, Scene, all_of, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

MARK = "%24%7BSHELL(touch%20{mark})%7D"
"""``${SHELL(touch …)}`` as it travels in a SIP address."""

DIALLED_TEXTS = (
    *("99999", "abc", "12345%0A", "12345%0D%0AAction:%20Originate", "1%262%2C3%3B4", "9" * 300, "12345%24%7BEXTEN%7D"),
    *(
        MARK,
        "12333" + MARK,
        "%22%20%5C%22%0ASYSTEM",
        "%7B%24%5B1%2B1%5D",
        "%00",
        "i",
        "t",
        "s",
        "T",
        "*",
        "+",
        "%25s%25n",
    ),
    *("o", "a", "1-2345", "%E6%8A%95%E8%AF%89", "12345;phone-context=x", "_X.", "!", "enter", "fallback"),
)
CALLERS = (
    None,
    *("8001", "h", "9" * 300, "1380000%0AHL_DONE%3Denter", MARK, "1%2C2%263%3B4%7D", "anonymous", "%00", "138%22%5C"),
)
FROM_HEADERS = (
    '"${{SHELL(touch {mark})}}" <sip:13800001111@127.0.0.1>',
    '"a\\",b&c;d" <sip:13800001112@127.0.0.1>',
    "<sip:127.0.0.1>",
    "<tel:+8613800001113>",
    "sip:13800001114@127.0.0.1",
)
UNPARSABLE = ("12345${SHELL(touch {mark})}", "1 2", "<>", "12345{")


EXTEN_CHARS, CALLER_CHARS = 79, 32
"""What Asterisk keeps of a dialled text, and the dialplan of a caller's."""


def edited(table: Table) -> Table:
    return with_groups(table)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited) as running:
        yield running


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that only an executed caller could make."""
    return tmp_path / "mark"


def digits(text: str, longest: int) -> str:
    """What may be kept of so many characters."""
    kept = "".join(char for char in unquote(text)[:longest] if char in "0123456789+")
    return kept if DIALLED.fullmatch(kept) else ""


async def people(here: Scene, count: int = 8) -> None:
    for n in range(1, count + 1):
        await here.agent(f"10{n:02}", f"80{n:02}", behaviour=BRIEFLY)


async def dials(here: Scene, text: str, caller: str) -> None:
    call = await here.hotline.citizen().call(text, caller=caller)
    answered = await here.fact(caller, Kind.ANSWERED, 60)
    assert answered.data["by"] in ("agent", "emergency"), text
    entered = await here.fact(caller, Kind.ENTERED)
    assert entered.data["number"] == digits(text.partition(";")[0], EXTEN_CHARS), text
    await call.hang_up()


async def test_whatever_is_dialled_a_human_answers(here: Scene, mark: Path) -> None:
    await people(here)
    texts = [text.replace("{mark}", str(mark)) for text in DIALLED_TEXTS]
    await all_of(*(dials(here, text, f"1330000{n:04}") for n, text in enumerate(texts)))
    assert not mark.exists()


async def calls_as(here: Scene, caller: str | None, number: str, header: str | None = None) -> str:
    call = await here.hotline.citizen().call(number, caller=caller, from_header=header)
    found: list[str] = []

    async def told() -> bool:
        found[:] = [
            record.caller for record in await here.hotline.calls() if record.number == number and record.answered_at
        ]
        return bool(found)

    await until(told, f"a human to answer {caller!r} {header!r}", 60)
    await call.hang_up()
    return found[0]


async def test_whoever_calls_a_human_answers(here: Scene, mark: Path) -> None:
    await people(here)
    callers = [caller.replace("{mark}", str(mark)) if caller else None for caller in CALLERS]
    headers = [header.format(mark=mark) for header in FROM_HEADERS]
    kept = await all_of(
        *(calls_as(here, caller, f"70{n:03}") for n, caller in enumerate(callers)),
        *(calls_as(here, "1", f"71{n:03}", header) for n, header in enumerate(headers)),
    )
    assert kept[: len(callers)] == [digits(unquote(caller or "").partition(";")[0], CALLER_CHARS) for caller in callers]
    assert kept[len(callers) :] == ["13800001111", "13800001112", "", "13800001113", "13800001114"]
    assert not mark.exists()


async def test_what_is_no_sip_is_refused_or_ignored_and_the_next_caller_is_served(here: Scene, mark: Path) -> None:
    await people(here, 1)
    for text in UNPARSABLE:
        phone = here.hotline.citizen()
        call = await phone.call(text.replace("{mark}", str(mark)))
        await asyncio.sleep(0.3)
        assert call.status == 0 or call.status >= 400 or call.status in (100, 180, 200), text
        phone.play_dead()
    await here.hotline.citizen().call("h", caller="13300009998")
    await calls_as(here, "13300009999", "72000")
    assert not mark.exists()


async def test_a_caller_who_claims_to_be_a_seat_is_still_a_caller(here: Scene) -> None:
    await people(here, 1)
    settings = here.hotline.settings
    liar = SeatPhone(settings.bind, settings.sip_port, "8005", here.hotline.credentials.seat_passwords["8005"])
    here.hotline._phones.append(liar)
    await liar.open()
    call = await liar.call("*111005")
    record = await here.told("8005", lambda told: told.answered_at is not None)
    assert (record.number, record.seat) == ("111005", "8001"), "keys of a seat mean nothing on a trunk"
    assert call.status == 200
    assert all(
        row["seat"] is None for row in (await here.hotline.ask("/api/agents"))["agents"] if row["agent"] == "1005"
    )
    await call.hang_up()


async def test_a_phone_with_a_wrong_password_is_no_seat(here: Scene) -> None:
    settings = here.hotline.settings
    stranger = SeatPhone(settings.bind, settings.seat_sip_port, "8001", "wrong")
    here.hotline._phones.append(stranger)
    with pytest.raises(RegistrationRefused):
        await stranger.register(timeout=10)
    for keys in ("*111001", "110", "12345"):
        call = await stranger.call(keys)
        with pytest.raises(CallFailed) as refused:
            await call.answered(10)
        assert refused.value.status in (401, 403), keys
    assert all(row["seat"] is None for row in (await here.hotline.ask("/api/agents"))["agents"])


async def test_a_stranger_at_the_seats_port_is_nobody(here: Scene) -> None:
    settings = here.hotline.settings
    stranger = SeatPhone(settings.bind, settings.seat_sip_port, "13800001234", "anything")
    here.hotline._phones.append(stranger)
    await stranger.open()
    call = await stranger.call("12345")
    await soon(lambda: call.is_over, "the call to be refused", 15)
    assert call.status in (401, 403, 404)
    assert await here.record("13800001234") is None
