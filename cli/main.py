"""The ``hotline`` command: finds its sub-commands in cli/commands and tells errors as sentences.

One job: dispatch. A module of cli/commands is a sub-command of the same name: its ``app`` (a Typer) is a group,
or its function ``command`` is a single command. Only the module that is asked for is imported.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Final

import typer
from typer._click.exceptions import ClickException

import cli.commands
from cli.usage_errors import speak_chinese, told
from config.settings import SettingsError

MODULES: Final = {module.name.replace("_", "-"): module.name for module in iter_modules(cli.commands.__path__)}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status: 0 done, 1 not healthy or not done, 2 wrongly asked."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    asked = arguments[0] if arguments else ""
    try:
        application = _application([asked] if asked in MODULES else sorted(MODULES))
        status = application(args=arguments, prog_name="hotline", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except ClickException as error:
        if sentence := told(error):
            typer.echo(f"hotline: {sentence}", err=True)
        sys.exit(error.exit_code)
    except typer.Abort:
        typer.echo("hotline: 已取消", err=True)
        sys.exit(1)
    except _explained() as error:
        typer.echo(f"hotline: {error}", err=True)
        sys.exit(2 if isinstance(error, SettingsError) else 1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        where = f" {error.filename}" if error.filename else "数据目录"
        typer.echo(
            f"hotline: 写不进{where}（{error.strerror}）；请腾出磁盘空间，或用 HOTLINE_DATA_DIR 换一个目录", err=True
        )
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _application(names: Sequence[str]) -> typer.Typer:
    speak_chinese()
    application = typer.Typer(
        help="12345 政务服务便民热线。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    application.callback()(lambda: None)  # keeps `hotline NAME` a sub-command when only one is loaded
    for name in names:
        module = import_module(f"cli.commands.{MODULES[name]}")
        group = getattr(module, "app", None)
        if isinstance(group, typer.Typer):
            application.add_typer(group, name=name)
        else:
            application.command(name, context_settings=getattr(module, "CONTEXT", None))(module.command)
    return application


def _explained() -> tuple[type[Exception], ...]:
    """Errors whose text already is a Chinese sentence that says what to do."""
    known: list[type[Exception]] = [SettingsError]
    for module, name in (
        ("asterisk_conf.debian", "BundleError"),
        ("setup.backup.errors", "BackupError"),
        ("database.errors", "DatabaseError"),
        ("config.credentials", "CredentialsUnusable"),
        ("config.ports", "PortsTaken"),
        ("setup.process.supervisor", "SupervisorError"),
        ("ivr.prompts.audio", "ToolMissing"),
    ):
        if module in sys.modules:  # else it cannot have been raised
            known.append(getattr(sys.modules[module], name))
    return tuple(known)


if __name__ == "__main__":
    # Callers' numbers and voices are in what we write, and in what Asterisk writes for us: no other user reads them.
    os.umask(0o077)
    # What goes wrong behind a command is told on standard error; standard output is the command's answer alone.
    from config.logging import configure_logging

    configure_logging(level="WARNING")
    main()
