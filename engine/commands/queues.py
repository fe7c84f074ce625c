"""``hotline queues``: who waits, of a running engine; and what would be if (engine/foresight)."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from engine.foresight import erlang, simulate, staffing
from engine.remote import ask
from queues.model import TicketPhase

app = typer.Typer(help="排队：谁在等候；推演、排队公式、排班。", no_args_is_help=True)

AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]

PHASE: Final = {TicketPhase.WAITING: "排队", TicketPhase.OFFERED: "振铃", TicketPhase.TALKING: "通话"}


@app.callback()
def _queues() -> None:
    """排队：谁在等候；推演、排队公式、排班。"""


app.command("simulate")(simulate.command)
app.command("erlang")(erlang.command)
app.command("staffing")(staffing.command)


@app.command("list")
def list_calls(as_data: AsData = False) -> None:
    """排队、振铃和通话中的来电，按接听次序，各带自己的等候时间。"""
    told = ask("/api/queues")
    if as_data:
        typer.echo(json.dumps(told["calls"], ensure_ascii=False, indent=2))
        return
    for row in told["calls"]:
        age = (told["now_ms"] - row["since_ms"]) // 1000
        place = f"第{row['position']}位" if row["position"] is not None else f"座席 {row['seat']}"
        typer.echo(f"{row['call']}  {row['group']}  {PHASE[row['phase']]}  {place}  来电至今 {age} 秒")
    if not told["calls"]:
        typer.echo("没有来电")
