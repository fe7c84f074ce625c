"""For who looks after the instance: the audit verified, the doctor, the rights, a phone's password and its look."""

from __future__ import annotations

import pytest

from tests.support.web_harness import Hall
from users.model import Right

pytestmark = pytest.mark.unit


async def test_the_audit_is_verified_and_the_doctor_speaks_in_words(hall: Hall) -> None:
    token = await hall.session("admin")
    told = (await hall.ask("GET", "/api/audit/verify", token=token)).body
    assert told == {"count": 2, "noted": 2, "findings": [], "last": "2:ab"}
    (line,) = (await hall.ask("GET", "/api/doctor", token=token)).body["findings"]
    assert line == {"subject": "设置", "level": "正常", "message": "没有拼错的变量"}


async def test_the_rights_are_told_by_role_with_what_they_open(hall: Hall) -> None:
    told = (await hall.ask("GET", "/api/rights", token=await hall.session("admin"))).body
    assert [one["name"] for one in told["roles"]] == ["座席", "班长", "管理员", "审计员"]
    by = {one["right"]: one for one in told["rights"]}
    assert by["recordings.play"]["roles"] == {"supervisor": "all", "auditor": "all"}
    assert by["supervise.join"] | {"what": 0} == {
        "right": "supervise.join", "what": 0, "roles": {"supervisor": "own"}, "program": False
    }  # fmt: skip
    assert set(by) == set(Right) - {Right.SELF}
    assert all(one["what"] for one in told["rights"]), "a right that opens nothing"


async def test_a_phone_s_password_is_shown_after_it_is_written_down_who_looks(hall: Hall) -> None:
    token = await hall.session("admin")
    path = "/api/seats/8001/set-up"
    assert (await hall.ask("POST", path, {"reason": ""}, token=token)).status == 400
    told = (await hall.ask("POST", path, {"reason": "装新话机"}, token=token)).body
    assert told == {"seat": "8001", "server": "10.0.0.5", "port": 5062, "password": "geheim"}
    (entry,) = (await hall.ask("GET", "/api/audit?action=look.seat", token=token)).body["entries"]
    assert (entry["subject"], entry["reason"]) == ("看话机 8001 的密码", "装新话机")
    assert "geheim" not in str(entry)
    for seat in ("9999", "x"):
        assert (await hall.ask("POST", f"/api/seats/{seat}/set-up", {"reason": "试"}, token=token)).status == 404
