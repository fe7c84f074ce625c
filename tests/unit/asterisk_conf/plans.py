"""A whole plan of one Asterisk, from the sample table, and its dialplan as data."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from asterisk_conf.model import Ports, SwitchPlan
from routing.model import CallerList, ListedCaller
from routing.sample_table import sample_snapshot

LISTED = ListedCaller("13800000001", CallerList.NUISANCE, "一天来电 30 次")
TABLE = replace(sample_snapshot(), auto_answer=frozenset({"8001"}), callers={LISTED.number: LISTED})
"""The sample, with a phone that answers by itself and a caller on a list."""


def plan(home: Path = Path("/srv/hotline"), **changes: Any) -> SwitchPlan:
    made = SwitchPlan(
        node="hl1",
        bind="127.0.0.1",
        ports=Ports(sip=5060, seat_sip=5062, http=8088, ami=5038, fastagi=4573, rtp_start=26000, rtp_end=31999),
        snapshot=TABLE,
        home=home / "asterisk",
        run=home / "run",
        modules=Path("/usr/lib/asterisk/modules"),
        documentation=home / "documentation",
        sounds=home / "sounds",
        music=home / "moh",
        recordings=home / "recordings",
        last_resort=("/usr/bin/python3", "/srv/a folder/last_resort.py", str(home / "snapshot.json")),
        ami_secret="made-up-secret",
        agi_token="made-up-token",
        seat_passwords={seat: f"made-up-{seat}" for seat in TABLE.seats},
        ask_seconds=3.0,
    )
    return replace(made, **changes)


Dialplan = dict[str, dict[str, list[str]]]
"""Context to extension to its steps, each ``Application(arguments)``."""


def dialplan(text: str) -> Dialplan:
    """extensions.conf as data: enough of Asterisk's own grammar for what we generate."""
    contexts: Dialplan = {}
    context: dict[str, list[str]] = {}
    exten = ""
    for line in text.splitlines():
        if line.startswith("["):
            context = contexts.setdefault(line.strip("[]"), {})
        elif found := re.fullmatch(r"exten = ([^,]+),1,(.+)", line):
            exten = found[1]
            context[exten] = [found[2]]
        elif found := re.fullmatch(r" same = n(?:\(([a-z]+)\))?,(.+)", line):
            context[exten].append(found[2])
    return contexts


def labels(text: str) -> set[str]:
    return set(re.findall(r"^ same = n\(([a-z]+)\),", text, re.MULTILINE))
