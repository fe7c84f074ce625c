"""The names of commands that stay: scripts and manuals of the hotline's operators are written with them."""

from __future__ import annotations

import pytest
from typer import Typer

from cli.commands import route, routing

pytestmark = pytest.mark.unit


def names(app: Typer) -> set[str | None]:
    return {command.name for command in app.registered_commands}


def test_the_life_of_a_routing_table_goes_by_its_stable_names() -> None:
    assert {"export", "import", "lint", "diff", "publish", "rollback", "history"} <= names(routing.app)
    assert names(route.app) == {"test"}
