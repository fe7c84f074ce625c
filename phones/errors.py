"""What can go wrong with a phone, as one tree.

::

    PhoneError
    ├── PhoneDeadline          it did not happen in time; carries the last SIP messages
    ├── CallFailed             the call ended before it was answered; carries status and reason
    ├── RegistrationRefused    the registrar said no; carries status and reason
    ├── MalformedSip           bytes that are no SIP message
    └── SippFailed             SIPp ended badly; carries the tail of its log
"""

from __future__ import annotations


class PhoneError(Exception):
    """Root of everything this package raises."""


class PhoneDeadline(PhoneError):
    """What was waited for did not happen in time."""


class _Refused(PhoneError):
    def __init__(self, status: int, reason: str, trace: str = "") -> None:
        super().__init__(f"{status} {reason}{trace and chr(10) + trace}")
        self.status = status
        self.reason = reason


class CallFailed(_Refused):
    """The call ended before anybody answered."""


class RegistrationRefused(_Refused):
    """The registrar did not accept this user."""


class MalformedSip(PhoneError):
    """Bytes that are no SIP message."""


class SippFailed(PhoneError):
    """SIPp ended badly or its statistics cannot be read."""
