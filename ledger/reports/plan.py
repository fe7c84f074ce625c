"""Which reports come by themselves, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ledger.reports.mail import MailServer
from ledger.reports.model import By, Period
from ledger.reports.periods import days, month


@dataclass(frozen=True, slots=True)
class Plan:
    """What the city wants, from its settings."""

    folder: Path
    daily: tuple[By, ...] = ()
    monthly: tuple[By, ...] = ()
    hour: int = 7
    """From this hour on, on the city's clock: the night's last facts are in the database by then."""
    mail_to: tuple[str, ...] = ()
    server: MailServer | None = None


def due(plan: Plan, now: datetime) -> list[tuple[Period, By]]:
    """What should be there at this moment on the city's clock."""
    zone = now.tzinfo
    assert zone is not None
    if now.hour < plan.hour:
        return []
    yesterday = f"{now.date() - timedelta(days=1)}"
    last = now.date().replace(day=1) - timedelta(days=1)
    daily = [(days(yesterday, yesterday, zone), by) for by in plan.daily]
    return [*daily, *((month(f"{last:%Y-%m}", zone), by) for by in plan.monthly)]
