"""Who guesses a phone's password, and a phone at two addresses, are seen and told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from calls.switch.password_guesses import GUESSING, MOST_TRIES, TWO_PHONES
from phones.errors import RegistrationRefused
from phones.seat_phone import SeatPhone
from tests.asterisk.support.scene import Scene, scene, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(with_groups) as running:
        yield running


async def alarm(here: Scene, key: str) -> str:
    standing = (await here.hotline.ask("/api/status"))["alarms"]
    return next((str(one["text"]) for one in standing if one["alarm"] == key), "")


async def told(here: Scene, key: str) -> str:
    async def said() -> bool:
        return bool(await alarm(here, key))

    await until(said, f"alarm {key}")
    return await alarm(here, key)


async def test_wrong_passwords_are_an_alarm_that_names_the_phone_and_the_address(here: Scene) -> None:
    settings = here.hotline.settings
    for _ in range(MOST_TRIES):
        stranger = SeatPhone(settings.bind, settings.seat_sip_port, "8003", "wrong", local_host="127.0.0.3")
        with pytest.raises(RegistrationRefused):
            await stranger.register()
        await stranger.close()
    text = await told(here, GUESSING)
    assert "来自 127.0.0.3" in text
    assert "针对 8003" in text
    assert not await alarm(here, TWO_PHONES.format(account="8003"))
    right = await here.hotline.seat("8003")
    assert right.registered, "who knows the password is let in all the same"


async def test_a_second_phone_of_one_seat_is_an_alarm_with_both_addresses(here: Scene) -> None:
    settings = here.hotline.settings
    await here.hotline.seat("8004")
    password = here.hotline.credentials.seat_passwords["8004"]
    other = SeatPhone(settings.bind, settings.seat_sip_port, "8004", password, local_host="127.0.0.4")
    here.hotline._phones.append(other)
    await other.register()
    text = await told(here, TWO_PHONES.format(account="8004"))
    assert "127.0.0.1" in text
    assert "127.0.0.4" in text


async def test_a_phone_that_registers_again_from_its_own_address_is_no_alarm(here: Scene) -> None:
    first = await here.hotline.seat("8005")
    await first.close()
    await here.hotline.seat("8005")
    await here.hotline.seat("8006", local_host="127.0.0.6")
    other = SeatPhone(
        here.hotline.settings.bind,
        here.hotline.settings.seat_sip_port,
        "8006",
        here.hotline.credentials.seat_passwords["8006"],
        local_host="127.0.0.7",
    )
    here.hotline._phones.append(other)
    await other.register()
    await told(here, TWO_PHONES.format(account="8006"))
    assert not await alarm(here, TWO_PHONES.format(account="8005")), "what was written before has been read by now"
