"""Watches one-key transfers and tells the ledger; it commands nothing, so nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from ulid import ULID

from ledger.model import Kind
from telephony.model import EMERGENCY_NUMBERS, CallId
from transfers.states import TransferState, may_follow

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)


@dataclass(slots=True)
class Transfer:
    """One press of the key."""

    target: str
    state: TransferState
    trunk: str = ""
    id: str = field(default_factory=lambda: str(ULID()))


class TransferWatch:
    """The transfers of the calls that are up, by call."""

    def __init__(self, note: Callable[..., None]) -> None:
        self._note = note
        self.transfers: dict[CallId, Transfer] = {}

    def hear(self, call: CallId, news: Mapping[str, str]) -> None:
        """The dialplan tells of a state (UserEvent OneKey); news out of order is dropped and logged."""
        target = news.get("Target", "")
        try:
            state = TransferState(news.get("State", ""))
        except ValueError:
            log.warning("one-key news not understood", call=call)
            return
        if target not in EMERGENCY_NUMBERS:
            log.warning("one-key news of no centre", call=call)
            return
        held = self.transfers.get(call)
        if state is TransferState.ASKED:
            if held is not None and may_follow(held.state, TransferState.ENDED):
                self._enter(call, held, TransferState.ENDED)
            held = self.transfers[call] = Transfer(target, state)
        elif held is None:
            held = self.transfers[call] = Transfer(target, state)
        elif not may_follow(held.state, state):
            log.warning("one-key news out of order", call=call, held=held.state, news=state)
            return
        held.trunk = news.get("Trunk", "") or held.trunk
        self._enter(call, held, state, cause=news.get("Cause", ""))

    def over(self, call: CallId) -> None:
        """The centre has left, or the call is over."""
        held = self.transfers.get(call)
        if held is not None and may_follow(held.state, TransferState.ENDED):
            self._enter(call, held, TransferState.ENDED)

    def forget(self, call: CallId) -> None:
        """The call is over."""
        self.over(call)
        self.transfers.pop(call, None)

    def _enter(self, call: CallId, transfer: Transfer, state: TransferState, **more: Any) -> None:
        transfer.state = state
        if state is TransferState.FAILED:
            log.error("one-key transfer failed", call=call, target=transfer.target, trunk=transfer.trunk)
        told = {key: value for key, value in more.items() if value}
        self._note(
            Kind.TRANSFER, call, id=transfer.id, target=transfer.target, state=state, trunk=transfer.trunk, **told
        )
