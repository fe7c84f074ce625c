"""People who were promised a call back, and their telephones."""

from __future__ import annotations

from typing import Any

from ledger.model import Kind
from phones.centre import Centre
from phones.phone import PhoneCall
from tests.asterisk.support.scene import Scene, begins, until

NO_PROMPT = "12320"
CITIZEN_HZ, SEAT_HZ = 520, 880
RATE = 8000


async def promised(here: Scene, caller: str) -> PhoneCall:
    """A citizen who waits, asks to be called back, confirms in the middle of a word, and hangs up on the promise."""
    call = await here.hotline.citizen().call(NO_PROMPT, caller=caller)
    await here.fact(caller, Kind.WAITING)
    await call.send_digits("1")
    await begins(here, call, "callback-number-is")
    await call.send_digits("1")
    await begins(here, call, "callback-promised")
    await call.hang_up()
    await here.fact(caller, Kind.CALLBACK, state="waiting")
    return call


async def telephone(here: Scene, **how: Any) -> Centre:
    """The public network's side of our trunk, where all citizens' telephones are."""
    return await here.hotline.centre("pstn", tone_hz=CITIZEN_HZ, **how)


async def states(here: Scene, caller: str) -> list[str]:
    """What became of the promise to this caller, state by state."""
    rows = (await here.hotline.ask("/api/callbacks"))["callbacks"]
    mine = [row for row in rows if row["number"] == f"{caller[:3]}****{caller[-4:]}"]
    facts = await here.hotline.facts(mine[0]["id"]) if mine else []
    return [str(fact.data["state"]) for fact in facts if fact.kind is Kind.CALLBACK]


async def becomes(here: Scene, caller: str, state: str, seconds: float = 20) -> None:
    async def so() -> bool:
        return (await states(here, caller))[-1:] == [state]

    await until(so, f"the promise to {caller} to be {state}", seconds)


async def rows(here: Scene, caller: str) -> list[dict[str, Any]]:
    found = (await here.hotline.ask("/api/callbacks"))["callbacks"]
    return [row for row in found if row["number"] == f"{caller[:3]}****{caller[-4:]}"]
