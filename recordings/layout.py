"""Where a call's recording lies: a rule that the dialplan can follow without the engine.

``YYYY/MM/DD/CALL.wav`` below the recordings folder, by the UTC day on which the call rang; its halves beside it. The
same rule stands in context ``record`` of asterisk_conf/templates/dialplan/seat_legs.j2.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from telephony.model import CALL_ID, CallId

HALVES: Final = ("caller", "agent")

_NAME: Final = re.compile(r"\d{4}/\d{2}/\d{2}/(.+?)(?:-(?:caller|agent))?\.wav")


def recording_file(call: CallId) -> str:
    """Path of the mixed recording, relative to the recordings folder."""
    epoch = int(call.rpartition("-")[2].partition(".")[0])
    return f"{datetime.fromtimestamp(epoch, UTC):%Y/%m/%d}/{call}.wav"


def half_file(file: str, half: str) -> str:
    """Path of what one side said, from the path of the mixed recording."""
    return f"{file.removesuffix('.wav')}-{half}.wav"


def call_of(path: str) -> CallId | None:
    """Which call a file belongs to, by its path below the recordings folder; None for a file of no call."""
    match = _NAME.fullmatch(path)
    if match is None or not CALL_ID.fullmatch(match[1]):
        return None
    call = CallId(match[1])
    return call if path.startswith(recording_file(call).removesuffix(".wav")) else None
