"""One key to a centre on behalf of an agent: the same as the agent's own key, put in motion over the manager link.

One job: find the two who talk and send the caller to ``one-key-for``. All that follows is the dialplan's.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from queues.model import NotAllowed
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.events import Event
from telephony.model import CallId, Party, Stage, Var
from transfers.states import Form, Settlement

_PREFIX: Final = {Form.ONE_KEY: "", Form.THREE_PARTY: "3", Form.BLIND: "2", Form.ATTENDED: "1"}
"""How the dialplan's extensions tell the forms apart."""


class Press:
    """Presses the key for others. One after the other, so that pressing twice does nothing twice."""

    def __init__(self, switch: AmiLink) -> None:
        self._switch = switch
        self._one_at_a_time = asyncio.Lock()

    async def press(self, call: CallId, target: str, form: Form) -> None:
        """Call an emergency number, or a partner's key, into this talk.

        Raises NotAllowed when there is no talk, or somebody was called into it already.
        """
        async with self._one_at_a_time:
            try:
                await self._press(call, target, form)
            except AmiError as error:
                raise NotAllowed(f"Asterisk 没有照办（{error}）；请座席在话机上按 *{_PREFIX[form]}{target}") from None

    async def settle(self, call: CallId, how: Settlement) -> None:
        """End a private consultation for the agent. Raises NotAllowed when there is none."""
        async with self._one_at_a_time:
            try:
                caller = _of(await self._of_call(call), Party.CALLER)
                if caller is None or caller.variables.get(Var.STAGE) != Stage.CONFERENCE or caller.get("BridgeID"):
                    raise NotAllowed(f"呼叫 {call} 没有在咨询；先用 hotline transfer 呼叫编号 单位 --attended")
                there = {"Context": "consult-for", "Exten": how, "Priority": "1"}
                await self._switch.send("Redirect", {"Channel": caller["Channel"], **there})
            except AmiError as error:
                raise NotAllowed(f"Asterisk 没有照办（{error}）；请座席在话机上按咨询键") from None

    async def _of_call(self, call: CallId) -> list[Event]:
        wanted = ",".join((Var.CALL, Var.PARTY, Var.STAGE, Var.TRANSFER))
        listed = await self._switch.collect("Status", {"Variables": wanted}, until="StatusComplete")
        return [event for event in listed if event.variables.get(Var.CALL) == call]

    async def _press(self, call: CallId, target: str, form: Form) -> None:
        mine = await self._of_call(call)
        caller, agent = _of(mine, Party.CALLER), _of(mine, Party.AGENT)
        if caller is None:
            raise NotAllowed(f"呼叫 {call} 不在进行中；请用 hotline queues list 查看正在进行的呼叫")
        if caller.variables.get(Var.STAGE) == Stage.CONFERENCE or (agent and agent.variables.get(Var.TRANSFER)):
            raise NotAllowed(f"呼叫 {call} 已经转接过；再次转接请座席在话机上按 *{_PREFIX[form]}{target}")
        if agent is None or not caller.get("BridgeID"):
            raise NotAllowed(f"呼叫 {call} 没有在与座席通话；座席接听后再转接")
        if form is not Form.BLIND:  # then the agent is free at once
            await self._note(agent, target)
        there = {"Context": "one-key-for", "Exten": f"{_PREFIX[form]}{target}", "Priority": "1"}
        try:
            await self._switch.send("Redirect", {"Channel": caller["Channel"], **there})
        except AmiError:
            if form is not Form.BLIND:  # else the agent's own key would do nothing for the rest of the call
                with suppress(AmiError):
                    await self._note(agent, "")
            raise

    async def _note(self, agent: Event, target: str) -> None:
        """On the agent's channel: it stays for the conference, and its key does nothing more in this talk."""
        await self._switch.send("Setvar", {"Channel": agent["Channel"], "Variable": Var.TRANSFER, "Value": target})


def _of(channels: list[Event], party: Party) -> Event | None:
    return next((event for event in channels if event.variables.get(Var.PARTY) == party), None)
