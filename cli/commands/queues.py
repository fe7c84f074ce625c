"""``hotline queues``: who waits, of a running engine; and what would be if (cli/forecasting)."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from cli.engine_client import ask, names
from cli.forecasting import erlang, simulate, staffing
from queues.model import TicketPhase
from telephony.model import AGENT_ID, CALL_ID

app = typer.Typer(help="排队：谁在等候；推演、排队公式、排班。", no_args_is_help=True)

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]

UNUSABLE: Final = 2
PHASE: Final = {TicketPhase.WAITING: "排队", TicketPhase.OFFERED: "振铃", TicketPhase.TALKING: "通话"}


@app.callback()
def _queues() -> None:
    """排队：谁在等候；推演、排队公式、排班。"""


app.command("simulate")(simulate.command)
app.command("erlang")(erlang.command)
app.command("staffing")(staffing.command)


@app.command("explain")
def explain(
    what: Annotated[str, typer.Argument(help="呼叫编号，或工号")],
    as_data: AsData = False,
) -> None:
    """为什么这个来电在这个座席（或还在等），为什么不是别的座席。"""
    if not (CALL_ID.fullmatch(what) or AGENT_ID.fullmatch(what)):
        typer.echo(f"{what[:80]!r} 既不是呼叫编号也不是工号；例如 hl1-1700000000.12 或 1001", err=True)
        raise typer.Exit(UNUSABLE)
    lines = ask(f"/api/queues/explain/{what}")["lines"]
    typer.echo(json.dumps(lines, ensure_ascii=False, indent=2) if as_data else "\n".join(lines))


@app.command("list")
def list_calls(as_data: AsData = False) -> None:
    """排队、振铃和通话中的来电，按接听次序，各带自己的等候时间。"""
    told = ask("/api/queues")
    if as_data:
        typer.echo(json.dumps(told["calls"], ensure_ascii=False, indent=2))
        return
    called = names()
    for row in told["calls"]:
        age = (told["now_ms"] - row["since_ms"]) // 1000
        place = f"第{row['position']}位" if row["position"] is not None else f"座席 {row['seat']}"
        typer.echo(
            f"{row['call']}  {called.of('groups', row['group'])}  {PHASE[row['phase']]}  {place}  来电至今 {age} 秒"
        )
    if not told["calls"]:
        typer.echo("没有来电")
