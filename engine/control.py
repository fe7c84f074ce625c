"""How the engine is, as numbers and sentences; and the engine as the control API sees it."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from calls.model import DispositionRequest
from calls.supervision import Supervision
from calls.switch.resources import Use
from database.errors import DatabaseError
from engine.background import BackgroundJobs
from engine.engine import Engine
from engine.wiring.orders import steps_of
from ivr.ports import SupervisorAction
from ivr.prompt_names import names_with_prompts
from ledger.drill_report import DrillReport, report
from ledger.drill_workbook import workbook
from ledger.live import Live
from ledger.model import NO_CALL, Kind
from ledger.push_rules import secret_of
from ledger.records import CallRecord
from orders.model import Order
from orders.serialisation import target_of
from orders.service import OrderRequest, Orders
from outbound.lost import LostCalls
from outbound.service import OutboundCalls
from queues.acd import Acd
from queues.events import Event as QueueEvent
from queues.model import NotAllowed, TicketPhase
from queues.pins.service import PinRefused
from queues.states import AgentState
from recordings.layout import recording_file
from routing.drill_trunks import trunks_of
from routing.model import Snapshot, WrapUpCode
from routing.naming import Names
from routing.tables import Tables
from telephony.errors import AmiError
from telephony.model import EMERGENCY_NUMBERS, HOTLINE_NUMBER, AgentId, CallId, GroupId, SeatId, Var
from telephony.ring import PhoneCall, start_phone
from transfers.states import Form, Settlement

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

MAX_LAG_FACTS = 10_000
"""More facts than this only in the journal is a database that does not follow."""


AWAY = "Asterisk 暂时没有连上，操作记不住；请稍候再试，或运行 ./hotline status 查看"


class Control:
    """The engine behind the API."""

    def __init__(self, engine: Engine, books: BackgroundJobs, tables: Tables, push_secret: str) -> None:
        """``push_secret``: what the keys of centres and departments are made of."""
        self._push_secret = push_secret
        self._engine = engine
        self._books = books
        self.tables = tables
        self._named: tuple[Snapshot, Names] | None = None

    @property
    def snapshot(self) -> Snapshot:
        return self._engine.snapshot

    @property
    def names(self) -> Names:
        table = self._engine.snapshot
        if self._named is None or self._named[0] is not table:
            self._named = table, names_with_prompts(table, self._engine.settings.city)
        return self._named[1]

    @property
    def acd(self) -> Acd:
        return self._engine.queues.acd

    @property
    def now_ms(self) -> int:
        return self._engine.clock()

    @property
    def callbacks(self) -> Callbacks:
        return self._engine.callbacks

    @property
    def mailbox(self) -> Mailbox:
        return self._engine.mailbox

    @property
    def orders(self) -> Orders:
        return self._engine.orders

    @property
    def outbound(self) -> OutboundCalls:
        return self._engine.outbound

    @property
    def lost_calls(self) -> LostCalls:
        return self._engine.lost_calls.registry

    async def call_of(self, call: CallId) -> CallRecord | None:
        return await self._books.record_of(call)

    async def raise_order(
        self, call: CallId, type_: str, place: str, summary: str, key: str, by: str
    ) -> tuple[Order, bool]:
        """Raise an urgent order in a call that is up, or that the ledger knows. Raises what Orders.raise_ does."""
        kind = self.snapshot.order_types[type_]
        held = self._engine.calls.live.get(call)
        caller = held.caller if held is not None else await self._books.caller_of(call)
        if caller is None:
            raise NotAllowed(f"没有呼叫 {call}；请用 hotline queues list 或 hotline calls list 查看呼叫编号")
        return await self._engine.orders.raise_(
            OrderRequest(
                call=call,
                key=key,
                type=kind.id,
                type_name=kind.name,
                place=place,
                summary=summary,
                caller=caller,
                by=by,
                steps=steps_of(self.snapshot, kind),
                acknowledge_seconds=kind.acknowledge_seconds,
                finish_minutes=kind.finish_minutes,
            )
        )

    def department_key(self, department: str) -> str:
        return secret_of(self._push_secret, target_of(department))

    async def play(self, message: CallId, seat: SeatId) -> None:
        """Ring the seat's phone and play the message to who answers. Raises NotAllowed."""
        file = recording_file(message).removesuffix(".wav")
        try:
            await start_phone(
                self._engine.switch,
                seat,
                PhoneCall.MESSAGE_PLAY,
                caller_id=HOTLINE_NUMBER,
                variables={Var.MESSAGE: file},
            )
        except AmiError as error:
            raise NotAllowed(f"话机 {seat} 现在呼不通（{error}）；请检查话机是否在线后再试") from None

    def tell(self, event: QueueEvent) -> None:
        """What a person asks for. Raises NotAllowed; also while the switch, which keeps sign-ins, is gone."""
        if not self._engine.switch.up:
            raise NotAllowed(AWAY)
        self._engine.queues.apply(event)

    @property
    def counters(self) -> Live:
        return self._engine.live.counters

    @property
    def uses(self) -> tuple[Use, ...]:
        """How much of each limit is in use."""
        return self._engine.resources.uses

    def picture(self) -> dict[str, Any]:
        """The live view, as screens show it."""
        return self._engine.live.picture({group.id: group.name for group in self.snapshot.groups.values()})

    async def transfer(self, call: CallId, target: str, form: Form) -> None:
        """One key on behalf of an agent. Raises NotAllowed when it cannot be done now."""
        if not self._engine.switch.up:
            raise NotAllowed("Asterisk 暂时没有连上；请座席在话机上按键，它不需要引擎")
        partner = next((one for one in self.snapshot.partners.values() if target in (one.id, one.key, one.name)), None)
        if target in EMERGENCY_NUMBERS and form not in (Form.BLIND, Form.ATTENDED):
            await self._engine.press.start(call, target, form)
        elif partner is not None:
            await self._engine.press.start(call, partner.key, form)
        else:
            others = "、".join(f"{one.id}（{one.name}）" for one in self.snapshot.partners.values()) or "（无）"
            numbers = "、".join(EMERGENCY_NUMBERS)
            raise NotAllowed(
                f"不能这样转到 {target[:40]}：应急中心 {numbers} 不能直接转出，也不先咨询；协作单位有 {others}"
            )

    async def settle(self, call: CallId, how: Settlement) -> None:
        """End a private consultation for the agent. Raises NotAllowed when there is none."""
        if not self._engine.switch.up:
            raise NotAllowed("Asterisk 暂时没有连上；请座席在话机上按咨询键，它不需要引擎")
        await self._engine.press.settle(call, how)

    async def start_drill(self, target: str, seat: SeatId, by: str) -> None:
        """Ring a seat for a drill. Raises NotAllowed."""
        if not self._engine.switch.up:
            raise NotAllowed(f"Asterisk 暂时没有连上；请在话机上按 *9{target}，它不需要引擎")
        await self._engine.drills.start(target, seat, by)

    async def drill_report(self, month: str) -> DrillReport | None:
        """A month's drills; None while the ledger cannot be asked."""
        try:
            held = await self._books.drills()
        except (DatabaseError, SQLAlchemyError, OSError) as error:
            log.warning("drills not read", reason=str(error))
            return None
        return report(month, held, trunks_of(self.snapshot), self._engine.settings.zone)

    def drill_workbook(self, told: DrillReport) -> bytes:
        return workbook(told, self._engine.settings.zone)

    def take_down(self, call: CallId, address: str | None, summary: str | None) -> None:
        """Keep what an agent has noted; None leaves what was noted before.

        Raises NotAllowed when the call is neither up nor in somebody's wrap-up.
        """
        held = self._engine.calls.find_recent(call)
        if held is None:
            raise NotAllowed(f"呼叫 {call} 不在进行中；请用 hotline queues list 查看正在进行的呼叫")
        told = {"address": address, "summary": summary}
        held.address = held.address if address is None else address
        held.summary = held.summary if summary is None else summary
        self._engine.calls.record_fact(
            Kind.NOTED, call, **{name: text for name, text in told.items() if text is not None}
        )

    async def say(self, call: CallId, wish: DispositionRequest) -> WrapUpCode:
        return await self._engine.wrap_ups.say(call, wish, self._books.record_of)

    def owes_code(self, agent: AgentId) -> bool:
        call = self.wrapped_up(agent)
        return call is not None and self._engine.wrap_ups.owes(agent, self._engine.calls.last_call_of[agent])

    def wrapped_up(self, agent: AgentId) -> CallId | None:
        seat = self.acd.seat_of.get(agent)
        last = self._engine.calls.last_call_of.get(agent)
        if seat is None or last is None or self.acd.seats[seat].state is not AgentState.WRAP_UP:
            return None
        return last.call

    def caller_now(self, call: CallId) -> str | None:
        held = self._engine.calls.find_recent(call)
        return None if held is None else held.caller

    def deed(self, what: str, by: str, **data: str) -> None:
        """Who did what, for good."""
        self._engine.calls.record_fact(
            Kind.OPERATOR_ACTION, NO_CALL, what=what, by=by, **{k: v for k, v in data.items() if v}
        )

    def has_pin(self, agent: AgentId) -> bool:
        return self._engine.pins.has(agent)

    async def set_pin(self, agent: AgentId, pin: str, by: str) -> None:
        """Raises NotAllowed for what is no PIN, and when the database does not keep it."""
        try:
            await self._engine.pins.set(agent, pin, by)
        except PinRefused as refused:
            raise NotAllowed(str(refused)) from None

    def unlock(self, agent: AgentId) -> None:
        self._engine.pins.unlock(agent, self.acd.seat_of.get(agent))

    def join_talk(self, action: str, supervisor: AgentId, agent: AgentId, reason: str) -> str:
        return self._supervision().call_to_join(supervisor, SupervisorAction(action), agent, reason)

    def take_over(self, supervisor: AgentId, agent: AgentId, reason: str) -> str:
        return self._supervision().take_over(supervisor, agent, reason)

    def force(self, agent: AgentId, to: AgentState, pause: str, by: str, reason: str) -> None:
        self._supervision().force(agent, to, pause, by, reason)

    def move(self, group: GroupId, to: GroupId, by: str, reason: str, call: CallId | None) -> int:
        return self._supervision().move(group, to, by, reason, call)

    async def close_group(self, group: GroupId, by: str, reason: str, *, move: bool) -> int:
        return await self._supervision().close_group(group, by, reason, move=move)

    async def open_group(self, group: GroupId, by: str, reason: str) -> None:
        await self._supervision().open_group(group, by, reason)

    async def announce(self, name: str, by: str, reason: str) -> None:
        await self._engine.announcements.start(name, by, reason)

    async def end_announcement(self, name: str, by: str, reason: str) -> None:
        await self._engine.announcements.stop(name, by, reason)

    def announcements(self) -> list[dict[str, Any]]:
        return self._engine.announcements.told()

    async def drain(self, on: bool, by: str, reason: str) -> dict[str, Any]:
        """Let no more ordinary calls in, or calls again; how it is then. Raises OSError when it cannot be kept."""
        if on:
            await self._engine.drain.start(by, reason)
        else:
            await self._engine.drain.stop()
        self.deed("drain" if on else "undrain", by, reason=reason)
        return {"draining": on, "calls": len(self._engine.calls.live)}

    def _supervision(self) -> Supervision:
        if not self._engine.switch.up:
            raise NotAllowed(AWAY)
        return self._engine.supervision

    async def status(self) -> dict[str, Any]:
        """Everything ``hotline status`` shows; ``healthy`` is what its exit code says."""
        engine, acd = self._engine, self._engine.queues.acd
        lag = await self._books.drainer.lag()
        journal = engine.journal.state
        drain = self._books.drainer.state
        phases = Counter(ticket.phase for ticket in acd.tickets.values())
        waiting = [ticket.since_ms for ticket in acd.tickets.values() if ticket.phase is TicketPhase.WAITING]
        pages = frozenset(engine.snapshot.page_phones)  # nobody's before somebody works at them
        faults = [
            *(["Asterisk 管理接口未连接；请看 log/asterisk.log"] if not engine.switch.up else []),
            *([journal.alarm] if journal.alarm else []),
            *([drain.trouble] if drain.trouble else []),
            *([] if engine.callbacks.loaded else ["以前答应的回拨还没有从数据库读出来，暂不回拨"]),
            *([] if engine.orders.loaded else ["以前的紧急工单还没有从数据库读出来，暂不继续催办"]),
            *([f"数据库落后 {lag.facts} 条流水"] if lag.facts > MAX_LAG_FACTS else []),
            *(alarm.text for alarm in engine.alarms.standing.values() if alarm.grave),
        ]
        return {
            "healthy": not faults,
            "faults": faults,
            "node": engine.settings.node,
            "table_version": engine.snapshot.version,
            "ami": {"state": engine.switch.state.value, **asdict(engine.switch.counters)},
            "fastagi": asdict(engine.server.counters),
            "journal": {"written": journal.written, "refused": journal.refused, "alarm": journal.alarm},
            "database": {"lag_facts": lag.facts, "lag_seconds": round(lag.seconds, 1), "trouble": drain.trouble},
            "calls": len(engine.calls.live),
            "callbacks": len(engine.callbacks.book.open()),
            "messages_overdue": len(engine.mailbox.overdue()),
            "orders": dict(Counter(str(order.state) for order in engine.orders.book.open())),
            "waiting": phases[TicketPhase.WAITING],
            "longest_wait_ms": engine.clock() - min(waiting) if waiting else 0,
            "ringing": phases[TicketPhase.OFFERED],
            "talking": phases[TicketPhase.TALKING],
            "seats": dict(
                Counter(str(seat.state) for seat in acd.seats.values() if seat.agent or seat.id not in pages)
            ),
            "transfers": {
                call: {"target": t.target, "state": t.state, "form": t.form, "trunk": t.trunk, "progress": t.progress}
                for call, t in engine.transfers.transfers.items()
            },
            "centres": engine.routes.shown(),
            "partners": engine.routes.partners(),
            "drills": engine.drills.shown(),
            "alarms": [
                {"alarm": one.key, "text": one.text, "since": one.since.isoformat(), "grave": one.grave}
                for one in engine.alarms.standing.values()
            ],
            "strays": {str(kind): count for kind, count in acd.strays.items()},
            "draining": asdict(engine.drain.now) if engine.drain.now else None,
            "closed_groups": engine.supervision.closures.shown(),
            "healed": engine.healing.mended,
            "limits": engine.resources.shown(),
            "calls_refused": engine.resources.refused,
            "transfers_mended": engine.standing.mended,
            "reconciled_at": engine.recovery.reconciled_at.isoformat() if engine.recovery.reconciled_at else None,
            "reconcile_differences": engine.recovery.differences,
        }
