"""Lost calls (漏接) as this engine learns of them: from calls that end, from facts, and from the ledger.

One job: join outbound/lost.py to the other rooms, and hand what is due to the callbacks where the table says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callbacks.model import Callback, CallbackState, RequestOutcome
from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from calls.model import LiveCall
from calls.registry import Calls
from database.errors import DatabaseError
from ledger.model import TRIAL, Kind
from ledger.records import CallRecord
from outbound.lost import LostCall, LostCalls, LostReason
from outbound.model import State as OutboundState
from queues.service import Clock
from routing.model import Snapshot
from telephony.model import CallId, Stage, made_by_us
from telephony.subscribers import callable_number

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

POLL_SECONDS: Final = 5.0
READ_SECONDS: Final = 60.0
"""How often the ledger is read again: what the engine did not see is filled in there later."""

Records = Callable[[datetime], Awaitable[Iterable[CallRecord]]]
"""Calls that came in, or were made, since then. Raises DatabaseError."""


class LostCallWatch:
    """Of one node."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        calls: Calls,
        callbacks: Callbacks,
        mailbox: Mailbox,
        clock: Clock,
        citizen: Callable[[str], str],
    ) -> None:
        self.registry = LostCalls()
        self.records: Records | None = None
        """The ledger, once there is one."""
        self._snapshot = snapshot
        self._calls = calls
        self._callbacks = callbacks
        self._mailbox = mailbox
        self._clock = clock
        self._citizen = citizen
        calls.ended.append(self._over)
        calls.fact_listeners.append(self._on_fact)

    async def run(self) -> None:
        """Promise callbacks that are due, and read the ledger again now and then; ends only by cancellation."""
        read_ms = 0
        while True:
            now = self._clock()
            if self.records is not None and now - read_ms >= READ_SECONDS * 1000:
                read_ms = now
                await self._read()
            self.registry.forget(now)
            self._request_callbacks(now)
            await asyncio.sleep(POLL_SECONDS)

    def load(self, records: Iterable[CallRecord]) -> None:
        """Calls of the ledger, in any order, as often as one likes."""
        seconds = self._snapshot().call_out.lost_seconds
        for record in sorted(records, key=lambda record: record.entered_at):
            number = self._citizen(record.caller)
            if record.mode == TRIAL or not number:
                continue
            if record.answered_at is not None and record.answered_by != "emergency":
                self.registry.served(number, _ms(record.answered_at), by_us=made_by_us(record.call))
            elif record.answered_at is None and record.ended_at is not None and not made_by_us(record.call):
                waited_seconds = (record.ended_at - record.entered_at).total_seconds()
                if (
                    waited_seconds >= seconds
                    and not record.rule.startswith("emergency")
                    and not self._handled_otherwise(record.call)
                ):
                    self._lost(
                        record.call, number, record.number, record.group, LostReason.ABANDONED, _ms(record.ended_at)
                    )

    async def _read(self) -> None:
        assert self.records is not None
        try:
            self.load(await self.records(datetime.fromtimestamp(self._clock() / 1000 - 24 * 3600, UTC)))
        except (DatabaseError, OSError) as error:
            log.info("lost calls not read from the ledger", reason=str(error))

    def _over(self, call: LiveCall, _dropped: bool) -> None:
        """A call has ended."""
        if (
            call.answered_by_human
            or call.trial
            or made_by_us(call.call)
            or call.stage is Stage.EMERGENCY
            or self._handled_otherwise(call.call)
        ):
            return
        now = self._clock()
        nobody = call.stage is Stage.FALLBACK
        if not nobody and now - (call.since_ms or now) < self._snapshot().call_out.lost_seconds * 1000:
            return
        reason = LostReason.NOBODY if nobody else LostReason.ABANDONED
        self._lost(call.call, call.caller, call.number, call.group, reason, now)

    def _lost(self, call: CallId, number: str, line: str, group: str, reason: LostReason, at_ms: int) -> None:
        if callable_number(number) == number:
            self.registry.lost(call, number, line=line, group=group, reason=reason, at_ms=at_ms)

    def _handled_otherwise(self, call: CallId) -> bool:
        """Something else takes care of this call's citizen: a message with words, or the promise of a call."""
        return self._mailbox.get(call) is not None or self._callbacks.book.get(call) is not None

    def _on_fact(self, kind: Kind, call: CallId, data: Mapping[str, Any]) -> None:
        match kind:
            case Kind.ANSWERED if data.get("by") != "emergency":
                live = self._calls.live.get(call)
                if live is not None and live.caller:
                    self._served(live.caller, by_us=made_by_us(call))
            case Kind.ENTERED if not made_by_us(call):
                self._on_redial(str(data.get("caller", "")))
            case Kind.OUTBOUND if data.get("state") == OutboundState.UNREACHED:
                self.registry.count_attempt(str(data.get("caller", "")))
            case Kind.CALLBACK if data.get("state") == CallbackState.FAILED:
                number, line, group = (str(data.get(key, "")) for key in ("caller", "line", "group"))
                self.registry.give_back(number, LostReason.CALLBACK)
                self._lost(call, number, line, group, LostReason.CALLBACK, self._clock())
            case _:
                pass

    def _served(self, number: str, *, by_us: bool) -> None:
        self.registry.served(number, self._clock(), by_us=by_us)
        self._withdraw(number, "served")

    def _on_redial(self, number: str) -> None:
        """Nobody calls back who is on the line: served, it is made good; lost again, it comes back."""
        self._withdraw(number, "calls-again")

    def _withdraw(self, number: str, reason: str) -> None:
        entry = self.registry.get(number)
        if entry is not None and entry.handed_over:
            self._callbacks.cancel(entry.call, reason)
            self.registry.give_back(number)

    def _request_callbacks(self, now: int) -> None:
        minutes = self._snapshot().call_out.lost_callback_minutes
        if not minutes or not self._callbacks.loaded:
            return
        on_the_line = {live.caller for live in self._calls.live.values()}
        for lost in self.registry.open():
            due = lost.last_ms + minutes * 60_000 <= now
            if (
                due
                and not lost.handed_over
                and lost.reason is not LostReason.CALLBACK
                and lost.number not in on_the_line
            ):
                outcome = self._callbacks.request(self._callback_for(lost, now))
                if outcome in (RequestOutcome.PROMISED, RequestOutcome.ALREADY):
                    self.registry.pass_on(lost.number)
                    log.info("lost call handed to the callbacks", call=lost.call, outcome=str(outcome))

    def _callback_for(self, lost: LostCall, now: int) -> Callback:
        return Callback(
            id=lost.call,
            number=lost.number,
            line=lost.line,
            group=lost.group or self._snapshot().default_group,
            overflow="",
            priority=0,
            since_ms=now,  # it begins to wait now: nobody who is on the line waits longer for it
            promised_at=datetime.fromtimestamp(now / 1000, UTC),
        )


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
