"""A running Asterisk given another configuration: files written, the modules that read them told, the result asked for.

One job: from a plan to a switch that has it, or an error that says what is missing. It decides nothing about calls.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final

from asterisk_conf.bundle import Asterisk
from asterisk_conf.files import check, prepare
from asterisk_conf.model import SwitchPlan
from routing.model import Snapshot

RELOADS: Final[Mapping[str, str]] = {
    "pjsip.conf": "module reload res_pjsip.so",
    "queues.conf": "module reload app_queue.so",
    "extensions.conf": "dialplan reload",
    "features.conf": "module reload features",
    "confbridge.conf": "module reload app_confbridge.so",
}
"""What reads a file again. Other files do not follow from the table, or are read for each call."""

EVERYTHING: Final = "core reload"
COMMAND_SECONDS: Final = 20.0
VERIFY_SECONDS: Final = 5.0
_VERIFY_AGAIN_SECONDS: Final = 0.05

Ask = Callable[[str], Awaitable[str]]
"""The value of an Asterisk expression, e.g. ``QUEUE_EXISTS(duty)``; empty when Asterisk has none."""


class SwitchNotFollowing(Exception):
    """Asterisk does not have what it was given; the text says what, in Chinese."""


async def bring(plan: SwitchPlan, asterisk: Asterisk, *, unread: bool = False) -> bool:
    """Write the plan's files, and let Asterisk read those that changed; False when nothing had.

    ``unread``: it may not have read what was written before, and is told again. Raises OSError; SwitchNotFollowing when
    it does not do what it is told in time.
    """
    changed = {difference.path.name for difference in await asyncio.to_thread(check, plan)}
    if not changed and not unread:
        return False
    await asyncio.to_thread(prepare, plan)
    commands = {RELOADS.get(name, EVERYTHING) for name in changed} | (set(RELOADS.values()) if unread else set())
    for command in [EVERYTHING] if EVERYTHING in commands else sorted(commands):
        await asyncio.to_thread(_tell, plan, asterisk, command)
    return True


async def verify(table: Snapshot, ask: Ask) -> None:
    """Ask Asterisk for each queue, phone, trunk and partner of the table. Raises SwitchNotFollowing: what it lacks."""
    wanted = dict(expressions(table))
    try:
        async with asyncio.timeout(VERIFY_SECONDS):
            while wanted:
                wanted = {each: right for each, right in wanted.items() if right not in await _answer(each, ask)}
                if wanted:
                    await asyncio.sleep(_VERIFY_AGAIN_SECONDS)
    except TimeoutError:
        raise SwitchNotFollowing(f"Asterisk 没有接受新的配置，缺少 {'、'.join(list(wanted)[:5])}") from None


def expressions(table: Snapshot) -> Iterator[tuple[str, str]]:
    """What to ask Asterisk about a table, each with what its answer contains."""
    yield from ((f"QUEUE_EXISTS(group-{group})", "1") for group in table.groups)
    yield from ((f"PJSIP_AOR({seat},max_contacts)", "1") for seat in table.seats)
    for trunk in table.trunks.values():
        if trunk.role != "pstn":  # the carrier's has no address of its own to dial
            yield f"PJSIP_AOR({trunk.id},contact)", f"{trunk.host}:{trunk.port}"
    yield from ((f"DIALPLAN_EXISTS(reach,{partner.key},1)", "1") for partner in table.partners.values())


async def _answer(expression: str, ask: Ask) -> str:
    """A phone's or trunk's contact is told by its name, which tells its address when it is asked again."""
    answer = await ask(expression)
    return await ask(f"PJSIP_CONTACT({answer},uri)") if answer and expression.endswith(",contact)") else answer


def _tell(plan: SwitchPlan, asterisk: Asterisk, command: str) -> None:
    try:
        subprocess.run(
            [*asterisk.argv, "-C", str(plan.home / "etc" / "asterisk.conf"), "-rx", command],
            check=False,
            capture_output=True,
            timeout=COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise SwitchNotFollowing(f"Asterisk 在 {COMMAND_SECONDS:g} 秒内没有执行 {command}") from None
