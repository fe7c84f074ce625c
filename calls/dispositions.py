"""What calls came to (处理结果): said by the agent in the talk or its wrap-up, and later by a supervisor, who says why.

One job: judge, and write down. Nothing waits for it: a wrap-up ends in time whether a code was said or not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from calls.model import DispositionEntry, DispositionRequest, LiveCall
from calls.registry import Calls
from ledger.model import Kind
from ledger.records import CallRecord
from queues.model import NotAllowed
from routing.model import Snapshot, WrapUpCode
from telephony.model import AgentId, CallId

Past = Callable[[CallId], Awaitable[CallRecord | None]]


class Dispositions:
    """Of one node."""

    def __init__(self, snapshot: Callable[[], Snapshot], calls: Calls) -> None:
        self._snapshot = snapshot
        self._calls = calls

    async def say(self, call: CallId, wish: DispositionRequest, past: Past) -> WrapUpCode:
        """Keep it. Raises NotAllowed: no such call or code, nobody of ours had it, or a reason is missing."""
        held = self._calls.find_recent(call)
        if held is not None and held.agent is not None:
            agent, group = wish.agent or held.agent, held.group
        else:
            had, group = await self._of_the_past(call, past)
            agent = wish.agent or had
        code = self._code(wish.code, group)
        if wish.agent is None:
            if not wish.reason:
                raise NotAllowed("不是您自己正在处理的来电，更改处理结果要写明原因")
            self._calls.record_fact(
                Kind.OPERATOR_ACTION,
                call,
                what="wrap-up-code",
                by=wish.by,
                agent=agent,
                to=code.name,
                reason=wish.reason,
            )
        if held is not None:
            held.dispositions[agent] = DispositionEntry(code.id, wish.remark)
        told = {"remark": wish.remark} if wish.remark else {}
        self._calls.record_fact(Kind.WRAP_UP, call, code=code.id, name=code.name, agent=agent, by=wish.by, **told)
        return code

    def owes(self, agent: AgentId, held: LiveCall) -> bool:
        """Whether this agent may not end the wrap-up of this call by hand yet."""
        table = self._snapshot()
        return table.wrap_up_code_required and bool(table.codes_of(held.group)) and agent not in held.dispositions

    async def _of_the_past(self, call: CallId, past: Past) -> tuple[AgentId, str]:
        record = await past(call)
        if record is None:
            raise NotAllowed(f"流水里没有呼叫 {call}；可用 hotline calls list 查看")
        if record.answered_by != "agent" or not record.agent:
            raise NotAllowed("这次来电没有座席接听，没有处理结果可填")
        return AgentId(record.agent), record.group

    def _code(self, code: str, group: str) -> WrapUpCode:
        choices = self._snapshot().codes_of(group)
        found = next((one for one in choices if one.id == code), None)
        if found is None:
            names = "、".join(f"{one.id}（{one.name}）" for one in choices) or "（无，可在路由表里添加）"
            raise NotAllowed(f"没有处理结果 {code[:40]!r}；这个技能组可用 {names}")
        return found
