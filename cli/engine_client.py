"""A running engine's control API, with this instance's port and token; errors end the command with a sentence."""

from __future__ import annotations

from typing import Any

import typer

from config.credentials import credentials
from config.settings import Settings, load_settings
from console.client import EngineUnreachable, Refused, call
from ivr.prompt_names import names_in_file
from routing.naming import Names

UNREACHABLE = 3


def ask(path: str, body: dict[str, Any] | None = None, *, settings: Settings | None = None) -> Any:
    """The engine's answer. Ends the command with status 1 when it refuses, 3 when nobody answers."""
    settings = settings or load_settings()
    try:
        return call(settings.control_port, credentials(settings.data_dir).api_token, path, body)
    except Refused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except EngineUnreachable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNREACHABLE) from None


def names() -> Names:
    """What the rows of the table in force are called; keys stay keys where its file cannot be read."""
    settings = load_settings()
    return names_in_file(settings.snapshot_file, settings.city)
