"""Which trunks lead to the public network. One job: their order; pure."""

from __future__ import annotations

from routing.model import Snapshot, Trunk


def outward(table: Snapshot) -> list[Trunk]:
    """Trunks to the public network: the one for callbacks first."""
    trunks = [trunk for trunk in table.trunks.values() if trunk.role == "pstn"]
    return sorted(trunks, key=lambda trunk: (trunk.id != table.callback.trunk, trunk.id))
