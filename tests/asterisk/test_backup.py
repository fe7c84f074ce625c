"""A backup made while people talk, restored on "another machine": other folder, other ports, everything there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phones.tones import tone_share
from tests.asterisk.support.crowd import staffed, told
from tests.asterisk.support.product import Product, existing, free_settings, product, until

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ, SEAT_HZ = 440, 880
ENOUGH_BYTES = 20_000


async def test_a_backup_of_a_busy_hotline_is_a_hotline_elsewhere(home: Path) -> None:
    kept, key = str(home / "kept"), str(home / "backup.key")
    async with product(home / "here", edit=staffed(2)) as here:
        status, said = await here.hotline("backup", "key", key)
        assert status == 0, said
        encrypted = here.settings.model_copy(update={"backup_recipient": said.split('"')[1]})
        command = replace(here, settings=encrypted).hotline
        seat = await here.seat("8001", "1001", tone_hz=SEAT_HZ)
        call = await here.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking()
        await until(lambda: _recorded(here), "some sound")
        await talk.hang_up()
        await told(here, 1)
        await here.ask("/api/announcements/raise", {"announcement": "disaster", "reason": "台风", "by": "测试"})
        await here.ask("/api/supervise/close", {"group": "market", "reason": "停电", "by": "测试"})
        call = await here.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking()

        status, output = await command("backup", "--to", kept)
        assert status == 0, output
        assert "已存到" in output
        assert "没有加密" not in output
        status, output = await command("backup", "--to", kept, "--json")
        told_as_data = json.loads(output)
        assert told_as_data["new_files"] < told_as_data["files"] / 2  # the second one copies what has changed
        status, output = await here.hotline("backup", "drill", "--from", kept, "--key", key)
        assert status == 0, output
        assert "✗" not in output
        assert "1 个签入" in output

        assert not call.is_over
        assert tone_share(talk.heard.pcm(talk.answered_at, seat.now), CITIZEN_HZ) > 0.9
        await talk.hang_up()
        await told(here, 2)
        before = {record.call for record in await here.calls()}

    settings = free_settings(home / "there")
    command = replace(here, settings=settings, _phones=[]).hotline
    status, output = await command("restore", kept, "--key", key)
    assert status == 0, output
    status, output = await command("restore", kept, "--key", key)
    assert status == 1
    assert "不是空的" in output
    async with existing(settings) as there:
        assert there.credentials == here.credentials
        assert (await there.ask("/api/status"))["closed_groups"] == {"market": "测试：停电"}
        rows = (await there.ask("/api/announcements"))["announcements"]
        assert [row["id"] for row in rows if row["raised"]] == ["disaster"]
        assert {record.call for record in await there.calls()} == before
        for arguments in (("audit", "verify"), ("db", "check")):
            status, output = await there.hotline(*arguments)
            assert status == 0, (arguments, output)
        status, output = await there.hotline("recordings", "check")
        unfinished = "1 个有问题，0 个文件来历不明" in output and "文件头未写完" in output
        assert status == 0 or unfinished, output  # the talk that was up at the backup was copied as far as it was
        seat = await there.seat("8001", tone_hz=SEAT_HZ)  # by its old password; its sign-in came along
        await until(lambda: there.seat_is("8001", "ready"), "the agent who was signed in")
        call = await there.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking()
        await talk.hang_up()


async def _recorded(product: Product) -> bool:
    return any(path.stat().st_size > ENOUGH_BYTES for path in (product.settings.data_dir / "recordings").rglob("*.wav"))
