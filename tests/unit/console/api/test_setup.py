"""The first run over HTTP: admins alone, with a reason, by a page of ours; and a phone that is for the test call."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError

from telephony.model import TRIAL_PHONE
from tests.support.web_harness import Hall
from tests.unit.console.test_web_phone_proxy import Switch, passwords, switch

pytestmark = pytest.mark.unit

__all__ = ["switch"]  # the fixture

REMOVE = "/api/setup/samples/remove"
CREDENTIALS = "/api/setup/trial/phone/credentials"


async def opened(hall: Hall, token: str) -> ClientWebSocketResponse:
    headers = {"Cookie": f"hotline={token}", "Origin": hall.home}
    return await hall.client.ws_connect("/api/setup/trial/phone", headers=headers, protocols=("sip",))


@pytest.mark.parametrize("path", ["/api/setup", "/api/setup/samples", "/api/setup/trial"])
async def test_an_admin_reads_how_far_the_set_up_is_and_nobody_else(hall: Hall, path: str) -> None:
    assert (await hall.ask("GET", path, token=await hall.session("admin"))).status == 200
    for other in ("agent", "supervisor", "auditor"):
        assert (await hall.ask("GET", path, token=await hall.session(other))).status == 403


async def test_samples_are_removed_with_a_reason_in_the_name_of_who_signed_in(hall: Hall) -> None:
    token = await hall.session("admin")
    assert (await hall.ask("POST", REMOVE, {"seen": 1}, token=token)).status == 400
    assert (await hall.ask("POST", REMOVE, {"reason": "清理", "seen": "x"}, token=token)).status == 400
    done = await hall.ask("POST", REMOVE, {"reason": "清理", "seen": 1, "by": "别人"}, token=token)
    assert (done.status, done.body["version"]) == (200, 2)
    ((who, why, seen, user),) = hall.set_up.removed
    assert (why, seen, user) == ("清理", 1, "admin")
    assert who != "别人"


@pytest.mark.parametrize("path", [REMOVE, CREDENTIALS])
async def test_a_page_without_its_own_token_changes_nothing(hall: Hall, path: str) -> None:
    token = await hall.session("admin")
    answer = await hall.ask("POST", path, {"reason": "清理"}, token=token, X_CSRF_Token=None)
    assert answer.status == 403
    foreign = await hall.ask("POST", path, {"reason": "清理"}, token=token, Origin="https://evil.example")
    assert foreign.status == 403
    assert (hall.set_up.removed, passwords(hall, TRIAL_PHONE)) == ([], [])


async def test_the_test_call_s_phone_is_an_admin_s_and_its_password_good_for_one_connection(
    hall: Hall, switch: Switch
) -> None:
    assert (await hall.ask("POST", CREDENTIALS, token=await hall.session("agent"))).status == 403
    token = await hall.session("admin")
    told: Any = (await hall.ask("POST", CREDENTIALS, token=token)).body
    assert (told["user"], told["socket"]) == (TRIAL_PHONE, "/api/setup/trial/phone")
    page = await opened(hall, token)
    await page.send_str("INVITE")
    assert await page.receive_str() == "SIP/2.0 200 INVITE"
    with pytest.raises(WSServerHandshakeError) as no:
        await opened(hall, token)
    assert no.value.status == 409
    assert passwords(hall, TRIAL_PHONE) == [told["password"]]
    await page.close()


async def test_two_admins_do_not_cut_each_other_s_test_call(hall: Hall, switch: Switch) -> None:
    one, other = await hall.session("admin"), await hall.session("admin")
    await hall.ask("POST", CREDENTIALS, token=one)
    page = await opened(hall, one)
    refused = await hall.ask("POST", CREDENTIALS, token=other)
    assert (refused.status, refused.body["error"]) == (409, "另一位管理员正在试打；请等他挂断后再试")
    assert not page.closed
    await page.close()
