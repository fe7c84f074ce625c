"""The trunks of emergency centres and partners, as Asterisk's probe (OPTIONS) finds them: known before they are needed.

One job: from device states, of which Asterisk tells by itself, to who can be reached and what stands in alarm. It asks
nothing of the switch, so it costs a call nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ledger.alarms import Alarms
from routing.drill_trunks import DRILL
from routing.model import Snapshot, Trunk

GONE: Final = frozenset({"UNAVAILABLE", "INVALID"})


@dataclass(frozen=True, slots=True)
class TrunkHealth:
    """What Asterisk's probe last said of a trunk."""

    up: bool
    since: datetime
    """Since when it says so, as far as we heard."""


class TrunkMonitor:
    """Which trunk of which centre, or partner, answers."""

    def __init__(self, snapshot: Callable[[], Snapshot], alarms: Alarms) -> None:
        self._snapshot = snapshot
        self._alarms = alarms
        self.health: dict[str, TrunkHealth] = {}
        """By trunk; one of which nothing is known yet is not here."""
        self.changed: Callable[[], None] = lambda: None

    def hear(self, trunk_id: str, state: str) -> None:
        """Asterisk's device state of an endpoint; one that is no trunk of ours is passed over.

        A centre's trunk that does not answer is an alarm from the start, and so is any other one, though not a grave
        one: whoever publishes a partner means to reach it. On an address of this machine (the sample) it is one once it
        has answered and does so no more. A drill's far end comes and goes.
        """
        trunk = self._snapshot().trunks.get(trunk_id)
        if trunk is None or trunk.role == "pstn":
            return
        up, known = state not in GONE, self.health.get(trunk_id)
        if known is None or known.up is not up:
            self.health[trunk_id] = TrunkHealth(up, datetime.now(UTC))
            self.changed()
        centre, here = trunk.role.startswith("emergency"), trunk.host.startswith("127.")
        if up:
            self._alarms.clear(f"trunk-{trunk_id}")
        elif centre or (trunk.role != DRILL and (not here or (known is not None and known.up))):
            grave = centre and not here
            self._alarms.put(f"trunk-{trunk_id}", self._text(trunk), grave=grave)

    def look(self, device_states: Mapping[str, str]) -> None:
        """All of them, as the switch lists them; one that the table has no more is forgotten."""
        for gone in self.health.keys() - self._snapshot().trunks.keys():
            del self.health[gone]
            self._alarms.clear(f"trunk-{gone}")
        for trunk_id, state in device_states.items():
            self.hear(trunk_id, state)

    def up(self, trunk_id: str) -> bool | None:
        """Whether it answers; None while nothing is known."""
        known = self.health.get(trunk_id)
        return None if known is None else known.up

    def shown(self) -> list[dict[str, Any]]:
        """Every trunk of a centre, the main one first; ``up`` is None while nothing is known."""
        trunks = (trunk for trunk in self._snapshot().trunks.values() if trunk.role.startswith("emergency"))
        return [
            {"centre": trunk.number, "trunk": trunk.id, "name": trunk.name, "up": self.up(trunk.id)}
            for trunk in sorted(trunks, key=lambda trunk: (trunk.number, trunk.role, trunk.id))
        ]

    def partners(self) -> list[dict[str, Any]]:
        """Every trunk of a partner (协作单位), in the order in which they are tried; ``up`` as above."""
        table = self._snapshot()
        return [
            {"partner": row.id, "name": row.name, "key": row.key, "trunk": trunk, "up": self.up(trunk)}
            for row in sorted(table.partners.values(), key=lambda row: row.key)
            for trunk in row.trunks
        ]

    def reached(self, number: str, outcome: bool, call: str) -> None:
        """A centre was called: it answered, or none of its trunks did."""
        if outcome:
            self._alarms.clear(f"centre-{number}")
        else:
            text = f"转接 {number} 未接通（呼叫 {call}）；市民仍在线。请用 ./hotline status 查看各条线路，并联系对方"
            self._alarms.put(f"centre-{number}", text)

    @staticmethod
    def _text(trunk: Trunk) -> str:
        where = f"{trunk.host}:{trunk.port}"
        then = "转接会先走其他线路" if trunk.role.startswith("emergency") else "恢复以前从这条线路接不通"
        return f"{trunk.name}（{where}）探测不通；请联系对端，{then}"
