"""Every route × every role, nobody and programs, about one's own things and a foreigner's, against docs/rights.csv."""

from __future__ import annotations

from typing import Any

import pytest

from console.access.guard import OWN_REFUSALS
from console.access.permissions import API_ROUTES, BY_ROUTE, BY_ROW, ROUTES, Ownership
from docs.generate import matrix
from tests.support.engine_harness import call_id
from tests.support.web_harness import ORDERS, PLACES, Answer, Hall, program, talks
from tests.unit.users.people import ROOT
from users.model import Right, Role, Scope
from users.rules import FOR_CLIENTS, RIGHTS

pytestmark = pytest.mark.unit

ROWS = [row for row in matrix() if row["nobody"] != "signature"]
SIGNED = [row for row in matrix() if row["nobody"] == "signature"]
BARE = ("/api/status", "/api/measures/half-hours", "/api/staffing", "/api/session")
"""What a program may ask that was given ``status.read`` alone."""

FOREIGN = {"agent": "1002", "seat": "8002", "call": call_id(12)}


OWN_LISTS = ("/api/calls", "/api/calls/search", "/api/outbound-calls")
"""Answered to everybody, each with what is his own."""


def things(role: Role | None, *, own: bool) -> dict[str, str]:
    """The agent id, the seat and the call of a role, or somebody else's."""
    if not own:
        return FOREIGN | {"order": ORDERS[12]}
    agent, seat = PLACES.get(role, PLACES[Role.AGENT]) if role else PLACES[Role.AGENT]
    serial = 2 if role is Role.SUPERVISOR else 1
    return {"agent": agent, "seat": seat, "call": call_id(serial), "order": ORDERS[serial]}


async def attempt(hall: Hall, row: dict[str, str], about: dict[str, str], **way: str) -> Answer:
    """Ask with fields that are the asker's own or not, and without a reason: rights are looked at before it."""
    path = row["path"].format(
        **about,
        what=about["agent"],
        id=1,
        language="zh-CN",
        prompt="goodbye",
        user="nobody",
        client="nobody",
        number=about["order"],
    )
    if path.endswith("/sound"):
        asked = await hall.ask("POST", path.replace("/sound", "/look"), {"reason": "抽查"}, **way)
        path += f"?look={asked.body.get('look', '')}"
    body: dict[str, Any] = {"agent": about["agent"], "seat": about["seat"], "supervisor": about["agent"], "reason": ""}
    if path.endswith("/search"):
        body = {"caller": "8000"}
    return await hall.ask(row["method"], path, body, **way)


def let_in(answer: Answer) -> bool:
    """Whether the door was open; what the room says then is another matter, but it may not fall down."""
    assert answer.status < 500 or answer.status == 503, answer.body
    assert answer.body is None or answer.body.get("error") not in OWN_REFUSALS.values(), "no such route"
    return answer.status not in (401, 403)


@pytest.mark.parametrize("role", Role)
async def test_every_route_opens_to_a_role_as_the_matrix_says(hall: Hall, role: Role) -> None:
    await talks(hall)
    wrong = []
    for row in ROWS:
        for own in (True, False):
            if row["path"].startswith("/api/recordings") and not own:
                continue  # there is one recording, and nobody's own
            answer = await attempt(hall, row, things(role, own=own), token=await hall.session(role))
            expected = row[role] == "yes" or (row[role] == "own" and (own or row["path"] in OWN_LISTS))
            if let_in(answer) is not expected:
                wrong.append((row["method"], row["path"], "own" if own else "foreign", answer.status, answer.body))
    assert wrong == []


async def test_nobody_gets_anywhere_but_to_the_sign_in(hall: Hall) -> None:
    await talks(hall)
    for row in ROWS:
        if row["path"].endswith("/sound"):
            continue
        answer = await attempt(hall, row, things(None, own=True))
        assert let_in(answer) is (row["nobody"] == "yes"), row
        assert row["nobody"] == "yes" or answer.status == 401
    assert (await hall.ask("GET", f"/api/recordings/{call_id(1)}/sound?look=x")).status == 401


async def test_programs_get_what_programs_may_have_and_no_more_than_they_were_given(hall: Hall) -> None:
    await talks(hall)
    whole, bare = await program(hall, *FOR_CLIENTS), await program(hall, Right.STATUS_READ)
    for row in ROWS:
        assert let_in(await attempt(hall, row, things(None, own=True), program=whole)) is (row["program"] == "yes"), row
        if row["path"].endswith("/sound"):
            continue
        answer = await attempt(hall, row, things(None, own=True), program=bare)
        assert let_in(answer) is (row["path"] in BARE and row["program"] == "yes"), row


async def test_who_must_change_the_password_can_do_nothing_else(hall: Hall) -> None:
    await hall.people.accounts.add("fresh", "新人", frozenset({Role.ADMIN}), "", ROOT)
    token = await hall.session("fresh")
    for row in ROWS:
        if row["path"].endswith("/sound"):
            continue
        answer = await attempt(hall, row, things(None, own=True), token=token)
        if row["path"].startswith("/api/session") and row["path"] != "/api/sessions":
            assert let_in(answer), row
            token = await hall.session("fresh")
        else:
            assert (answer.status, answer.body["must_change"]) == (403, True), row


def test_every_route_is_declared_and_every_declaration_is_a_route(hall: Hall) -> None:
    app = hall.client.app
    assert app is not None
    routes = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert routes == set(BY_ROUTE)  # those of the command line are there, too, and shut
    assert len(BY_ROUTE) == len(ROUTES)


def test_the_matrix_has_a_row_for_every_route_and_choice() -> None:
    rows = [(row["method"], row["path"]) for row in matrix()]
    assert set(rows) == set(BY_ROW)
    assert len(rows) == len(BY_ROW)
    assert [(row["method"], row["path"]) for row in SIGNED] == [
        (door.method, door.path) for door in API_ROUTES if door.signed
    ]


async def test_what_is_signed_opens_to_no_session_and_no_token(hall: Hall) -> None:
    whole = await program(hall, *FOR_CLIENTS)
    for row in SIGNED:
        for way in ({}, {"token": await hall.session("supervisor")}, {"program": whole}):
            assert (await attempt(hall, row, things(None, own=True), **way)).status == 401


async def test_what_is_for_the_command_line_is_not_there_for_browsers(hall: Hall) -> None:
    for door in ROUTES:
        if "web" not in door.listeners:
            path = door.path.format(number="x", call=call_id(1))
            assert (await hall.ask(door.method, path, token=await hall.session("supervisor"))).status == 404


def test_a_right_for_one_s_own_is_only_on_routes_that_know_whose_things_they_touch() -> None:
    narrow = {right for rights in RIGHTS.values() for right, scope in rights.items() if scope is Scope.OWN}
    assert [door.path for door in API_ROUTES if door.right in narrow and door.own is Ownership.NONE] == []


async def test_a_route_without_a_declared_right_is_shut(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(BY_ROUTE, ("GET", "/api/agents"))
    answer = await hall.ask("GET", "/api/agents", token=await hall.session("supervisor"))
    assert answer.status == 403
    assert "没有声明权限" in answer.body["error"]


async def test_an_agent_without_a_call_or_a_seat_owns_none(hall: Hall) -> None:
    token = await hall.session("agent")
    for path, body in (
        (f"/api/calls/{call_id(1)}/transfer", {"target": "110"}),
        (f"/api/messages/{call_id(1)}/play", {"seat": "8001"}),
        (f"/api/messages/{call_id(1)}/play", {"seat": None}),
        ("/api/agents/1001x/ready", {}),
    ):
        assert (await hall.ask("POST", path, body, token=token)).status == 403
    assert hall.control.transferred == []


async def test_an_agent_lists_own_calls_whatever_is_asked_for(hall: Hall) -> None:
    for query in ("", "?agent=1010", "?agent="):
        answer = await hall.ask("GET", f"/api/calls{query}", token=await hall.session("agent"))
        assert [row["agent"] for row in answer.body["calls"]] == ["1001"]
    answer = await hall.ask("GET", "/api/calls", token=await hall.session("auditor"))
    assert len(answer.body["calls"]) == 2


async def test_who_did_it_is_who_signed_in_whatever_the_body_says(hall: Hall) -> None:
    token = await hall.session("agent")
    body = {"seat": "8001", "by": "市长", "via": "办公室"}
    assert (await hall.ask("POST", "/api/agents/1001/sign-in", body, token=token)).status == 200
    assert hall.control.deeds[-1][1] == "张三（agent）"
