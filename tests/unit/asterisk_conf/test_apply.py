"""A running Asterisk that does not follow is an error with a sentence, and is told again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asterisk_conf import apply
from asterisk_conf.apply import SwitchNotFollowing, bring
from asterisk_conf.bundle import Asterisk
from tests.unit.asterisk_conf.plans import plan

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]


def answering(folder: Path, script: str) -> Asterisk:
    return Asterisk("22.10.1", ("/bin/sh", "-c", script, "asterisk"), folder, folder, bundled=False)


async def test_an_asterisk_that_hangs_is_an_error_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "COMMAND_SECONDS", 0.05)
    with pytest.raises(SwitchNotFollowing, match="没有执行"):
        await bring(replace(plan(), home=tmp_path), answering(tmp_path, "exec sleep 60"))


async def test_what_it_may_not_have_read_is_read_again(tmp_path: Path) -> None:
    told = tmp_path / "told"
    heard = answering(tmp_path, f'echo "$4" >> {told}')
    wanted = replace(plan(), home=tmp_path)
    assert await bring(wanted, heard)
    told.unlink()
    assert not await bring(wanted, heard), "the files are as they should be"
    assert await bring(wanted, heard, unread=True)
    assert set(told.read_text().split("\n")) >= set(apply.RELOADS.values())
