"""Phones in agents' browsers, as far as the switch is concerned: their passwords, and a talk that a page lost.

One job: tell Asterisk. The WebSocket and who may have it are console.web_phone_proxy'. A page's password is made for
one connection, and taken out of AstDB after it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

import structlog

from calls.registry import Calls
from calls.switch.redirect import redirect_to_seat
from ledger.model import NO_CALL, Kind
from queues.events import SignedOut
from queues.model import NotAllowed
from queues.service import QueueService
from routing.model import Snapshot
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.model import PAGE_AUTHS, TRIAL_PHONE, AgentId, SeatId, Stage, Var

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

RESUME_RING_SECONDS: Final = 10
"""A page that asked for its caller back answers by itself, within a second or two."""

TELL_SECONDS: Final = 3

SESSION_OVER: Final = "登录已结束"


class WebPhones:
    """Of one node."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        queues: QueueService,
        calls: Calls,
        switch: AmiLink,
        *,
        port: int,
        enabled: bool,
    ) -> None:
        self.url = f"ws://127.0.0.1:{port}/ws"
        """Asterisk's WebSocket."""
        self._snapshot = snapshot
        self._queues = queues
        self._calls = calls
        self._switch = switch
        self._enabled = enabled
        self._looked = False
        self.trial_number = ""
        """What the next test call is taken for; empty: 12345."""
        self._granted: set[AgentId] = set()
        """Who got a password of this engine."""

    async def grant(self, agent: AgentId) -> str:
        """A new password for this agent's page; an earlier one is worth nothing from now on. Raises NotAllowed."""
        self._require_enabled()
        table = self._snapshot()
        if agent in table.seats:
            raise NotAllowed(f"工号 {agent} 与座席分机同号，不能用网页电话；请管理员改其中一个，或用座席话机")
        if agent not in table.agents:
            raise NotAllowed(f"工号 {agent} 不在已发布的路由表里；请管理员添加并发布后再试")
        return await self._password(agent)

    async def grant_trial(self, number: str = "") -> str:
        """A new password for the set-up page's phone. Raises NotAllowed.

        ``number``: the merged number that its call is to be taken for. It still dials 12345 and nothing else.
        """
        self._require_enabled()
        if number and number not in self._snapshot().numbers:
            raise NotAllowed(f"生效的路由表里没有归并号码 {number[:20]}；请发布后再试打")
        self.trial_number = number
        return await self._password(AgentId(TRIAL_PHONE))

    def _require_enabled(self) -> None:
        if not self._enabled:
            raise NotAllowed("本系统没有启用网页电话；请用座席话机，或请管理员设置 page_phones = true 后重启")

    async def _password(self, phone: AgentId) -> str:
        password = secrets.token_urlsafe(24)
        self._granted.add(phone)
        if not await self._told(phone, password):
            raise NotAllowed("电话系统暂时没有连上；页面会自动再试")
        return password

    async def revoke(self, agent: AgentId) -> None:
        """Whoever still knows the password cannot use it any more."""
        await self._told(agent, "")

    async def signed_out(self, agent: AgentId) -> None:
        """The user's sign-in is over: nobody is offered a page that is not there. A talk ends first.

        The caller of a talk goes back to the head of the line when the page does not come again in time.
        """
        seat = SeatId(agent)
        if self._queues.acd.seat_of.get(agent) != seat:
            return
        self._queues.apply(SignedOut(seat))
        self._calls.record_fact(Kind.OPERATOR_ACTION, NO_CALL, what="sign-out", by=SESSION_OVER, agent=agent, seat=seat)
        log.info("agent off duty, session over", agent=agent)

    async def seen(self) -> None:
        """The switch is there: what an engine that was killed has left behind is worth nothing any more."""
        if self._enabled and not self._looked:
            self._looked = True
            for agent in map(AgentId, (*self._snapshot().page_phones, TRIAL_PHONE)):
                if agent not in self._granted and await self._left_behind(agent):
                    await self.revoke(agent)

    async def resume(self, agent: AgentId) -> None:
        """Ring the page again for the caller whom it lost when it was loaded anew. Raises NotAllowed.

        The caller hears ringing meanwhile, and keeps its place when the page does not answer.
        """
        seat = self._queues.acd.seats.get(SeatId(agent))
        call = seat.call if seat is not None else None
        held = self._calls.live.get(call) if call is not None and self._queues.is_talking(call) else None
        if held is None:
            raise NotAllowed("没有要接回的通话")
        if held.stage is Stage.CONFERENCE:
            raise NotAllowed("这个通话正在与中心或协作单位三方通话，不能接回；对方仍在与市民通话")
        held.takeover_seat = SeatId(agent)
        try:
            await redirect_to_seat(self._switch, held.channel, SeatId(agent), RESUME_RING_SECONDS)
        except AmiError as error:
            held.takeover_seat = None
            raise NotAllowed(f"没有接回通话（{error}）；市民还在线上，请再试") from None

    async def _told(self, agent: AgentId, password: str) -> bool:
        """Whether the switch has it; a channel that nobody hears writes it into AstDB."""
        try:
            outcome = await self._switch.originate(
                f"Local/{agent}@page-password/n",
                context="page-password",
                exten="done",
                ring_seconds=TELL_SECONDS,
                variables={f"__{Var.PAGE_PASSWORD}": password},
            )
        except AmiError as error:
            log.warning("page's password not told", agent=agent, error=str(error))
            return False
        return outcome.answered

    async def _left_behind(self, agent: AgentId) -> bool:
        try:
            await self._switch.collect("DBGet", {"Family": f"{PAGE_AUTHS}/auth", "Key": agent}, until="DBGetComplete")
        except AmiError:
            return False
        return True
