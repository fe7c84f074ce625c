"""The names of SIP channels: a channel's name holds its endpoint, a seat or a trunk."""

from __future__ import annotations

import re
from typing import Final

CHANNEL: Final = re.compile(r"PJSIP/([A-Za-z0-9-]+)-[0-9a-f]{8}")
