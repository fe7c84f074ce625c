"""Where a call's recording lies: a rule that the dialplan can follow without the engine.

``YYYY/MM/DD/CALL.wav`` below the recordings folder, by the UTC day on which the call rang; its halves beside it. The
same rule stands in context ``record`` of asterisk_conf/templates/extensions.conf.j2.
"""

from __future__ import annotations

from datetime import UTC, datetime

from telephony.model import CallId


def recording_file(call: CallId) -> str:
    """Path of the mixed recording, relative to the recordings folder."""
    epoch = int(call.rpartition("-")[2].partition(".")[0])
    return f"{datetime.fromtimestamp(epoch, UTC):%Y/%m/%d}/{call}.wav"
