"""Drills (演练): the whole way of one key to a drill trunk, marked throughout; no drill reaches a real centre."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from openpyxl import load_workbook

from console.client import Refused
from docs.receiver import Receiver, application
from ledger.drill_report import Drill, drills, month_of
from ledger.model import Kind, drill_line
from ledger.push_rules import secret_of
from phones.centre import Centre
from phones.errors import CallFailed
from phones.phone import Refuse
from phones.seat_phone import SeatPhone
from phones.sounds import quiet
from routing.calendar import CITY
from routing.model import Table, Trunk
from tests.asterisk.support.product import reserved_ports
from tests.asterisk.support.scene import Scene, all_of, hear_each_other, scene, soon, states, until, with_groups
from transfers.reference import readable

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ, CENTRE_HZ = 440, 880, 620
PUSH = reserved_ports(1, socket.SOCK_STREAM)[0]
BACKUP = Trunk(
    "drill-110-backup", "drill", "110", "127.0.0.1", reserved_ports(1, socket.SOCK_DGRAM)[0], "110 演练（备用）"
)


def edited(table: Table) -> Table:
    return replace(with_groups(table), trunks=(*table.trunks, BACKUP))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    push = f"110=http://127.0.0.1:{PUSH}/"
    async with scene(edited, centre_push=push, centre_push_drills="110") as running:
        yield running


async def drilled(here: Scene) -> list[Drill]:
    return drills(await here.hotline.facts(drill_line(here.hotline.settings.node)))


async def last_drill(here: Scene, target: str) -> Drill:
    """The last drill of this centre, once it has ended and all is told of it."""
    found: list[Drill] = []

    async def over() -> bool:
        found[:] = [drill for drill in await drilled(here) if drill.target == target][-1:]
        return bool(found) and found[0].ended and (not found[0].success or found[0].heard is not None)

    await until(over, f"a drill of {target} to have ended")
    return found[0]


async def real(here: Scene, number: str) -> list[Centre]:
    """The real centre, on both its trunks: it must not be called."""
    return [await here.far_end(f"emergency-{number}{which}", noticed=False) for which in ("", "-backup")]


async def heard_notice(here: Scene, centre: Centre) -> Any:
    there = await centre.wait_talking(20)
    await soon(lambda: here.heard(there, "drill-notice") > 0.75, "the far end to hear that it is a drill")
    return there


async def test_an_agent_drills_alone_the_whole_way_is_run_and_everything_is_marked(here: Scene) -> None:
    secret = secret_of(here.hotline.credentials.push_secret, "110")
    receiver = Receiver(secret)
    runner = web.AppRunner(application(receiver))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", PUSH).start()
    try:
        before = await here.hotline.ask("/api/live")
        police = await real(here, "110")
        centre = await here.far_end("drill-110", tone_hz=CENTRE_HZ)
        seat = await here.agent("1001", "8001", SEAT_HZ)
        talk = await seat.call("*9110")
        there = await heard_notice(here, centre)
        assert (there.dialled, there.caller, there.header("Subject")) == ("110", "12345", "DRILL")
        await hear_each_other((talk, SEAT_HZ), (there, CENTRE_HZ))
        there.say(quiet())
        await soon(lambda: here.heard(talk, "drill-notice") > 0.75, "the stand-in for the citizen to say what it is")
        (shown,) = (await here.hotline.ask("/api/status"))["drills"]
        assert (shown["target"], shown["seat"], shown["state"], shown["trunk"]) == (
            "110", "8001", "answered", "drill-110",
        )  # fmt: skip
        _, said = await here.hotline.hotline("status")
        assert f"演练      110，话机 8001，对方接听，线路 {here.hotline.table.trunks['drill-110'].name}" in said
        await talk.hang_up()
        await there.ended(10)
        drill = await last_drill(here, "110")
        assert readable(there.header("User-to-User").partition(";")[0]) == drill.id
        assert (drill.seat, drill.agent, drill.by, drill.success, drill.heard) == ("8001", "1001", "", True, True)
        assert drill.reached is not None
        assert drill.key_to_invite_ms is not None
        assert drill.key_to_invite_ms < 5000
        assert drill.reached.answer_ms is not None
        # No call, no measure, no recording of a citizen; the sound lies apart.
        assert await here.hotline.calls() == []
        assert (await here.hotline.ask("/api/live"))["day"] == before["day"]
        folder = here.hotline.plan.recordings.parent / "drills"
        assert [path.stem for path in folder.rglob("*.wav")] == [drill.id]
        assert not list(here.hotline.plan.recordings.rglob("*.wav"))
        await soon(lambda: len(receiver.drills) >= 3, "the data interface to be told")
        told = list(receiver.drills.values())
        assert receiver.taken == {}
        assert all(one["drill"] is True and one["what"] == "drill" and one["call"] == drill.id for one in told)
        assert [one["transfer"]["state"] for one in told] == ["asked", "answered", "ended"]
        assert [one.calls for one in police] == [[], []]
    finally:
        await runner.cleanup()


async def backup_answers(here: Scene, seat: SeatPhone) -> None:
    await here.far_end("drill-110", behaviour=Refuse(486))
    backup = await here.far_end("drill-110-backup", tone_hz=CENTRE_HZ)
    talk = await seat.call("*9110")
    await heard_notice(here, backup)
    await talk.hang_up()
    drill = await last_drill(here, "110")
    assert [(one.trunk, one.missed) for one in drill.tries] == [("drill-110", "BUSY"), ("drill-110-backup", "")]
    assert drill.backup_used


async def nobody_answers(here: Scene, seat: SeatPhone) -> None:
    await here.far_end("drill-120", behaviour=Refuse(503))
    talk = await seat.call("*9120", sound=quiet())
    # Said once, and the notice may be said at the same time: of two voices at once each is half as sure.
    await soon(lambda: here.heard(talk, "drill-failed") > 0.3, "the agent to hear that it failed")
    await talk.hang_up()
    drill = await last_drill(here, "120")
    assert not drill.success
    alarms = {alarm["alarm"] for alarm in (await here.hotline.ask("/api/status"))["alarms"]}
    assert "centre-120" not in alarms, "a drill that fails is no failed transfer"


async def by_command(here: Scene, seat: SeatPhone) -> None:
    centre = await here.far_end("drill-119", tone_hz=CENTRE_HZ)
    status, said = await here.hotline.hotline("drill", "start", "119", "--agent", "1003", "--as", "班长")
    assert (status, "8003" in said) == (0, True), said
    talk = await seat.wait_talking(20)
    there = await heard_notice(here, centre)
    await hear_each_other((talk, SEAT_HZ), (there, CENTRE_HZ))
    await talk.hang_up()
    drill = await last_drill(here, "119")
    assert (drill.seat, drill.agent, drill.by) == ("8003", "1003", "班长")


async def test_backup_failure_and_a_drill_asked_for_by_command_are_in_the_months_report(here: Scene) -> None:
    everybody = [*await real(here, "110"), *await real(here, "119"), *await real(here, "120")]
    one, two, three = [await here.agent(f"100{n}", f"800{n}", SEAT_HZ) for n in (1, 2, 3)]
    await all_of(backup_answers(here, one), nobody_answers(here, two), by_command(here, three))
    assert all(centre.calls == [] for centre in everybody)
    month = month_of(datetime.now(UTC), CITY)
    told = await here.hotline.ask(f"/api/drills?month={month}")
    status, said = await here.hotline.hotline("drill", "report", "--month", month, "--json")
    assert (status, json.loads(said)) == (0, told)
    assert told["missing"] == ["120", "122"]
    rows = {row["trunk"]: row for row in told["trunks"]}
    assert (rows["drill-119"]["reached"], rows["drill-119"]["failed"]) == (1, 0)
    assert (rows["drill-120"]["failed"], rows["drill-120"]["last_missed"]) == (1, "CONGESTION")
    assert (rows["drill-122"]["tries"], rows["drill-122"]["last_at"]) == (0, None)
    path = here.hotline.settings.data_dir / "report.xlsx"
    status, said = await here.hotline.hotline("drill", "report", "--xlsx", str(path))
    assert (status, "本月还没有成功演练：120、122" in said) == (0, True), said
    book = load_workbook(BytesIO(path.read_bytes()))
    assert [page.title for page in book] == ["演练月报", "演练明细"]
    assert any(cell.value == "班长" for row in book["演练明细"] for cell in row)


async def test_a_drill_inside_a_citizens_call_is_refused_by_key_by_second_line_and_by_command(here: Scene) -> None:
    drill = await here.far_end("drill-110", tone_hz=CENTRE_HZ)
    police = await real(here, "110")
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("12345", caller="13700000001", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*9110")
    second = await seat.call("*9110", sound=quiet())
    await soon(lambda: here.heard(second, "drill-refused") > 0.75, "the second line to be told why not")
    with pytest.raises(Refused, match="通话中不能演练"):
        await here.hotline.ask("/api/drills", {"target": "110", "seat": "8001"})
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    assert [centre.calls for centre in (drill, *police)] == [[], [], []]
    assert not [one for one in await drilled(here) if not one.ended]
    await call.hang_up()
    assert await states(here, "13700000001") == []


async def test_a_real_transfer_whose_trunks_all_fail_never_goes_to_a_drill_trunk(here: Scene) -> None:
    for which in ("", "-backup"):
        await here.far_end(f"emergency-122{which}", behaviour=Refuse(486))
    drill = await here.far_end("drill-122", tone_hz=CENTRE_HZ)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    call = await here.hotline.citizen().call("12345", caller="13700000002", tone_hz=CITIZEN_HZ)
    talk = await seat.wait_talking(20)
    await talk.send_digits("*122")
    await here.fact("13700000002", Kind.TRANSFER, state="failed")
    await hear_each_other((call, CITIZEN_HZ), (talk, SEAT_HZ))
    assert drill.calls == []
    ours = ("127.0.0.1", here.hotline.settings.sip_port)
    inbound = await drill.dial("12345", ours, from_header="<sip:110@127.0.0.1>")
    with pytest.raises(CallFailed):
        await inbound.answered(20)
    await call.hang_up()


async def test_a_drill_needs_no_engine(here: Scene) -> None:
    police = await real(here, "110")
    centre = await here.far_end("drill-110", tone_hz=CENTRE_HZ)
    seat = await here.agent("1001", "8001", SEAT_HZ)
    await here.hotline.signal_engine(signal.SIGKILL)
    talk = await seat.call("*9110")
    there = await heard_notice(here, centre)
    await hear_each_other((talk, SEAT_HZ), (there, CENTRE_HZ))
    await talk.hang_up()
    await there.ended(10)
    assert [one.calls for one in police] == [[], []]
