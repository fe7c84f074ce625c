"""Watches transfers to centres and tells the ledger; it commands nothing, so nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from ulid import ULID

from ledger.model import Kind
from telephony.model import EMERGENCY_NUMBERS, CallId, Party
from transfers.states import LEAVE_EVENTS, Form, Progress, TransferEvent, TransferState, next_state

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

PROGRESS: Final = {"RINGING": Progress.RINGING, "PROGRESS": Progress.EARLY_MEDIA}
"""How Asterisk names it in a DialState."""

CALLED: Final = frozenset(
    {TransferState.DIALLING, TransferState.EARLY_MEDIA, TransferState.CONSULT_DIALLING, TransferState.WAITING}
)

OVER: Final = frozenset({TransferState.RETURNED, TransferState.ENDED})


@dataclass(slots=True)
class Transfer:
    """One centre asked for."""

    target: str
    state: TransferState
    form: Form = Form.ONE_KEY
    trunk: str = ""
    progress: Progress = Progress.SILENT
    dialler: str = ""
    """Unique id of the channel that dials the trunks; empty when the beginning was not heard."""
    parted: bool = False
    """The caller has left the conference, hanging up or for another step: who leaves after that is no news."""
    id: str = field(default_factory=lambda: str(ULID()))


class TransferWatch:
    """The transfers of the calls that are up, by call."""

    def __init__(
        self,
        note: Callable[..., None],
        reached: Callable[[str, bool, CallId], None] = lambda *_: None,
        partner: Callable[[str], str] = lambda _: "",
    ) -> None:
        """``reached`` hears whether a centre could be reached: its number, the outcome, the call. ``partner`` knows
        whose key three digits are: its id, or nobody's."""
        self._partner = partner
        self._note = note
        self._reached = reached
        self.transfers: dict[CallId, Transfer] = {}
        self.moved: list[Callable[[CallId], None]] = []
        """Who wants to hear of every change, also of one that is no fact."""

    def on_event(self, call: CallId, told: Mapping[str, str]) -> None:
        """The dialplan tells of a state (UserEvent OneKey); what the table has no move for is dropped and logged."""
        target, state, form = told.get("Target", ""), told.get("State", ""), told.get("Form", "")
        if target not in EMERGENCY_NUMBERS:
            target = self._partner(target)
        if not target:
            log.warning("transfer news of no centre", call=call)
            return
        if state == TransferState.ASKED and form in set(Form):
            self._begin(call, Transfer(target, TransferState.ASKED, Form(form)))
            return
        if state not in set(TransferEvent):
            log.warning("transfer news not understood", call=call)
            return
        held = self.transfers.get(call)
        if held is None:
            # The beginning was lost with the link.
            held = self.transfers[call] = Transfer(target, TransferState.ASKED)
        held.trunk = told.get("Trunk", "") or held.trunk
        held.dialler, held.progress = told.get("Uniqueid", "") or held.dialler, Progress.SILENT
        self._move(call, held, TransferEvent(state), cause=told.get("Cause", ""))

    def progress(self, dialler: str, status: str) -> None:
        """The trunk that this channel dials rings, shown until the next news, or sends early media: then a state."""
        said = PROGRESS.get(status)
        for call, held in self.transfers.items():
            if said is not None and held.dialler == dialler != "" and held.state in CALLED:
                held.progress = said
                self._moved(call)
                if said is Progress.EARLY_MEDIA:
                    self._move(call, held, TransferEvent.SOUNDS)

    def on_leave(self, call: CallId, party: Party) -> None:
        """Somebody has left the conversation."""
        held = self.transfers.get(call)
        if held is None or held.parted:
            return
        if party is Party.CALLER:
            held.parted = True
        elif next_state(held.state, LEAVE_EVENTS[party], held.form) is not None:
            self._move(call, held, LEAVE_EVENTS[party])

    def on_join(self, call: CallId) -> None:
        """The caller has come into the conference."""
        held = self.transfers.get(call)
        if held is not None:
            held.parted = False
            if next_state(held.state, TransferEvent.CALLER_JOINS) is not None:
                self._move(call, held, TransferEvent.CALLER_JOINS)

    def on_return(self, call: CallId) -> None:
        """The caller is on the way back to the head of the line."""
        held = self.transfers.get(call)
        if held is not None and held.state is not TransferState.RETURNED:
            self._move(call, held, TransferEvent.GOES_BACK)

    def end(self, call: CallId) -> None:
        """The call is over."""
        held = self.transfers.pop(call, None)
        if held is not None and held.state is not TransferState.ENDED:
            self._move(call, held, TransferEvent.CALLER_LEAVES)

    def restore(self, call: CallId, seen: Transfer) -> None:
        """What the switch shows after a restart or a lost link; told only when it is not what we believed."""
        held = self.transfers.get(call)
        if held is None:
            if seen.target not in EMERGENCY_NUMBERS:
                seen.target = self._partner(seen.target) or seen.target
            self.transfers[call] = seen
            self._tell(call, seen)
        elif held.state is TransferState.EARLY_MEDIA and seen.state is TransferState.DIALLING:
            return  # a channel does not show what it has sent
        elif held.state is not seen.state:
            held.state, held.trunk = seen.state, seen.trunk or held.trunk
            self._tell(call, held)

    def _begin(self, call: CallId, asked: Transfer) -> None:
        held = self.transfers.get(call)
        if held is not None and held.state not in OVER:
            held.state = TransferState.ENDED
            self._tell(call, held)
        self.transfers[call] = asked
        self._tell(call, asked)
        if asked.form is Form.CALLER_KEY:
            asked.state = TransferState.WAITING
        if asked.form is Form.ATTENDED:
            asked.state = TransferState.CONSULT_DIALLING

    def _move(self, call: CallId, held: Transfer, news: TransferEvent, **more: Any) -> None:
        state = next_state(held.state, news, held.form)
        if state is None:
            log.warning("transfer news out of order", call=call, held=held.state, news=news)
            return
        dials = news is TransferEvent.DIALS
        if state is held.state and not dials:
            return
        held.state = state
        self._tell(call, held, **more)
        if news is TransferEvent.FAILS:
            log.error("transfer failed", call=call, target=held.target, trunk=held.trunk)
        if news in (TransferEvent.FAILS, TransferEvent.ANSWERS) and held.target in EMERGENCY_NUMBERS:
            self._reached(held.target, news is TransferEvent.ANSWERS, call)

    def _moved(self, call: CallId) -> None:
        for listener in self.moved:
            listener(call)

    def _tell(self, call: CallId, transfer: Transfer, **more: Any) -> None:
        self._moved(call)
        told = {key: value for key, value in more.items() if value}
        self._note(
            Kind.TRANSFER, call, id=transfer.id, target=transfer.target, state=transfer.state, trunk=transfer.trunk,
            form=transfer.form, **told,
        )  # fmt: skip
