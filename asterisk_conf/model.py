"""What Asterisk's configuration is a function of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asterisk_conf.capacity import Capacity, capacity
from routing.model import Snapshot


@dataclass(frozen=True, slots=True)
class Ports:
    """Where Asterisk listens. All on ``SwitchPlan.bind``, except AMI, HTTP and FastAGI: those are loopback only."""

    sip: int
    """Trunks."""
    seat_sip: int
    """Phones of the seats."""
    http: int
    ami: int
    fastagi: int
    rtp_start: int
    rtp_end: int


@dataclass(frozen=True, slots=True)
class CentrePolicy:
    """How the emergency centres are called. Our own numbers to start with; they come from no standard."""

    ring_seconds: int = 30
    """A centre's trunk that rings longer is given up for the next one."""
    parallel_after_seconds: int = 0
    """After so long on the first trunk all trunks ring at once; 0: one after the other."""
    silence_seconds: int = 20
    """A centre from which nothing at all is heard for so long is given up for the next trunk; 0: never."""
    dropped_seconds: int = 2
    """A centre that hangs up sooner than this has not been reached, and the next trunk is tried."""
    caller_key: str = ""
    """The key by which a caller asks for a centre, ``*`` (a choice follows) or ``*=110`` (that one); empty: none."""


@dataclass(frozen=True, slots=True)
class ConsultKeys:
    """What an agent presses while consulting a partner (咨询); hanging up does what ``leave_key`` does."""

    back_key: str = "*00"
    """The partner is let go, the caller is back."""
    leave_key: str = "*01"
    """The agent leaves, caller and partner are together."""
    join_key: str = "*03"
    """The caller joins the two."""


@dataclass(frozen=True, slots=True)
class SwitchPlan:
    """Everything that the configuration of one Asterisk is made from: settings, secrets, the published table."""

    node: str
    bind: str
    ports: Ports
    snapshot: Snapshot
    home: Path
    """Asterisk's own folder: etc, log, db, spool, share, cel."""
    run: Path
    """Pid file and control socket."""
    modules: Path
    """Where the Asterisk that was found keeps its ``*.so``."""
    documentation: Path
    """Its ``documentation`` folder; several modules refuse to load without it."""
    sounds: Path
    """Built prompts, one folder per language."""
    music: Path
    recordings: Path
    last_resort: tuple[str, ...]
    """Command line of the last-resort script (interpreter first)."""
    ami_secret: str
    agi_token: str
    """Stands last in every question: who else connects to the engine is not Asterisk."""
    seat_passwords: Mapping[str, str]
    ask_seconds: float
    """Longest a caller waits for the engine's answer before the fallback, s."""
    language: str = "zh-CN"
    centres: CentrePolicy = CentrePolicy()
    consult: ConsultKeys = ConsultKeys()
    duty_ring_seconds: int = 25
    """A duty phone (值班电话) that rings longer is given up for the next one."""
    seat_silence_seconds: int = 20
    """A desk phone in a talk from which no packet comes for so long is dead: its leg ends. 0: never."""
    sign_in_alone: bool = True
    """Without the engine, which alone can check a PIN, *11 still brings a seat on duty."""
    phone_shows: str = "masked"
    """What a desk phone shows of who calls: ``masked``, ``call`` (the call's id) or ``number``."""
    page_phones: bool = True
    """Agents may have their phone in the browser (ADR 0020)."""

    caller_silence_seconds: int = 90
    """A caller from whose carrier nothing at all comes for so long is gone; 0: never judged so."""
    open_files: int = 0
    """The most that Asterisk may have; 0: not known."""

    @property
    def capacity(self) -> Capacity:
        """How many calls this switch takes."""
        return capacity(self.ports.rtp_end - self.ports.rtp_start + 1, self.open_files)

    @property
    def messages(self) -> Path:
        """Where messages are recorded: beside the recordings, which are of calls with somebody."""
        return self.recordings.parent / "messages"

    @property
    def drills(self) -> Path:
        """Where drills are recorded, apart from the calls of citizens."""
        return self.recordings.parent / "drills"

    @property
    def orders(self) -> Path:
        """Where the sounds of urgent orders lie, by order number."""
        return self.recordings.parent / "orders"
