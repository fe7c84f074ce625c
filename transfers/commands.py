"""One key to a centre on behalf of an agent: the same as the agent's own key, put in motion over the manager link.

One job: find the two who talk and begin the third leg for them. Once it is up it sends for the caller, and all that
follows is the dialplan's; one that cannot begin leaves the two together, and whoever pressed is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

from queues.model import NotAllowed
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.events import Event
from telephony.model import CallId, Party, Stage, Var
from transfers.states import Form, Settlement, TransferEvent, TransferState

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

_PREFIX: Final = {Form.ONE_KEY: "", Form.THREE_PARTY: "3", Form.BLIND: "2", Form.ATTENDED: "1"}
"""How the dialplan's extensions tell the forms apart."""


_AT: Final = {Form.ATTENDED: "aside"}
"""Where in the dialplan's ``conference`` the caller goes; else ``caller``."""

BEGIN_SECONDS: Final = 3.0
"""The leg is one within the switch and answers at once; one that does not has not begun."""


class TransferCommands:
    """Presses the key for others. One after the other, so that pressing twice does nothing twice."""

    def __init__(
        self, switch: AmiLink, tell: Callable[[CallId, Mapping[str, str]], None] = lambda _call, _told: None
    ) -> None:
        """``tell`` hears, as from the dialplan, of a leg that could not begin."""
        self._switch = switch
        self._tell = tell
        self._one_at_a_time = asyncio.Lock()

    async def start(self, call: CallId, target: str, form: Form) -> None:
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
        wanted = ",".join((Var.CALL, Var.PARTY, Var.STAGE, Var.TRANSFER, Var.CALLER))
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
        try:
            await self._begin(call, caller, target, form)
        except (AmiError, NotAllowed):
            if form is not Form.BLIND:  # else the agent's own key would do nothing for the rest of the call
                with suppress(AmiError):
                    await self._note(agent, "")
            raise

    async def _begin(self, call: CallId, caller: Event, target: str, form: Form) -> None:
        """Raises NotAllowed for a leg that did not begin, AmiError when that is not known."""
        outcome = await self._switch.originate(
            f"Local/{target}@reach/n",
            context="conference",
            exten="centre",
            ring_seconds=BEGIN_SECONDS,
            caller_id=caller.variables.get(Var.CALLER, ""),
            variables={
                f"__{Var.CALL}": call,
                f"__{Var.CHANNEL}": caller["Channel"],
                f"__{Var.TRANSFER}": f"{_PREFIX[form]}{target}",
                f"__{Var.PARTY}": Party.CENTRE,
                f"__{Var.MOVES}": _AT.get(form, "caller"),
                Var.PRESSED: form,
            },
        )
        if outcome.answered:
            return
        log.error("third leg did not begin", call=call, target=target, reason=outcome.reason)
        self._tell(call, {"Target": target, "State": TransferState.ASKED, "Form": form})
        self._tell(call, {"Target": target, "State": TransferEvent.FAILS, "Cause": str(outcome.reason)})
        raise NotAllowed(
            f"没有转成 {target}：交换机接不起第三方线路（原因 {outcome.reason}）；两人仍在通话，"
            f"请座席在话机上按 *{_PREFIX[form]}{target} 再试，并告诉管理员"
        )

    async def _note(self, agent: Event, target: str) -> None:
        """On the agent's channel: it stays for the conference, and its key does nothing more in this talk."""
        await self._switch.send("Setvar", {"Channel": agent["Channel"], "Variable": Var.TRANSFER, "Value": target})


def _of(channels: list[Event], party: Party) -> Event | None:
    return next((event for event in channels if event.variables.get(Var.PARTY) == party), None)
