"""Does the table hold together, and what would a citizen suffer from it?

One job: a table in, its faults out. Errors block: a table with one is neither loaded nor published. Warnings explain.
Every rule is a row of RULES; each has a stable id, and a message in Chinese that names the place and a way out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from routing.faults import Fault, Severity, TableInvalid
from routing.lint import (
    announcements,
    call_out,
    callers,
    days,
    form,
    orders,
    prompts,
    reach,
    references,
    sites,
    wrap_up,
)
from routing.lint.model import LintContext, Rule, Sound, View
from routing.model import Table

__all__ = ["RULES", "LintContext", "Rule", "Sound", "examine", "lint", "require_publishable", "require_sound"]

RULES: Final[tuple[Rule, ...]] = (
    *form.RULES,
    *references.RULES,
    *sites.RULES,
    *callers.RULES,
    *call_out.RULES,
    *announcements.RULES,
    *orders.RULES,
    *wrap_up.RULES,
    *reach.RULES,
    *days.RULES,
    *prompts.RULES,
)


def examine(table: Table, around: LintContext) -> tuple[Fault, ...]:
    """Every error and warning, errors first, each with its rule."""
    found = _found(View(table, around), RULES)
    return tuple(sorted(found, key=lambda fault: fault.severity is not Severity.ERROR))


def lint(table: Table) -> tuple[Fault, ...]:
    """Every error that the table shows by itself, in the order of the rules; empty when it can be kept."""
    alone = (rule for rule in RULES if rule.severity is Severity.ERROR and not rule.surroundings)
    return tuple(_found(View(table), alone))


def require_sound(table: Table) -> None:
    """Raise TableInvalid with every error unless the table holds together by itself."""
    _require(lint(table))


def require_publishable(table: Table, around: LintContext) -> tuple[Fault, ...]:
    """The warnings of a table that may go live. Raises TableInvalid with every error."""
    faults = examine(table, around)
    _require(tuple(fault for fault in faults if fault.severity is Severity.ERROR))
    return faults


def _require(errors: tuple[Fault, ...]) -> None:
    if errors:
        raise TableInvalid(errors)


def _found(view: View, rules: Iterable[Rule]) -> list[Fault]:
    return [replace(fault, rule=rule.id, severity=rule.severity) for rule in rules for fault in rule.check(view)]
