"""How many calls one switch takes, and how many of those are kept free for emergencies.

One job: the sums, pure. What is counted against them is the dialplan's (``admit``) and calls/switch/resources.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PORTS_PER_CALL: Final = 4
"""Two legs, RTP and RTCP each."""

FILES_PER_CALL: Final = 12
"""Two hundred talks with recording hold about 2,400 files and sockets."""

FILES_BESIDE: Final = 500
"""What the switch holds without any call: modules, logs, transports, sockets of phones that connect by TCP."""

RESERVED_SHARE: Final = 10
"""One call in so many is kept for emergencies and for those who already talk. Ours, not a standard's."""

LEAST_RESERVED: Final = 5


@dataclass(frozen=True, slots=True)
class Capacity:
    """Of one switch, in calls: a citizen and whoever talks with the citizen."""

    calls: int
    """What RTP ports and open files allow."""
    by_files: bool = False
    """The open files are what is short, and not the ports."""

    @property
    def reserved(self) -> int:
        """Kept for emergency calls, and for the third leg of a talk that goes to a centre."""
        return max(LEAST_RESERVED, self.calls // RESERVED_SHARE)

    @property
    def ordinary(self) -> int:
        """The ordinary calls that may be up at once; the next one is refused, so that the carrier tries elsewhere."""
        return max(1, self.calls - self.reserved)


def capacity(rtp_ports: int, open_files: int) -> Capacity:
    """``open_files``: the most that one process may have; 0 when it is not known, and then not what bounds."""
    by_ports = rtp_ports // PORTS_PER_CALL
    by_files = (open_files - FILES_BESIDE) // FILES_PER_CALL if open_files else by_ports
    return Capacity(max(LEAST_RESERVED + 1, min(by_ports, by_files)), by_files < by_ports)


def files_needed(rtp_ports: int) -> int:
    """The open files that as many calls need as the ports allow."""
    return FILES_BESIDE + rtp_ports // PORTS_PER_CALL * FILES_PER_CALL
