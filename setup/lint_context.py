"""What a routing table is judged against on this machine: today, the prompts that were built, our own addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from config.settings import Settings
from ivr.prompts import manifest
from ivr.prompts.catalogue import MANDARIN
from ledger.push_address import fault
from routing.calendar import city_time
from routing.lint import LintContext, Sound
from routing.model import Snapshot


def lint_context(settings: Settings, published: Snapshot | None, at: datetime | None = None) -> LintContext:
    """The lint's surroundings, by default now."""
    built = manifest.load(settings.data_dir / "sounds")
    return LintContext(
        today=city_time(at or datetime.now(UTC)).date(),
        sounds={key: Sound(row.seconds, row.text) for key, row in built.items()} or None,
        languages=(MANDARIN,),
        own_addresses=frozenset((settings.bind, port) for port in (settings.sip_port, settings.seat_sip_port)),
        push_fault=partial(fault, allowed=settings.push_allowed),
        published=published,
    )
