"""What Asterisk's configuration is a function of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
