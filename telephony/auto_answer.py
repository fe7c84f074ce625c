"""How a phone is told to answer by itself: every maker's own header of the INVITE.

One job: the headers, for whoever calls such a phone.
"""

from __future__ import annotations

from collections.abc import Mapping


def auto_answer_headers(host: str) -> Mapping[str, str]:
    """SIP header to value. ``host`` is our own address, which some phones want to see in them."""
    return {
        "Call-Info": f"<sip:{host}>;answer-after=0",
        "Alert-Info": f"<http://{host}>;info=alert-autoanswer;delay=0",
    }
