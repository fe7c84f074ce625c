"""What a command's exit code says to a script, the same for all commands.

0: done, and the answer is whole. 1: refused, or what was asked about is not as it should be. 2: wrongly asked, or
nothing could be asked at all. 3: an answer was given, but it is not whole, because something was out of reach.
"""

from __future__ import annotations

from typing import Final

import typer

INCOMPLETE: Final = 3


def end(*, complete: bool, code: int = 0) -> None:
    """End a command that has said what it knows; what is wrong goes before what is missing."""
    if code or not complete:
        raise typer.Exit(code or INCOMPLETE)
