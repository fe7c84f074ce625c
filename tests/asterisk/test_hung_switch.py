"""An Asterisk that lives and serves nobody is found by a call, and restarted; one that is only slow is left alone."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from calls.switch.hung_switch import last_hung
from phones.phone import Answer
from setup.process.watchdog import ASK_SECONDS, EVERY_SECONDS
from telephony.ami_probe import ami_ping
from telephony.loop_call import ENGINE_ANSWERS, ENGINE_AWAY, loop_call, loop_token
from tests.asterisk.support.product import Product, product, until
from tests.asterisk.support.running_up import runs, up

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]


async def loop(hotline: Product) -> int:
    settings, token = hotline.settings, loop_token(hotline.credentials.agi_token)
    return await asyncio.to_thread(loop_call, settings.bind, settings.sip_port, token, 4.5)


async def test_the_loop_call_tells_the_engine_from_the_switch_and_is_in_no_ledger(home: Path) -> None:
    async with product(home) as hotline:
        assert await loop(hotline) == ENGINE_ANSWERS
        await asyncio.to_thread(ami_ping, hotline.settings.ami_port, hotline.credentials.ami_secret, 4.5)
        await hotline.signal_engine(signal.SIGKILL)
        assert await loop(hotline) == ENGINE_AWAY
        await hotline.start_engine()
        seat = await hotline.seat("8001", "1001", behaviour=Answer(0.1, hang_up_after=0.5))
        await hotline.citizen().call("12345", caller="13600000001")
        await seat.wait_talking(20)

        async def told() -> bool:
            return any(call.ended_at for call in await hotline.calls())

        await until(told, "the citizen's call in the ledger")
        assert {call.caller for call in await hotline.calls()} == {"13600000001"}


async def test_a_switch_that_is_stopped_briefly_lives_and_one_that_stays_so_is_restarted(home: Path) -> None:
    async with product(home, started=False) as hotline, up(hotline) as running:
        await running.ready()
        old = running.pid_of("asterisk")
        await asyncio.sleep(4)  # the watch has patience with a switch that it never saw well
        psutil.Process(old).suspend()
        await asyncio.sleep(10)
        psutil.Process(old).resume()
        await until(hotline.healthy, "the same switch again")
        assert await loop(hotline) == ENGINE_ANSWERS
        await asyncio.sleep(EVERY_SECONDS + ASK_SECONDS)  # the watch has heard it, too, and begins to count anew
        assert running.pid_of("asterisk") == old

        psutil.Process(old).suspend()
        began = asyncio.get_running_loop().time()
        await running.new_pid("asterisk", old)
        took = asyncio.get_running_loop().time() - began
        print(f"a new switch after {took:.1f} s")
        assert 12 < took < 40
        assert not runs(old)
        await until(hotline.healthy, "the new switch", 60)
        assert await loop(hotline) == ENGINE_ANSWERS
        assert "Asterisk 没有反应，正在重新启动" in running.text
        hung = last_hung(hotline.settings.run_dir)
        assert hung is not None
        assert "do_signal_stop" in Path(hung.evidence).read_text(), "what every thread was at"
