"""``hotline routing``: the life of the routing table, from a draft to a version in force and back.

One job: the names of the commands; each has its own file in cli/routing. ``hotline route test`` asks where a call
would go.
"""

from __future__ import annotations

import typer

from cli.routing.exchange import export_command, import_command
from cli.routing.life import COMMANDS
from cli.routing.lint import lint_command
from cli.routing.matrix import matrix_command
from cli.routing.picture import picture_command
from cli.routing.replay import replay_command

app = typer.Typer(help="路由表：编辑、检查、推算、发布、退回、导入导出。", no_args_is_help=True)

for name, command in COMMANDS.items():
    app.command(name)(command)
app.command("lint")(lint_command)
app.command("export")(export_command)
app.command("import")(import_command)
app.command("matrix")(matrix_command)
app.command("replay")(replay_command)
app.command("picture")(picture_command)
