"""Drills (演练) on one node: started for a seat, heard from the switch, written down apart from calls.

One job: the live side. The drill itself is the dialplan's (context ``drill``) and needs nobody here; what it was
worth is ledger/drill_report.py's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from asterisk_conf.render import DRILL_SECONDS
from ledger.alarms import Alarms
from ledger.drill_report import DrillState
from ledger.journal import Journal
from ledger.labels_zh import DIAL_STATUS, DRILL_STATES
from ledger.model import Kind, drill_line
from queues.acd import Acd
from queues.model import NotAllowed
from queues.service import Clock
from queues.states import AgentState
from routing.drill_trunks import drill_trunks
from routing.model import Snapshot
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.model import CALL_ID, EMERGENCY_NUMBERS, NodeId, SeatId
from telephony.ring import drill, start_phone

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

WHERE: Final = "请用 hotline drill report 查看，在路由表里补上演练线路（用途“演练”）"
RING_MS: Final = 30_000
"""A seat's phone rings so long for a drill that was asked for here; later a key pressed there is the agent's own."""

RINGING: Final = "ringing"
"""The phone rings; nobody has answered, so there is no drill yet."""

IDLE: Final = frozenset({AgentState.READY, AgentState.PAUSED})
MAX_MS: Final = 10
"""Digits of a time that the switch tells."""

LAST: Final = 4
"""Drills that are over and still shown: one round of all centres."""

_SHOWN: Final = frozenset({DrillState.ASKED, DrillState.DIALLING, DrillState.ANSWERED, DrillState.FAILED})


@dataclass(slots=True)
class RunningDrill:
    """A drill that goes on."""

    target: str
    seat: str
    began_ms: int
    agent: str = ""
    by: str = ""
    state: str = DrillState.ASKED
    trunk: str = ""
    success: bool = False
    steps: list[dict[str, Any]] = field(default_factory=list)
    """What the switch told, in its order: state, and as far as told trunk, ms since the key, why, packets heard."""

    def row(self) -> dict[str, Any]:
        """For a page."""
        return {
            "target": self.target, "seat": self.seat, "agent": self.agent, "by": self.by, "state": self.state,
            "trunk": self.trunk, "success": self.success, "since_ms": self.began_ms, "steps": list(self.steps),
        }  # fmt: skip


class Drills:
    """Of one node."""

    def __init__(
        self, snapshot: Callable[[], Snapshot], acd: Callable[[], Acd], switch: AmiLink, journal: Journal,
        alarms: Alarms, node: NodeId, clock: Clock,
    ) -> None:  # fmt: skip
        self._snapshot = snapshot
        self._acd = acd
        self._switch = switch
        self._journal = journal
        self._alarms = alarms
        self._line = drill_line(node)
        self._clock = clock
        self._running: dict[str, RunningDrill] = {}
        self._asked: dict[str, tuple[str, int, str]] = {}
        """Seat to who asked for a drill there, when, and of which centre."""
        self._over: dict[str, RunningDrill] = {}
        self.changed: Callable[[], None] = lambda: None

    async def start(self, target: str, seat: SeatId, by: str) -> None:
        """Ring this seat's phone; who answers is in a drill of this centre. Raises NotAllowed."""
        if target not in EMERGENCY_NUMBERS:
            raise NotAllowed(f"演练的目标应为 {'、'.join(EMERGENCY_NUMBERS)} 之一")
        if not drill_trunks(self._snapshot(), target):
            raise NotAllowed(f"{target} 没有演练线路；{WHERE}")
        held = self._acd().seats.get(seat)
        if held is None or not held.reachable:
            raise NotAllowed(f"话机 {seat} 不在线；请换一部话机")
        if held.call is not None or (held.agent is not None and held.state not in IDLE):
            raise NotAllowed(f"座席 {seat} 正在处理来电，通话中不能演练；请结束后再试")
        self._asked[seat] = (by, self._clock(), target)
        self.changed()
        try:
            await start_phone(
                self._switch, seat, drill(target), caller_id=f"演练 {target} <{target}>", ring_seconds=RING_MS / 1000
            )
        except AmiError as error:
            self._asked.pop(seat, None)
            self.changed()
            raise NotAllowed(f"话机 {seat} 现在呼不通（{error}）；请在话机上按 *9{target}") from None

    def hear(self, told: Mapping[str, str]) -> None:
        """The dialplan tells of a drill (UserEvent Drill)."""
        drill, target, state = told.get("Drill", ""), told.get("Target", ""), told.get("State", "")
        if not CALL_ID.fullmatch(drill) or target not in EMERGENCY_NUMBERS or state not in set(DrillState):
            log.warning("drill news not understood")
            return
        trunk, status, cause = (told.get(name, "")[:40] for name in ("Trunk", "Status", "Cause"))
        data: dict[str, Any] = {"drill": drill, "state": state, "target": target}
        data |= {name: value for name, value in (("trunk", trunk), ("status", status), ("cause", cause)) if value}
        for name, count in (("ms", told.get("Ms", "")), ("received", told.get("Received", ""))):
            if count.isascii() and count.isdigit() and len(count) <= MAX_MS:
                data[name] = int(count)
        if state == DrillState.ASKED:
            data |= self._who(told.get("Seat", ""))
        self._journal.note(Kind.DRILL, self._line, data)
        self._follow(drill, target, DrillState(state), data)
        self.changed()

    def shown(self) -> list[dict[str, Any]]:
        """Drills that go on. One whose end was not heard is forgotten when no drill can last so long."""
        self._forget()
        return [
            {"drill": drill, "target": one.target, "seat": one.seat, "state": one.state, "trunk": one.trunk}
            for drill, one in self._running.items()
        ]

    def rows(self) -> dict[str, dict[str, Any]]:
        """For a page: phones that ring for a drill, drills that go on, and the last ones that are over."""
        self._forget()
        ringing = {
            f"ring-{seat}": RunningDrill(target, seat, asked_ms, by=by, state=RINGING).row()
            for seat, (by, asked_ms, target) in self._asked.items()
            if self._clock() - asked_ms <= RING_MS
        }
        return ringing | {drill: one.row() for drill, one in (self._over | self._running).items()}

    def _forget(self) -> None:
        oldest = self._clock() - DRILL_SECONDS * 1000
        self._running = {drill: one for drill, one in self._running.items() if one.began_ms >= oldest}

    def _who(self, seat: str) -> dict[str, str]:
        held = self._acd().seats.get(SeatId(seat))
        by, asked_ms, _ = self._asked.pop(seat, ("", 0, ""))
        who = {"seat": seat if held is not None else "", "agent": (held.agent or "") if held is not None else ""}
        if self._clock() - asked_ms <= RING_MS:
            who["by"] = by
        return {name: value for name, value in who.items() if value}

    def _follow(self, drill: str, target: str, state: DrillState, data: Mapping[str, Any]) -> None:
        if state is DrillState.ASKED:
            seat, agent, by = (str(data.get(name, "")) for name in ("seat", "agent", "by"))
            self._running[drill] = RunningDrill(target, seat, self._clock(), agent, by)
        one, trunk, why = self._running.get(drill), str(data.get("trunk", "")), str(data.get("status", ""))
        if one is None:
            return
        said = DIAL_STATUS.get(why, why) if state in (DrillState.MISSED, DrillState.FAILED) else ""
        told = {"trunk": trunk, "ms": data.get("ms"), "received": data.get("received"), "why": said}
        known = {name: value for name, value in told.items() if value not in (None, "")}
        one.steps.append({"state": state, "words": DRILL_STATES[state], "at_ms": self._clock(), **known})
        if state in _SHOWN:
            one.state, one.trunk = state, trunk
        if state in (DrillState.ANSWERED, DrillState.MISSED):
            one.success = state is DrillState.ANSWERED
        if state is DrillState.ENDED:
            one.state = state
            self._over[drill] = self._running.pop(drill)
            self._over = dict(list(self._over.items())[-LAST:])
            if one.success:
                self._alarms.clear(alarm_of(target))


def alarm_of(target: str) -> str:
    """The alarm that a centre is overdue."""
    return f"drill-{target}"
