"""What can go wrong on the wire, as one tree.

::

    TelephonyError
    ├── AgiError
    │   ├── AgiProtocolError   the peer does not speak AGI, or past our limits
    │   ├── AgiCommandError    Asterisk refused a command (status 5xx); carries code and text
    │   ├── AgiDeadline        no answer to a command in time
    │   └── HangUp             the caller has gone: an ending, not an error
    └── AmiError
        ├── AmiProtocolError   the peer does not speak AMI, or goes past our limits
        ├── AmiUnsafeValue     a value with CR, LF or NUL, or a line past Asterisk's limits
        ├── AmiRefused         Asterisk answered ``Response: Error``; carries the message
        ├── AmiDeadline        no answer in time; the outcome is unknown and must be reconciled
        ├── AmiDown            the link is not up; nothing was sent
        └── AmiLoginRefused    fatal: the secret is wrong; not retried
"""


class TelephonyError(Exception):
    """Root of everything this package raises."""


class AgiError(TelephonyError):
    """Something about one AGI session."""


class AgiProtocolError(AgiError):
    """The peer does not speak AGI, or goes past our limits."""


class AgiCommandError(AgiError):
    """Asterisk refused a command."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


class AgiDeadline(AgiError):
    """No answer to a command in time."""


class HangUp(AgiError):
    """The caller has gone. One place catches it."""


class AmiError(TelephonyError):
    """Something about the manager link."""


class AmiProtocolError(AmiError):
    """The peer does not speak AMI, or goes past our limits."""


class AmiUnsafeValue(AmiError):
    """A header that must not go on the wire."""


class AmiRefused(AmiError):
    """Asterisk said ``Response: Error``."""


class AmiDeadline(AmiError):
    """Sent, but not answered in time: the outcome is unknown."""


class AmiDown(AmiError):
    """The link is not up; nothing was sent."""


class AmiLoginRefused(AmiError):
    """The secret is wrong. Not retried."""
