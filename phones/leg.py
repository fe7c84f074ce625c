"""What a SIP user agent knows of its calls and of its registration; phones/core.py moves it on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from phones import sdp
from phones.sip_message import Message

Address = tuple[str, int]


class LegState(Enum):
    CALLING = auto()
    RINGING = auto()
    TALKING = auto()
    ENDED = auto()


class Happened(Enum):
    """What the shell is told."""

    INCOMING = auto()
    RINGING = auto()
    MEDIA = auto()
    """The other side's audio address is known or has changed."""
    ANSWERED = auto()
    ENDED = auto()
    CHANGED = auto()
    """Our re-INVITE was answered, one way or the other."""
    REFERRED = auto()
    """Our REFER was answered, or what became of it was told."""
    REGISTERED = auto()
    REGISTER_REFUSED = auto()


@dataclass(eq=False)
class Leg:
    """This phone's end of one call."""

    call_id: str
    outgoing: bool
    local: str
    """Our From (outgoing) or To (incoming) header, with tag."""
    remote: str
    target: str
    """Where requests inside the dialog go: the other side's Contact."""
    peer: Address
    local_tag: str
    invite: Message
    state: LegState = LegState.CALLING
    route: tuple[str, ...] = ()
    cseq: int = 1
    media: sdp.RemoteMedia | None = None
    media_port: int = 0
    session: int = 0
    version: int = 1
    status: int = 0
    """The final status of the INVITE."""
    phrase: str = ""
    reason: str = ""
    """The Reason header of the BYE, CANCEL or final response that ended it."""
    ended_by_us: bool = False
    tries: int = 0
    wants_cancel: bool = False
    wants_bye: bool = False
    """We answered and hung up at once: who is called says BYE only after the ACK (RFC 3261, 15)."""
    changed: int = 0
    """The final status of our last re-INVITE."""
    referred: int = 0
    """The final status of our last REFER."""
    became: str = ""
    """What the other side told last of that (RFC 3515), e.g. ``SIP/2.0 200 OK``."""
    offered: bool = True
    """Incoming: the INVITE carried a description. Without one, ours is the offer and theirs comes in the ACK."""


@dataclass
class Registration:
    """One user at one registrar."""

    user: str
    password: str
    registrar: Address
    call_id: str
    from_tag: str
    cseq: int = 0
    status: int = 0
    phrase: str = ""
