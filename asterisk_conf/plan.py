"""From settings, secrets and the published table to the plan that Asterisk's configuration is a function of."""

from __future__ import annotations

import sys
from pathlib import Path

from asterisk_conf.bundle import Asterisk
from asterisk_conf.model import CentrePolicy, ConsultKeys, Ports, SwitchPlan
from config.credentials import Credentials
from config.open_files import most_open_files
from config.settings import ROOT, Settings
from routing.model import Snapshot
from routing.snapshot import SNAPSHOT_FILE


def switch_plan(settings: Settings, credentials: Credentials, snapshot: Snapshot, asterisk: Asterisk) -> SwitchPlan:
    """The plan of this instance's Asterisk."""
    return SwitchPlan(
        node=settings.node,
        bind=settings.bind,
        ports=Ports(
            sip=settings.sip_port,
            seat_sip=settings.seat_sip_port,
            http=settings.asterisk_http_port,
            ami=settings.ami_port,
            fastagi=settings.fastagi_port,
            rtp_start=settings.rtp_start,
            rtp_end=settings.rtp_end,
        ),
        snapshot=snapshot,
        home=switch_home(settings.data_dir),
        run=settings.run_dir,
        modules=asterisk.modules_dir,
        documentation=asterisk.data_dir / "documentation",
        sounds=settings.data_dir / "sounds",
        music=settings.data_dir / "moh",
        recordings=recordings_home(settings.data_dir),
        last_resort=(
            sys.executable,
            str(ROOT / "agi_scripts" / "last_resort.py"),
            str(settings.data_dir / SNAPSHOT_FILE),
        ),
        ami_secret=credentials.ami_secret,
        agi_token=credentials.agi_token,
        seat_passwords=credentials.seat_passwords,
        ask_seconds=settings.ask_seconds,
        centres=CentrePolicy(
            ring_seconds=settings.centre_ring_seconds,
            parallel_after_seconds=settings.centre_parallel_seconds,
            silence_seconds=settings.centre_silence_seconds,
            caller_key=settings.caller_centre_key,
        ),
        consult=ConsultKeys(settings.consult_back_key, settings.consult_leave_key, settings.consult_join_key),
        duty_ring_seconds=settings.duty_ring_seconds,
        seat_silence_seconds=settings.seat_silence_seconds,
        sign_in_alone=settings.sign_in_without_engine,
        phone_shows=settings.phone_shows,
        page_phones=settings.page_phones,
        open_files=most_open_files(),
        caller_silence_seconds=settings.caller_silence_seconds,
    )


def switch_home(data_dir: Path) -> Path:
    """Asterisk's own folder."""
    return data_dir / "asterisk"


def messages_home(data_dir: Path) -> Path:
    """Where messages are recorded; see asterisk_conf.model.SwitchPlan.messages."""
    return recordings_home(data_dir).parent / "messages"


def recordings_home(data_dir: Path) -> Path:
    """Where MixMonitor writes."""
    return data_dir / "recordings"
