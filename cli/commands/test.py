"""``hotline test``: everything that is checked before a change is accepted."""

from __future__ import annotations

from typing import Any, Final

import typer

CONTEXT: Final[dict[str, Any]] = {"allow_extra_args": True, "ignore_unknown_options": True}


def command(context: typer.Context) -> None:
    """测试：风格、类型、引用关系，再加全部测试；后面的参数交给 pytest，例如 -m unit -k routing。"""
    from cli.test_runner import run_checks

    raise typer.Exit(run_checks(context.args, typer.echo))
